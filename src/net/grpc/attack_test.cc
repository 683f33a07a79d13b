// What a hostile or broken client may not do to the server.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <list>
#include <thread>

#include "net/grpc/raw_peer.h"
#include "net/grpc/test_server.h"

namespace aevum::net::grpc {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::uint32_t kCalm = 0xb;
constexpr std::string_view kUnary = "/test.Echo/Unary";
constexpr std::string_view kStream = "/test.Echo/Stream";
constexpr std::string_view kBlock = "/test.Echo/Block";

ServerOptions Quick() {
  ServerOptions options;
  options.limits = QuickLimits();
  // On a busy machine a peer that greets at once is not heard at once.
  options.limits.preface_timeout = seconds(20);
  return options;
}

class AttackTest : public ::testing::Test {
 protected:
  // The server still serves others.
  void ExpectAlive(TestServer& server) {
    ClientRuntime runtime(1, nullptr);
    Channel channel(runtime, {.address = server.address()});
    const auto answer = channel.Unary(Context::Background().WithTimeout(seconds(20)), kUnary,
                                      SharedBytes::Own("alive"));
    EXPECT_TRUE(answer.ok()) << answer.status();
  }
  void ExpectGoaway(RawPeer& peer, std::uint32_t code) {
    RawFrame frame;
    std::uint32_t last = ~0u;
    while (peer.ReadUntil(kGoaway, 0, frame)) last = ErrorCode(frame);
    EXPECT_EQ(last, code);
  }
};

TEST_F(AttackTest, RapidResetEndsTheConnection) {
  TestServer server(Quick());
  RawPeer peer(server.server().port());
  peer.Greet();
  std::string flood;
  for (std::uint32_t i = 0; i < 2000; ++i) {
    const std::uint32_t id = 2 * i + 1;
    flood += Frame(kHeaders, kEndHeaders, id, RequestBlock(kBlock)) + Frame(kRst, 0, id, Big32(8));
  }
  peer.Send(flood);
  ExpectGoaway(peer, kCalm);
  ExpectAlive(server);
}

TEST_F(AttackTest, ResetsThatWeAreMadeToSendCountToo) {
  TestServer server(Quick());
  RawPeer peer(server.server().port());
  peer.Greet();
  // A window update that overflows makes the server reset the stream.
  std::string flood;
  for (std::uint32_t i = 0; i < 5000; ++i) {
    const std::uint32_t id = 2 * i + 1;
    flood += Frame(kHeaders, kEndHeaders, id, RequestBlock(kBlock)) +
             Frame(kWindowUpdate, 0, id, Big32(0x7fffffff));
  }
  std::thread writer([&] { peer.Send(flood); });
  std::size_t resets = 0;
  std::uint32_t code = 0;
  for (const RawFrame& frame : peer.ReadAll()) {
    if (frame.type == kRst) ++resets;
    if (frame.type == kGoaway) code = ErrorCode(frame);
  }
  writer.join();
  EXPECT_EQ(code, kCalm);
  EXPECT_LT(resets, 400u);
  ExpectAlive(server);
}

TEST_F(AttackTest, ContinuationFloodEndsTheConnection) {
  TestServer server(Quick());
  for (const std::string& piece : {std::string(), HeaderBlock({{"a", "b"}})}) {
    RawPeer peer(server.server().port());
    peer.Greet();
    peer.Send(Frame(kHeaders, 0, 1, RequestBlock(kUnary)));
    for (int i = 0; i < 1000; ++i) peer.Send(Frame(kContinuation, 0, 1, piece));
    EXPECT_TRUE(peer.EndsWithin(seconds(20)));
  }
  ExpectAlive(server);
}

TEST_F(AttackTest, PingAndSettingsFloodsEndTheConnection) {
  TestServer server(Quick());
  for (const std::string& frame : {Frame(kPing, 0, 0, "12345678"), Frame(kSettings, 0, 0, "")}) {
    RawPeer peer(server.server().port());
    peer.Greet();
    std::string flood;
    for (int i = 0; i < 50'000; ++i) flood += frame;
    peer.Send(flood);
    EXPECT_TRUE(peer.EndsWithin(seconds(20)));
  }
  ExpectAlive(server);
}

TEST_F(AttackTest, HeaderBombIsReset) {
  TestServer server(Quick());
  RawPeer peer(server.server().port());
  peer.Greet();
  // One indexed field of 3,000 bytes, then thousands of references to it in one byte each.
  std::string block = RequestBlock(kUnary);
  block += '\x40';
  block += HeaderBlock({{"bomb", std::string(3000, 'b')}}).substr(1);
  block += std::string(12'000, '\xbe');
  peer.Send(Frame(kHeaders, kEndHeaders, 1, block));
  RawFrame frame;
  EXPECT_TRUE(peer.ReadUntil(kRst, 1, frame));
  // The connection goes on.
  peer.Send(WholeCall(3, kUnary, "x"));
  EXPECT_TRUE(peer.ReadUntil(kData, 3, frame));
}

TEST_F(AttackTest, TooManyStreamsAreRefused) {
  ServerOptions options = Quick();
  options.limits.concurrent_streams = 10;
  options.limits.request_timeout = seconds(60);
  TestServer server(options);
  std::string streams;
  for (std::uint32_t i = 0; i < 12; ++i) {
    streams += Frame(kHeaders, kEndHeaders, 2 * i + 1, RequestBlock(kUnary));
  }
  RawFrame frame;
  {
    // A peer that can't know the limit yet.
    RawPeer peer(server.server().port());
    peer.Greet();
    peer.Send(streams);
    ASSERT_TRUE(peer.ReadUntil(kRst, 21, frame));
    EXPECT_EQ(ErrorCode(frame), 7u);  // REFUSED_STREAM
    EXPECT_TRUE(peer.ReadUntil(kRst, 23, frame));
  }
  RawPeer peer(server.server().port());
  peer.Greet();
  ASSERT_TRUE(peer.ReadUntil(kSettings, 0, frame));
  peer.Send(Frame(kSettings, kAck, 0, "") + streams);
  ExpectGoaway(peer, 1);  // PROTOCOL_ERROR: it knew
}

TEST_F(AttackTest, IdleSocketsAreClosed) {
  ServerOptions options = Quick();
  options.limits.preface_timeout = QuickLimits().preface_timeout;
  TestServer server(options);
  std::list<RawPeer> peers;
  for (int i = 0; i < 100; ++i) peers.emplace_back(server.server().port());
  peers.front().Send("PRI * HT");
  for (RawPeer& peer : peers) EXPECT_TRUE(peer.EndsWithin(seconds(20)));
}

TEST_F(AttackTest, OtherProtocolsAreClosed) {
  TestServer server(Quick());
  RawPeer peer(server.server().port());
  peer.Send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_TRUE(peer.EndsWithin(seconds(20)));
  ExpectAlive(server);
}

TEST_F(AttackTest, ConnectionsAreCounted) {
  ServerOptions options;
  options.max_connections = 3;
  TestServer server(options);
  std::list<RawPeer> peers;
  RawFrame frame;
  for (int i = 0; i < 3; ++i) {
    peers.emplace_back(server.server().port());
    peers.back().Greet();
    EXPECT_TRUE(peers.back().ReadUntil(kSettings, 0, frame));
  }
  RawPeer extra(server.server().port());
  EXPECT_TRUE(extra.EndsWithin(seconds(20)));
  peers.front().Send(WholeCall(1, kUnary, "x"));
  EXPECT_TRUE(peers.front().ReadUntil(kData, 1, frame));
}

TEST_F(AttackTest, RequestsThatNeverEndAreReset) {
  TestServer server(Quick());
  RawPeer peer(server.server().port());
  peer.Greet();
  peer.Send(Frame(kHeaders, kEndHeaders, 1, RequestBlock(kUnary)) +
            Frame(kData, 0, 1, std::string("\0\0\0\0\x09half", 9)));
  RawFrame frame;
  EXPECT_TRUE(peer.ReadUntil(kRst, 1, frame));
}

TEST_F(AttackTest, ZeroWindowIsResetAndHoldsNobodyUp) {
  ServerOptions options = Quick();
  options.handler_threads = 8;
  TestServer server(options);
  RawPeer peer(server.server().port());
  peer.Greet(Setting(4, 0));  // INITIAL_WINDOW_SIZE
  for (std::uint32_t i = 0; i < 12; ++i) {
    peer.Send(WholeCall(2 * i + 1, kStream, "100 1000000"));
  }
  // At most half of the pool serves this peer, so the others go on.
  ClientRuntime runtime(1, nullptr);
  Channel channel(runtime, {.address = server.address()});
  const auto call = channel.Start(Context::Background().WithTimeout(seconds(20)), kStream,
                                  SharedBytes::Own("3 10"));
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(call->Next().ok());
  RawFrame frame;
  int resets = 0;
  while (resets < 4 && peer.ReadFrame(frame)) resets += frame.type == kRst ? 1 : 0;
  EXPECT_EQ(resets, 4);
}

TEST_F(AttackTest, ASocketThatTakesNothingIsClosed) {
  TestServer server(Quick());
  RawPeer peer(server.server().port(), 4096);
  peer.Greet(Setting(4, 0x7fffffff));
  peer.Send(Frame(kWindowUpdate, 0, 0, Big32(0x7fff0000 - 65535)));
  peer.Send(WholeCall(1, kStream, "10000 100000"));
  ASSERT_TRUE(server.block_left.Wait(milliseconds(0)) == false);
  // Nothing is read; the handler is set free all the same.
  const auto until = std::chrono::steady_clock::now() + seconds(10);
  while (MetricValue(*server.registry(), "grpc_server_handled_total",
                     {{"grpc_method", "Stream"}}) == 0) {
    ASSERT_LT(std::chrono::steady_clock::now(), until);
    std::this_thread::yield();
  }
}

TEST_F(AttackTest, AShortStallSurvives) {
  ServerOptions options = Quick();
  options.limits.stream_stall = milliseconds(1500);
  TestServer server(options);
  RawPeer peer(server.server().port());
  peer.Greet(Setting(4, 0));
  RawFrame frame;
  // The connection is older than the stall limit before the call begins.
  ASSERT_TRUE(peer.ReadUntil(kSettings, 0, frame));
  std::this_thread::sleep_for(milliseconds(1600));
  peer.Send(WholeCall(1, kUnary, "x"));
  ASSERT_TRUE(peer.ReadUntil(kHeaders, 1, frame));
  std::this_thread::sleep_for(milliseconds(300));
  peer.Send(Frame(kWindowUpdate, 0, 1, Big32(1000)));
  EXPECT_TRUE(peer.ReadUntil(kData, 1, frame));
}

TEST_F(AttackTest, TooManyPingsEndTheConnection) {
  ServerOptions options = Quick();
  options.limits.request_timeout = seconds(60);
  TestServer server(options);
  RawPeer peer(server.server().port());
  peer.Greet();
  peer.Send(Frame(kHeaders, kEndHeaders, 1, RequestBlock(kUnary)));
  for (int i = 0; i < 4; ++i) peer.Send(Frame(kPing, 0, 0, "12345678"));
  ExpectGoaway(peer, kCalm);
}

TEST_F(AttackTest, PingsBetweenAnswersAreForgiven) {
  TestServer server(Quick());
  RawPeer peer(server.server().port());
  peer.Greet();
  RawFrame frame;
  for (std::uint32_t i = 0; i < 20; ++i) {
    peer.Send(Frame(kPing, 0, 0, "12345678") + WholeCall(2 * i + 1, kUnary, "x"));
    ASSERT_TRUE(peer.ReadUntil(kData, 2 * i + 1, frame)) << i;
  }
}

TEST_F(AttackTest, BytesOfRequestsAreBounded) {
  ServerOptions options;
  options.max_request_bytes_in_flight = 1 << 20;
  TestServer server(options);
  ClientRuntime runtime(1, nullptr);
  Channel channel(runtime, {.address = server.address()});
  const Context context = Context::Background().WithTimeout(seconds(20));
  const auto refused = channel.Unary(context, kUnary, SharedBytes::Own(std::string(2 << 20, 'x')));
  EXPECT_EQ(refused.status().code(), StatusCode::kResourceExhausted) << refused.status();
  // What was charged is given back.
  for (int i = 0; i < 5; ++i) {
    const auto answer = channel.Unary(context, kUnary, SharedBytes::Own(std::string(900'000, 'x')));
    EXPECT_TRUE(answer.ok()) << answer.status();
  }
}

TEST_F(AttackTest, MalformedRequestsAreAnswered) {
  TestServer server(Quick());
  using Fields = std::vector<std::pair<std::string, std::string>>;
  const std::string message("\0\0\0\0\1x", 6);
  struct Case {
    std::string name;
    std::string block;
    std::string data;
    std::string code;
  };
  const auto block = [](const Fields& more) { return RequestBlock(kUnary, more); };
  Fields get = {{":method", "GET"},
                {":scheme", "http"},
                {":path", std::string(kUnary)},
                {":authority", "t"},
                {"content-type", "application/grpc"}};
  Fields json = get;
  json[0].second = "POST";
  json[4].second = "application/json";
  const Case cases[] = {
      {"GET", HeaderBlock(get), message, "13"},
      {"content type", HeaderBlock(json), message, "13"},
      {"encoding", block({{"grpc-encoding", "gzip"}}), message, "12"},
      {"timeout", block({{"grpc-timeout", "123456789S"}}), message, "13"},
      {"no message", block({}), "", "13"},
      {"half a message", block({}), message.substr(0, 5), "13"},
      {"two messages", block({}), message + message, "13"},
      {"flag", block({}), std::string("\2\0\0\0\1x", 6), "13"},
      {"compressed without encoding", block({}), std::string("\1\0\0\0\1x", 6), "13"},
      {"damaged snappy", block({{"grpc-encoding", "snappy"}}), std::string("\1\0\0\0\1x", 6), "13"},
  };
  RawPeer peer(server.server().port());
  peer.Greet();
  std::uint32_t id = 1;
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    peer.Send(Frame(kHeaders, kEndHeaders, id, c.block) + Frame(kData, kEndStream, id, c.data));
    RawFrame frame;
    ASSERT_TRUE(peer.ReadUntil(kHeaders, id, frame));
    EXPECT_EQ(frame.flags & kEndStream, kEndStream);
    EXPECT_EQ(frame.Field(":status"), "200");
    EXPECT_EQ(frame.Field("grpc-status"), c.code) << frame.Field("grpc-message");
    EXPECT_EQ(frame.Field("grpc-accept-encoding"), c.code == "12" ? "snappy,identity" : "");
    id += 2;
  }
  ClientRuntime runtime(1, nullptr);
  Channel channel(runtime, {.address = server.address()});
  const Context context = Context::Background().WithTimeout(seconds(20));
  const auto call =
      channel.Start(context, kUnary, SharedBytes::Own("x"), {{"grpc-encoding", "gzip"}});
  EXPECT_EQ(call->Next().status().code(), StatusCode::kUnimplemented);
}

// A client that does not look at its own deadline must not be told that all is well.
TEST_F(AttackTest, AHandlerThatIsLateHasFailedWhateverItSays) {
  TestServer server(Quick());
  RawPeer peer(server.server().port());
  peer.Greet();
  peer.Send(Frame(kHeaders, kEndHeaders, 1,
                  RequestBlock("/test.Echo/Careless", {{"grpc-timeout", "50m"}})) +
            Frame(kData, kEndStream, 1, std::string("\0\0\0\0\1x", 6)));
  RawFrame frame;
  ASSERT_TRUE(peer.ReadUntil(kHeaders, 1, frame));
  EXPECT_EQ(frame.Field("grpc-status"), "4") << frame.Field("grpc-message");
}

}  // namespace
}  // namespace aevum::net::grpc
