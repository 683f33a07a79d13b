// The server and the client against each other.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "net/grpc/test_server.h"
#include "net/request_log.h"

namespace aevum::net::grpc {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::HasSubstr;

constexpr std::string_view kUnary = "/test.Echo/Unary";
constexpr std::string_view kStream = "/test.Echo/Stream";
constexpr std::string_view kBlock = "/test.Echo/Block";

class LoopbackTest : public ::testing::Test {
 protected:
  std::unique_ptr<Channel> Dial(const TestServer& server,
                                Compression compression = Compression::kNone) {
    return std::make_unique<Channel>(
        runtime_, ChannelOptions{.address = server.address(), .compression = compression});
  }
  Context Soon() { return Context::Background().WithTimeout(seconds(30)); }

  // All messages of a call, each checked against its number; -1 - the number at the first wrong.
  StatusOr<std::size_t> Drain(ClientCall& call, std::size_t size) {
    for (std::size_t count = 0;; ++count) {
      ASSIGN_OR_RETURN(const std::optional<SharedBytes> message, call.Next());
      if (!message) return count;
      const std::string number = fmt::format("{} ", count);
      if (!message->view.starts_with(number) || message->size() != std::max(size, number.size())) {
        return Internal("message {} is wrong: size {}", count, message->size());
      }
    }
  }

  std::shared_ptr<prometheus::Registry> registry_ = std::make_shared<prometheus::Registry>();
  ClientRuntime runtime_{1, registry_, Logger(), QuickLimits()};
};

TEST_F(LoopbackTest, CallsUnary) {
  TestServer server;
  const auto channel = Dial(server);
  for (const std::size_t size : {0, 1, 1000, 100'000, 10'000'000}) {
    SCOPED_TRACE(size);
    const std::string text(size, 'a');
    const auto answer = channel->Unary(Soon(), kUnary, SharedBytes::Own(text));
    ASSERT_TRUE(answer.ok()) << answer.status();
    EXPECT_EQ(answer->view == text, true);
  }
  EXPECT_EQ(MetricValue(*registry_, "grpc_client_handled_total",
                        {{"grpc_type", "unary"},
                         {"grpc_service", "test.Echo"},
                         {"grpc_method", "Unary"},
                         {"grpc_code", "OK"}}),
            5);
  EXPECT_EQ(MetricValue(*server.registry(), "grpc_server_handled_total",
                        {{"grpc_method", "Unary"}, {"grpc_code", "OK"}}),
            5);
  EXPECT_EQ(
      MetricValue(*server.registry(), "grpc_server_msg_sent_total", {{"grpc_method", "Unary"}}), 5);
  EXPECT_EQ(
      MetricValue(*server.registry(), "grpc_server_handling_seconds", {{"grpc_method", "Unary"}}),
      5);
}

TEST_F(LoopbackTest, CarriesStatusAndMessage) {
  TestServer server;
  const auto channel = Dial(server);
  const auto answer = channel->Unary(Soon(), "/test.Echo/Fail", SharedBytes::Own("a%b \xc3\xa4\n"));
  EXPECT_EQ(answer.status().code(), StatusCode::kNotFound);
  EXPECT_EQ(answer.status().message(), "not found: a%b \xc3\xa4\n");
  EXPECT_EQ(channel->Unary(Soon(), "/test.Echo/Nothing", {}).status().code(),
            StatusCode::kUnimplemented);
  const Status thrown = channel->Unary(Soon(), "/test.Echo/Throw", {}).status();
  EXPECT_EQ(thrown.code(), StatusCode::kInternal);
  EXPECT_EQ(MetricValue(*server.registry(), "grpc_req_panics_recovered_total", {}), 1);
}

TEST_F(LoopbackTest, CutsALongStatusMessage) {
  TestServer server;
  const auto channel = Dial(server);
  const auto answer =
      channel->Unary(Soon(), "/test.Echo/Fail", SharedBytes::Own(std::string(200'000, 'm')));
  EXPECT_EQ(answer.status().code(), StatusCode::kNotFound);
  EXPECT_EQ(answer.status().message().size(), 4096u);
}

TEST_F(LoopbackTest, CarriesMetadata) {
  TestServer server;
  const auto channel = Dial(server);
  const Context context = Soon().WithRequest({"team-a", "id-1"});
  const auto call = channel->Start(context, "/test.Echo/Metadata", {}, {{"test-key", "value"}});
  const auto message = call->Next();
  ASSERT_TRUE(message.ok()) << message.status();
  EXPECT_EQ((*message)->view, "team-a id-1 value");
  EXPECT_EQ(channel->Start(context, kUnary, {}, {{"k", "a\r\nb"}})->Next().status().code(),
            StatusCode::kInvalidArgument);
}

TEST_F(LoopbackTest, RefusesATenantThatIsNoName) {
  TestServer server;
  const auto channel = Dial(server);
  for (const char* tenant : {"a/b", "..", ".", "a\\b"}) {
    SCOPED_TRACE(tenant);
    const auto answer = channel->Unary(Soon().WithRequest({tenant, ""}), kUnary, {});
    EXPECT_EQ(answer.status().code(), StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(answer.status().message()), HasSubstr("tenant name not valid: "));
  }
}

// A log in memory. Thread-safe.
class MemorySink final : public LogSink {
 public:
  void Write(std::string_view line) override {
    MutexLock lock(mutex_);
    text_ += line;
  }
  std::string text() {
    MutexLock lock(mutex_);
    return text_;
  }

 private:
  Mutex mutex_;
  std::string text_ AEVUM_GUARDED_BY(mutex_);
};

TEST_F(LoopbackTest, LogsCallsAsItIsTold) {
  const auto sink = std::make_shared<MemorySink>();
  auto log = RequestLog::Parse(
      "grpc: {options: {level: DEBUG, decision: {log_start: true, log_end: true}}}",
      Logger(sink, LogLevel::kError, LogFormat::kLogfmt));
  ASSERT_TRUE(log.ok()) << log.status();
  ServerOptions options;
  options.request_log = *log;
  TestServer server(options);
  const auto channel = Dial(server);
  ASSERT_TRUE(channel->Unary(Soon().WithRequest({"", "id-9"}), kUnary, {}).ok());
  EXPECT_FALSE(channel->Unary(Soon(), "/test.Echo/Throw", {}).ok());
  const std::string text = sink->text();
  EXPECT_THAT(text, HasSubstr("msg=\"started call\" protocol=grpc grpc.component=server "
                              "grpc.method=/test.Echo/Unary grpc.method_type=unary "
                              "peer.address=127.0.0.1:"));
  EXPECT_THAT(text, HasSubstr("requestID=id-9"));
  EXPECT_THAT(text, HasSubstr("grpc.code=OK"));
  EXPECT_THAT(text, HasSubstr("level=error"));
  EXPECT_THAT(text, HasSubstr("grpc.code=Internal"));
}

TEST_F(LoopbackTest, StreamsSmallAndLargeMessages) {
  TestServer server;
  struct Case {
    std::size_t count, size;
  };
  for (const Compression compression : {Compression::kNone, Compression::kSnappy}) {
    const auto channel = Dial(server, compression);
    for (const Case c : {Case{0, 0}, Case{1, 10}, Case{50'000, 100}, Case{5'000, 5'000},
                         Case{40, 1 << 20}, Case{2, 20 << 20}}) {
      SCOPED_TRACE(fmt::format("{} x {} {}", c.count, c.size, static_cast<int>(compression)));
      const auto call =
          channel->Start(Soon(), kStream, SharedBytes::Own(fmt::format("{} {}", c.count, c.size)));
      const auto count = Drain(*call, c.size);
      ASSERT_TRUE(count.ok()) << count.status();
      EXPECT_EQ(*count, c.count);
      EXPECT_GE(call->bytes_received(), c.count * c.size);
    }
  }
}

TEST_F(LoopbackTest, StopsTheWriterOfASlowReader) {
  TestServer server;
  const auto channel = Dial(server);
  constexpr std::size_t kCount = 150;
  constexpr std::size_t kSize = 1 << 20;
  const auto call =
      channel->Start(Soon(), kStream, SharedBytes::Own(fmt::format("{} {}", kCount, kSize)));
  ASSERT_TRUE(call->Next().ok());
  // Other calls go on meanwhile.
  for (int i = 0; i < 200; ++i) {
    ASSERT_TRUE(channel->Unary(Soon(), kUnary, SharedBytes::Own("x")).ok());
  }
  // What was written fits into the window, the queues and the sockets' buffers.
  EXPECT_LT(server.streamed.load(), 60u);
  std::size_t rest = 0;
  while (true) {
    const auto message = call->Next();
    ASSERT_TRUE(message.ok()) << message.status();
    if (!*message) break;
    ++rest;
  }
  EXPECT_EQ(rest, kCount - 1);
}

TEST_F(LoopbackTest, CancelReachesTheHandler) {
  TestServer server;
  const auto channel = Dial(server);
  {
    CancelScope scope(Soon());
    const auto call = channel->Start(scope.context(), kBlock, {});
    ASSERT_TRUE(call->Next().ok());
    ASSERT_TRUE(server.block_entered.Wait());
    std::thread canceller([&scope] { scope.Cancel(); });
    const auto end = call->Next();
    EXPECT_EQ(end.status().code(), StatusCode::kCancelled);
    canceller.join();
  }
  EXPECT_TRUE(server.block_left.Wait());
  EXPECT_EQ(server.cancelled.load(), 1);
}

TEST_F(LoopbackTest, DestroyingACallCancelsIt) {
  TestServer server;
  const auto channel = Dial(server);
  auto call = channel->Start(Soon(), kBlock, {});
  ASSERT_TRUE(server.block_entered.Wait());
  call.reset();
  EXPECT_TRUE(server.block_left.Wait());
  EXPECT_EQ(server.cancelled.load(), 1);
}

TEST_F(LoopbackTest, DeadlineEndsBothSides) {
  TestServer server;
  const auto channel = Dial(server);
  const auto call =
      channel->Start(Context::Background().WithTimeout(milliseconds(200)), kBlock, {});
  ASSERT_TRUE(call->Next().ok());
  const auto end = call->Next();
  EXPECT_EQ(end.status().code(), StatusCode::kDeadlineExceeded);
  EXPECT_TRUE(server.block_left.Wait());
}

TEST_F(LoopbackTest, ReportsWhatCannotBeReached) {
  std::string address;
  {
    address = TestServer().address();
  }
  Channel channel(runtime_, {.address = address});
  const auto answer = channel.Unary(Soon(), kUnary, {});
  EXPECT_EQ(answer.status().code(), StatusCode::kUnavailable);
  EXPECT_THAT(std::string(answer.status().message()), HasSubstr("onnection refused"));
  Channel nameless(runtime_, {.address = "name.invalid:1"});
  EXPECT_EQ(nameless.Unary(Soon(), kUnary, {}).status().code(), StatusCode::kUnavailable);
  Channel portless(runtime_, {.address = "127.0.0.1"});
  EXPECT_FALSE(portless.Unary(Soon(), kUnary, {}).ok());
}

TEST_F(LoopbackTest, LosesItsCallsWithTheServer) {
  auto server = std::make_unique<TestServer>();
  const auto channel = Dial(*server);
  const auto call = channel->Start(Soon(), kBlock, {});
  ASSERT_TRUE(call->Next().ok());
  server.reset();
  EXPECT_EQ(call->Next().status().code(), StatusCode::kUnavailable);
}

TEST_F(LoopbackTest, ManyThreadsShareAChannel) {
  TestServer server;
  const auto channel = Dial(server, Compression::kSnappy);
  std::atomic<int> failures = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 100; ++i) {
        const std::string text = fmt::format("{} {}", t, i);
        const auto answer = channel->Unary(Soon(), kUnary, SharedBytes::Own(text));
        if (!answer.ok() || answer->view != text) ++failures;
        const auto call = channel->Start(Soon(), kStream, SharedBytes::Own("20 3000"));
        const auto count = Drain(*call, 3000);
        if (!count.ok() || *count != 20) ++failures;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(failures.load(), 0);
}

}  // namespace
}  // namespace aevum::net::grpc
