#include "net/tracing/jaeger.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <mutex>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "net/http/server.h"

namespace aevum::net {
namespace {

using ::testing::HasSubstr;

const TraceResource kResource{.service_name = "query", .attributes = {{"region", "eu"}}};

FinishedSpan ExampleSpan() {
  FinishedSpan span;
  span.trace_id = {1, 2};
  span.span_id = 3;
  span.parent_id = 4;
  span.name = "op";
  span.start_ns = 5'000;
  span.end_ns = 7'000;
  span.attributes = {{"n", std::int64_t{-1}}, {"d", 1.0}, {"b", true}};
  return span;
}

std::string ToHex(std::string_view bytes) {
  std::string hex;
  for (const char c : bytes) hex += fmt::format("{:02x}", static_cast<unsigned char>(c));
  return hex;
}

Context Soon() { return Context::Background().WithTimeout(std::chrono::seconds(30)); }

// Written down by hand after jaeger.thrift and the specifications of Thrift.
TEST(JaegerTest, WritesTheBinaryProtocol) {
  ThriftWriter writer(ThriftProtocol::kBinary);
  const FinishedSpan span = ExampleSpan();
  writer.BeginStruct();
  WriteJaegerBatch(kResource, std::span(&span, 1), &writer);
  writer.EndStruct();
  const std::string expected =
      "0c0001"  // Batch.process
      "0b0001"
      "00000005"
      "7175657279"  // serviceName "query"
      "0f0002"
      "0c"
      "00000001"  // tags: one
      "0b0001"
      "00000006"
      "726567696f6e"
      "080002"
      "00000000"
      "0b0003"
      "00000002"
      "6575"
      "00"
      "00"  // end of the process
      "0f0002"
      "0c"
      "00000001"  // Batch.spans: one
      "0a0001"
      "0000000000000002"  // traceIdLow
      "0a0002"
      "0000000000000001"  // traceIdHigh
      "0a0003"
      "0000000000000003"  // spanId
      "0a0004"
      "0000000000000004"  // parentSpanId
      "0b0005"
      "00000002"
      "6f70"  // operationName
      "080007"
      "00000001"  // flags
      "0a0008"
      "0000000000000005"  // startTime, microseconds
      "0a0009"
      "0000000000000002"  // duration
      "0f000a"
      "0c"
      "00000003"  // tags: three
      "0b0001"
      "00000001"
      "6e"
      "080002"
      "00000003"
      "0a0006"
      "ffffffffffffffff"
      "00"
      "0b0001"
      "00000001"
      "64"
      "080002"
      "00000001"
      "040004"
      "3ff0000000000000"
      "00"
      "0b0001"
      "00000001"
      "62"
      "080002"
      "00000002"
      "020005"
      "01"
      "00"
      "00"   // end of the span
      "00";  // end of the batch
  EXPECT_EQ(ToHex(writer.bytes()), expected);
}

TEST(JaegerTest, WritesTheCompactProtocol) {
  ThriftWriter writer(ThriftProtocol::kCompact);
  const FinishedSpan span = ExampleSpan();
  writer.OneWayCall("emitBatch");
  writer.BeginStruct();
  writer.BeginStruct(1);
  WriteJaegerBatch(kResource, std::span(&span, 1), &writer);
  writer.EndStruct();
  writer.EndStruct();
  const std::string expected =
      "82"
      "81"
      "00"
      "09"
      "656d69744261746368"  // a call without answer: emitBatch
      "1c"                  // its argument
      "1c"                  // Batch.process
      "18"
      "05"
      "7175657279"  // serviceName
      "19"
      "1c"  // tags: one
      "18"
      "06"
      "726567696f6e"
      "15"
      "00"
      "18"
      "02"
      "6575"
      "00"
      "00"
      "19"
      "1c"  // Batch.spans: one
      "16"
      "04"
      "16"
      "02"
      "16"
      "06"
      "16"
      "08"  // ids, zigzag
      "18"
      "02"
      "6f70"
      "25"
      "02"  // flags
      "16"
      "0a"
      "16"
      "04"  // times
      "19"
      "3c"  // tags: three
      "18"
      "01"
      "6e"
      "15"
      "06"
      "46"
      "01"
      "00"
      "18"
      "01"
      "64"
      "15"
      "02"
      "27"
      "000000000000f03f"
      "00"
      "18"
      "01"
      "62"
      "15"
      "04"
      "31"
      "00"
      "00"
      "00"
      "00";
  EXPECT_EQ(ToHex(writer.bytes()), expected);
}

TEST(JaegerTest, WritesLongListsAndDistantFields) {
  ThriftWriter writer(ThriftProtocol::kCompact);
  writer.BeginStruct();
  writer.BeginStructs(1, 15);
  for (int i = 0; i < 15; ++i) {
    writer.BeginStruct();
    writer.EndStruct();
  }
  writer.I64(100, -300);
  writer.Bool(101, false);
  writer.EndStruct();
  EXPECT_EQ(ToHex(writer.bytes()), "19fc0f" + std::string(30, '0') + "06c801d704" + "12" + "00");
}

TEST(JaegerTest, TellsFailuresAndKindsByTags) {
  FinishedSpan span = ExampleSpan();
  span.kind = SpanKind::kServer;
  span.failed = true;
  span.error = "gone\xff";
  ThriftWriter writer(ThriftProtocol::kBinary);
  writer.BeginStruct();
  WriteJaegerBatch(kResource, std::span(&span, 1), &writer);
  writer.EndStruct();
  EXPECT_THAT(writer.bytes(), HasSubstr("span.kind"));
  EXPECT_THAT(writer.bytes(), HasSubstr("server"));
  EXPECT_THAT(writer.bytes(), HasSubstr("otel.status_code"));
  EXPECT_THAT(writer.bytes(), HasSubstr("gone\xef\xbf\xbd"));
}

TEST(JaegerTest, SendsToACollector) {
  std::mutex mutex;
  HttpRequest received;
  HttpServer server({.address = "127.0.0.1:0"}, Logger(), nullptr);
  server.Handle("POST", "/api/traces", "traces",
                [&](const Context&, const HttpRequest& request, HttpResponse& response) {
                  const std::lock_guard lock(mutex);
                  received = request;
                  response.SetStatus(202);
                });
  ASSERT_TRUE(server.Start().ok());
  JaegerHttpOptions options;
  options.url = fmt::format("http://127.0.0.1:{}/api/traces", server.port());
  options.client.basic_auth_username = "user";
  options.client.basic_auth_password = "password";
  const auto exporter = MakeJaegerHttpExporter(kResource, options);
  const auto refused = exporter->Export(Soon(), {ExampleSpan()});
  ASSERT_TRUE(refused.ok()) << refused.status();
  EXPECT_EQ(*refused, 0U);
  server.Stop(std::chrono::milliseconds(0));
  ThriftWriter writer(ThriftProtocol::kBinary);
  const FinishedSpan span = ExampleSpan();
  writer.BeginStruct();
  WriteJaegerBatch(kResource, std::span(&span, 1), &writer);
  writer.EndStruct();
  EXPECT_EQ(received.body, writer.bytes());
  EXPECT_EQ(received.Header("Content-Type"), "application/x-thrift");
  EXPECT_EQ(received.Header("Authorization"), "Basic dXNlcjpwYXNzd29yZA==");
  EXPECT_EQ(exporter->Export(Soon(), {ExampleSpan()}).status().code(), StatusCode::kUnavailable);
}

// A socket that takes datagrams on loopback.
class Agent {
 public:
  Agent() : socket_(::socket(AF_INET, SOCK_DGRAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::bind(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    socklen_t size = sizeof address;
    EXPECT_EQ(::getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size), 0);
    port_ = ntohs(address.sin_port);
  }
  ~Agent() { ::close(socket_); }
  Agent(const Agent&) = delete;
  Agent& operator=(const Agent&) = delete;

  std::uint16_t port() const { return port_; }
  // "" when none comes in time.
  std::string Receive() const {
    pollfd poll{.fd = socket_, .events = POLLIN, .revents = 0};
    if (::poll(&poll, 1, 30'000) != 1) return "";
    std::string bytes(1 << 16, '\0');
    const ssize_t size = ::recv(socket_, bytes.data(), bytes.size(), 0);
    bytes.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
    return bytes;
  }

 private:
  int socket_;
  std::uint16_t port_ = 0;
};

TEST(JaegerTest, SendsToAnAgentAsManyDatagramsAsItNeeds) {
  const Agent agent;
  const auto exporter = MakeJaegerAgentExporter(kResource, "127.0.0.1", agent.port());
  FinishedSpan large = ExampleSpan();
  large.attributes = {{"text", std::string(25'000, 'x')}};
  FinishedSpan too_large = ExampleSpan();
  too_large.attributes = {{"text", std::string(70'000, 'x')}};
  const auto refused = exporter->Export(Soon(), {large, large, large, too_large, ExampleSpan()});
  ASSERT_TRUE(refused.ok()) << refused.status();
  EXPECT_EQ(*refused, 1U);
  EXPECT_GT(agent.Receive().size(), 50'000U);
  EXPECT_GT(agent.Receive().size(), 25'000U);
  EXPECT_THAT(agent.Receive(), HasSubstr("emitBatch"));
}

}  // namespace
}  // namespace aevum::net
