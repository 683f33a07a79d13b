// Connections that come and go: drain, age, refusals, captured peers, health and reflection.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <thread>

#include "net/grpc/proto_fields.h"
#include "net/grpc/raw_peer.h"
#include "net/grpc/socket.h"
#include "net/grpc/test_server.h"
#include "net/grpc/test_wire.h"

namespace aevum::net::grpc {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::HasSubstr;

constexpr std::string_view kUnary = "/test.Echo/Unary";
constexpr std::string_view kStream = "/test.Echo/Stream";
constexpr std::string_view kBlock = "/test.Echo/Block";
constexpr std::string_view kReflect = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo";

Context Soon() { return Context::Background().WithTimeout(seconds(30)); }

std::size_t CountMessages(ClientCall& call, Status& status) {
  for (std::size_t count = 0;; ++count) {
    const auto message = call.Next();
    status = message.status();
    if (!message.ok() || !*message) return count;
  }
}

class LifecycleTest : public ::testing::Test {
 protected:
  ServerOptions Quick() {
    ServerOptions options;
    options.limits = QuickLimits();
    return options;
  }
  ClientRuntime runtime_{1, nullptr, Logger(), QuickLimits()};
};

TEST_F(LifecycleTest, StopLetsCallsEnd) {
  TestServer server;
  Channel channel(runtime_, {.address = server.address()});
  // The high-water mark keeps the handler at work until the client reads.
  const auto call = channel.Start(Soon(), kStream, SharedBytes::Own("100 1000000"));
  ASSERT_TRUE(call->Next().ok());
  std::thread stopper([&server] { server.server().Stop(seconds(20)); });
  Status status;
  EXPECT_EQ(CountMessages(*call, status), 99u);
  EXPECT_TRUE(status.ok()) << status;
  stopper.join();
  EXPECT_FALSE(channel.Unary(Soon(), kUnary, {}).ok());
}

TEST_F(LifecycleTest, StopCutsAfterTheGracePeriod) {
  TestServer server;
  Channel channel(runtime_, {.address = server.address()});
  const auto call = channel.Start(Soon(), kBlock, {});
  ASSERT_TRUE(server.block_entered.Wait());
  server.server().Stop(milliseconds(100));
  EXPECT_EQ(server.cancelled.load(), 1);
  ASSERT_TRUE(call->Next().ok());
  EXPECT_EQ(call->Next().status().code(), StatusCode::kUnavailable);
  server.server().Stop(milliseconds(100));  // idempotent
}

TEST_F(LifecycleTest, OldConnectionsAreReplacedAndNoCallFails) {
  ServerOptions options = Quick();
  options.max_connection_age = milliseconds(60);
  TestServer server(options);
  Channel channel(runtime_, {.address = server.address()});
  const auto until = std::chrono::steady_clock::now() + milliseconds(1500);
  std::atomic<int> failures = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      while (std::chrono::steady_clock::now() < until) {
        if (t % 2 == 0) {
          const auto answer = channel.Unary(Soon(), kUnary, SharedBytes::Own("x"));
          if (!answer.ok()) ++failures, ADD_FAILURE() << answer.status();
        } else {
          const auto call = channel.Start(Soon(), kStream, SharedBytes::Own("100 10000"));
          Status status;
          if (CountMessages(*call, status) != 100) ++failures, ADD_FAILURE() << status;
        }
        if (failures > 3) return;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(failures.load(), 0);
}

TEST_F(LifecycleTest, ReconnectsAfterALoss) {
  auto server = std::make_unique<TestServer>();
  const std::uint16_t port = server->server().port();
  Channel channel(runtime_, {.address = server->address()});
  ASSERT_TRUE(channel.Unary(Soon(), kUnary, {}).ok());
  server.reset();
  EXPECT_FALSE(channel.Unary(Soon(), kUnary, {}).ok());
  // Another server on the same port.
  Server next({.address = fmt::format("127.0.0.1:{}", port)}, Logger(), nullptr);
  next.Register(kUnary, Server::Kind::kUnary, [](ServerCall& call) {
    call.Write(call.request());
    return OkStatus();
  });
  ASSERT_TRUE(next.Start().ok());
  const auto until = std::chrono::steady_clock::now() + seconds(10);
  while (!channel.Unary(Soon(), kUnary, {}).ok()) {
    ASSERT_LT(std::chrono::steady_clock::now(), until);
    std::this_thread::yield();
  }
}

TEST_F(LifecycleTest, BackoffFailsAtOnce) {
  Limits limits = QuickLimits();
  limits.backoff_first = limits.backoff_limit = std::chrono::hours(1);
  ClientRuntime runtime(1, nullptr, Logger(), limits);
  std::string address;
  {
    address = TestServer().address();
  }
  Channel channel(runtime, {.address = address});
  const Status first = channel.Unary(Soon(), kUnary, {}).status();
  const Status second = channel.Unary(Soon(), kUnary, {}).status();
  EXPECT_EQ(first.message(), second.message());
}

TEST_F(LifecycleTest, ListenNamesTheAddress) {
  TestServer server;
  Server second({.address = server.address()}, Logger(), nullptr);
  EXPECT_THAT(second.Start().ToString(), HasSubstr(server.address()));
  Server portless({.address = "localhost"}, Logger(), nullptr);
  EXPECT_THAT(portless.Start().ToString(), HasSubstr("without port"));
}

// More calls than the peer allows at a time wait in the channel.
TEST_F(LifecycleTest, CallsAboveThePeersLimitWait) {
  ServerOptions options = Quick();
  options.limits.concurrent_streams = 3;
  TestServer server(options);
  Channel channel(runtime_, {.address = server.address()});
  std::vector<std::unique_ptr<ClientCall>> calls;
  for (int i = 0; i < 50; ++i) {
    calls.push_back(channel.Start(Soon(), kStream, SharedBytes::Own("5 10")));
    if (i % 5 == 4) calls.back()->Cancel();
  }
  for (std::size_t i = 0; i < calls.size(); ++i) {
    Status status;
    const std::size_t count = CountMessages(*calls[i], status);
    if (i % 5 == 4) {
      EXPECT_EQ(status.code(), StatusCode::kCancelled);
    } else {
      EXPECT_EQ(count, 5u) << status;
    }
  }
}

TEST_F(LifecycleTest, UnaryCallsDoNotWaitBehindStreams) {
  ServerOptions options = Quick();
  options.handler_threads = 2;
  TestServer server(options);
  // Several connections fill the whole pool of the streams.
  std::vector<std::unique_ptr<Channel>> channels;
  std::vector<std::unique_ptr<ClientCall>> calls;
  for (int i = 0; i < 6; ++i) {
    channels.push_back(
        std::make_unique<Channel>(runtime_, ChannelOptions{.address = server.address()}));
    calls.push_back(channels.back()->Start(Soon(), kBlock, {}));
  }
  ASSERT_TRUE(server.block_entered.Wait());
  EXPECT_TRUE(channels[0]->Unary(Soon(), kUnary, {}).ok());
  EXPECT_LE(server.blocked.load(), 2);
}

TEST_F(LifecycleTest, WaitingCallsMeetTheirDeadline) {
  ServerOptions options = Quick();
  options.handler_threads = 1;
  TestServer server(options);
  Channel channel(runtime_, {.address = server.address()});
  const auto blocker = channel.Start(Soon(), kBlock, {});
  ASSERT_TRUE(server.block_entered.Wait());
  const auto call = channel.Start(Context::Background().WithTimeout(milliseconds(100)), kStream,
                                  SharedBytes::Own("1 1"));
  EXPECT_EQ(call->Next().status().code(), StatusCode::kDeadlineExceeded);
}

TEST_F(LifecycleTest, FrozenPeerIsLeft) {
  Limits limits = QuickLimits();
  limits.client_ping_after = milliseconds(100);
  limits.client_ping_timeout = milliseconds(100);
  ClientRuntime runtime(1, nullptr, Logger(), limits);
  const auto listener = Listen("127.0.0.1:0");
  ASSERT_TRUE(listener.ok());
  Channel channel(runtime, {.address = fmt::format("127.0.0.1:{}", LocalPort(*listener))});
  const auto call = channel.Start(Soon(), kUnary, {});
  int fd = -1;
  while (fd < 0) fd = ::accept(*listener, nullptr, nullptr);
  const std::string settings = Frame(kSettings, 0, 0, "");
  ASSERT_EQ(::send(fd, settings.data(), settings.size(), 0), static_cast<ssize_t>(settings.size()));
  const Status status = call->Next().status();
  EXPECT_EQ(status.code(), StatusCode::kUnavailable);
  EXPECT_THAT(std::string(status.message()), HasSubstr("keepalive"));
  ::close(fd);
  ::close(*listener);
}

TEST_F(LifecycleTest, WhoeverIsNotHttp2IsLeft) {
  const auto listener = Listen("127.0.0.1:0");
  ASSERT_TRUE(listener.ok());
  Channel channel(runtime_, {.address = fmt::format("127.0.0.1:{}", LocalPort(*listener))});
  const auto call = channel.Start(Soon(), kUnary, {});
  int fd = -1;
  while (fd < 0) fd = ::accept(*listener, nullptr, nullptr);
  const std::string answer = "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n";
  ASSERT_GT(::send(fd, answer.data(), answer.size(), 0), 0);
  EXPECT_EQ(call->Next().status().code(), StatusCode::kUnavailable);
  ::close(fd);
  ::close(*listener);
}

// --- Captured peers.

// What a client sent until it closed: grpc-go's last GOAWAY names a stream of its own, which ends
// the connection, and with it the call, on the spot.
std::string_view BeforeGoaway(std::string_view bytes) {
  std::size_t at = std::string_view("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").size();
  while (at + 9 <= bytes.size() && bytes[at + 3] != kGoaway) {
    at += 9 + static_cast<std::size_t>(static_cast<unsigned char>(bytes[at + 1])) * 256 +
          static_cast<unsigned char>(bytes[at + 2]);
  }
  return bytes.substr(0, at);
}

TEST_F(LifecycleTest, UnderstandsCapturedClients) {
  std::size_t seen = 0;
  for (const Capture& capture : LoadCaptures()) {
    SCOPED_TRACE(capture.name);
    std::string request;
    Signal called;
    Server server({.address = "127.0.0.1:0"}, Logger(), nullptr);
    server.Register(capture.method, Server::Kind::kServerStream, [&](ServerCall& call) {
      request = call.request().view;
      called.Set();
      return OkStatus();
    });
    ASSERT_TRUE(server.Start().ok());
    RawPeer peer(server.port());
    ASSERT_TRUE(peer.Send(BeforeGoaway(capture.client_bytes)));
    RawFrame frame;
    if (capture.has_foreign_compressor) {
      ASSERT_TRUE(peer.ReadUntil(kHeaders, 1, frame));
      EXPECT_EQ(frame.Field("grpc-status"), "12");
      continue;
    }
    ASSERT_TRUE(called.Wait());
    EXPECT_EQ(request, capture.messages.front().plain);
    ++seen;
  }
  EXPECT_GE(seen, 1u);
}

TEST_F(LifecycleTest, UnderstandsCapturedServers) {
  for (const Capture& capture : LoadCaptures()) {
    SCOPED_TRACE(capture.name);
    const auto listener = Listen("127.0.0.1:0");
    ASSERT_TRUE(listener.ok());
    Channel channel(runtime_, {.address = fmt::format("127.0.0.1:{}", LocalPort(*listener)),
                               .compression = Compression::kSnappy});
    const auto call = channel.Start(Soon(), capture.method, SharedBytes::Own("x"));
    int fd = -1;
    while (fd < 0) fd = ::accept(*listener, nullptr, nullptr);
    // The settings first: the client asks only when it has them.
    const std::size_t settings = 9 + static_cast<std::size_t>(capture.server_bytes[2]);
    ASSERT_GT(::send(fd, capture.server_bytes.data(), settings, 0), 0);
    char buffer[4096];
    std::string asked;
    while (asked.find("te\x08trailers") == std::string::npos &&
           asked.find(std::string("NaPpY")) == std::string::npos) {
      const ssize_t size = ::recv(fd, buffer, sizeof(buffer), 0);
      ASSERT_GT(size, 0);
      asked.append(buffer, static_cast<std::size_t>(size));
    }
    ASSERT_GT(::send(fd, capture.server_bytes.data() + settings,
                     capture.server_bytes.size() - settings, 0),
              0);
    std::vector<std::string> plain;
    Status status;
    while (true) {
      const auto message = call->Next();
      status = message.status();
      if (!message.ok() || !*message) break;
      plain.emplace_back((*message)->view);
    }
    std::vector<std::string> expected;
    for (const CapturedMessage& message : capture.messages) {
      if (!message.from_client) expected.push_back(message.plain);
    }
    EXPECT_EQ(plain, expected);
    EXPECT_EQ(status.ok(), !expected.empty()) << status;
    EXPECT_NE(status.code(), StatusCode::kUnavailable) << status;
    ::close(fd);
    ::close(*listener);
  }
}

// --- Health and reflection.

std::string HealthStatus(int value) { return {8, static_cast<char>(value)}; }

TEST_F(LifecycleTest, HealthFollowsServing) {
  TestServer server;
  Channel channel(runtime_, {.address = server.address()});
  const std::string check = "/grpc.health.v1.Health/Check";
  auto answer = channel.Unary(Soon(), check, {});
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_EQ(answer->view, HealthStatus(2));
  const auto watch = channel.Start(Soon(), "/grpc.health.v1.Health/Watch", {});
  EXPECT_EQ((**watch->Next()).view, HealthStatus(2));
  server.server().SetServing(true);
  EXPECT_EQ((**watch->Next()).view, HealthStatus(1));
  answer = channel.Unary(Soon(), check, {});
  ASSERT_TRUE(answer.ok());
  EXPECT_EQ(answer->view, HealthStatus(1));
  server.server().SetServing(false);
  EXPECT_EQ((**watch->Next()).view, HealthStatus(2));

  std::string other;
  AppendProtoBytes(other, 1, "thanos.Store");
  EXPECT_EQ(channel.Unary(Soon(), check, SharedBytes::Own(other)).status().code(),
            StatusCode::kNotFound);
  const auto unknown =
      channel.Start(Soon(), "/grpc.health.v1.Health/Watch", SharedBytes::Own(other));
  EXPECT_EQ((**unknown->Next()).view, HealthStatus(3));
}

std::string FileDescriptor(std::string_view name, std::string_view package,
                           std::string_view dependency, std::string_view message,
                           std::string_view service) {
  std::string file;
  AppendProtoBytes(file, 1, name);
  AppendProtoBytes(file, 2, package);
  if (!dependency.empty()) AppendProtoBytes(file, 3, dependency);
  std::string descriptor;
  AppendProtoBytes(descriptor, 1, message);
  std::string nested;
  AppendProtoBytes(nested, 1, "Inner");
  AppendProtoBytes(descriptor, 3, nested);
  AppendProtoBytes(file, 4, descriptor);
  if (!service.empty()) {
    std::string method;
    AppendProtoBytes(method, 1, "Unary");
    std::string declared;
    AppendProtoBytes(declared, 1, service);
    AppendProtoBytes(declared, 2, method);
    AppendProtoBytes(file, 6, declared);
  }
  return file;
}

TEST_F(LifecycleTest, ReflectionAnswersEachMessage) {
  const std::string base = FileDescriptor("base.proto", "test", "", "Base", "");
  const std::string echo = FileDescriptor("echo.proto", "test", "base.proto", "Ask", "Echo");
  Server server({.address = "127.0.0.1:0"}, Logger(), nullptr);
  server.AddFileDescriptor(base);
  server.AddFileDescriptor(echo);
  server.AddFileDescriptor("not a descriptor");
  server.Register(kUnary, Server::Kind::kUnary, [](ServerCall&) { return OkStatus(); });
  ASSERT_TRUE(server.Start().ok());

  const auto ask = [](std::uint32_t field, std::string_view value) {
    std::string request;
    AppendProtoBytes(request, field, value);
    return request;
  };
  struct Case {
    std::string name;
    std::string request;
    std::vector<std::string> contains;
  };
  const Case cases[] = {
      {"list",
       ask(7, "*"),
       {"test.Echo", "grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection",
        "grpc.reflection.v1alpha.ServerReflection"}},
      {"file", ask(3, "base.proto"), {base}},
      {"service with its imports", ask(4, "test.Echo"), {echo, base}},
      {"method", ask(4, "test.Echo.Unary"), {echo}},
      {"nested message", ask(4, "test.Ask.Inner"), {echo}},
      {"unknown symbol",
       ask(4, "test.Nobody"),
       {"unknown symbol: test.Nobody", std::string("\x08\x05")}},
      {"unknown file", ask(3, "x.proto"), {"unknown file: x.proto"}},
      {"nothing", "", {"nothing that is known"}},
  };
  // One stream, many questions; the client asks the next when it has the answer.
  RawPeer peer(server.port());
  peer.Greet();
  peer.Send(Frame(kHeaders, kEndHeaders, 1, RequestBlock(kReflect)));
  RawFrame frame;
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    peer.Send(Frame(kData, 0, 1,
                    std::string("\0\0\0\0", 4) + static_cast<char>(c.request.size()) + c.request));
    ASSERT_TRUE(peer.ReadUntil(kData, 1, frame));
    for (const std::string& text : c.contains) EXPECT_THAT(frame.payload, HasSubstr(text));
  }
  peer.Send(Frame(kData, kEndStream, 1, ""));
  ASSERT_TRUE(peer.ReadUntil(kHeaders, 1, frame));
  EXPECT_EQ(frame.Field("grpc-status"), "0");
}

}  // namespace
}  // namespace aevum::net::grpc
