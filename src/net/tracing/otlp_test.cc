// What goes to a collector, read with the descriptors of the protocol, over real sockets.
#include "net/tracing/otlp.h"

#include <fstream>
#include <mutex>

#include <gmock/gmock.h>
#include <google/protobuf/descriptor.pb.h>
#include <google/protobuf/dynamic_message.h>
#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include "encoding/proto_wire.h"
#include "net/grpc/server.h"
#include "net/http/server.h"
#include "net/http/test_gunzip.h"

namespace aevum::net {
namespace {

using ::testing::HasSubstr;

// The protocol as protoc has read it.
class Descriptors {
 public:
  Descriptors() {
    std::ifstream file(AEVUM_OTLP_DESCRIPTORS, std::ios::binary);
    google::protobuf::FileDescriptorSet set;
    EXPECT_TRUE(set.ParseFromIstream(&file));
    for (const auto& one : set.file()) EXPECT_NE(pool_.BuildFile(one), nullptr);
  }

  // The request as text; a field that the protocol does not have shows as a number.
  std::string ToText(const std::string& bytes) {
    const auto* type = pool_.FindMessageTypeByName("otlp.ExportTraceServiceRequest");
    if (type == nullptr) return "no descriptor";
    const std::unique_ptr<google::protobuf::Message> message(factory_.GetPrototype(type)->New());
    EXPECT_TRUE(message->ParseFromString(bytes));
    std::string text;
    google::protobuf::TextFormat::PrintToString(*message, &text);
    return text;
  }

 private:
  google::protobuf::DescriptorPool pool_;
  google::protobuf::DynamicMessageFactory factory_;
};

const TraceResource kResource{.service_name = "query", .attributes = {{"region", "eu"}}};

FinishedSpan ExampleSpan() {
  FinishedSpan span;
  span.trace_id = {0x0102030405060708, 0x090a0b0c0d0e0f41};
  span.span_id = 0x4142434445464748;
  span.parent_id = 0x5152535455565758;
  span.trace_state = "a=b";
  span.name = "querier_select";
  span.kind = SpanKind::kClient;
  span.start_ns = 1'700'000'000'000'000'001;
  span.end_ns = 1'700'000'000'000'000'999;
  span.attributes = {{"text", "value"},
                     {"empty", ""},
                     {"number", std::int64_t{-7}},
                     {"zero", std::int64_t{0}},
                     {"half", 0.5},
                     {"none", 0.0},
                     {"yes", true},
                     {"no", false},
                     {"bytes", "a\xff z"}};
  span.failed = true;
  span.error = "gone";
  return span;
}

FinishedSpan SmallSpan() {
  FinishedSpan span;
  span.trace_id = {0, 0x41};
  span.span_id = 0x42;
  span.name = "first";
  span.kind = SpanKind::kServer;
  span.start_ns = 1;
  span.end_ns = 2;
  return span;
}

constexpr const char* kExpected = R"(resource_spans {
  resource {
    attributes {
      key: "service.name"
      value {
        string_value: "query"
      }
    }
    attributes {
      key: "region"
      value {
        string_value: "eu"
      }
    }
  }
  scope_spans {
    scope {
      name: "aevum"
    }
    spans {
      trace_id: "\001\002\003\004\005\006\007\010\t\n\013\014\r\016\017A"
      span_id: "ABCDEFGH"
      trace_state: "a=b"
      parent_span_id: "QRSTUVWX"
      name: "querier_select"
      kind: SPAN_KIND_CLIENT
      start_time_unix_nano: 1700000000000000001
      end_time_unix_nano: 1700000000000000999
      attributes {
        key: "text"
        value {
          string_value: "value"
        }
      }
      attributes {
        key: "empty"
        value {
          string_value: ""
        }
      }
      attributes {
        key: "number"
        value {
          int_value: -7
        }
      }
      attributes {
        key: "zero"
        value {
          int_value: 0
        }
      }
      attributes {
        key: "half"
        value {
          double_value: 0.5
        }
      }
      attributes {
        key: "none"
        value {
          double_value: 0
        }
      }
      attributes {
        key: "yes"
        value {
          bool_value: true
        }
      }
      attributes {
        key: "no"
        value {
          bool_value: false
        }
      }
      attributes {
        key: "bytes"
        value {
          string_value: "a\357\277\275 z"
        }
      }
      status {
        message: "gone"
        code: STATUS_CODE_ERROR
      }
    }
    spans {
      trace_id: "\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000A"
      span_id: "\000\000\000\000\000\000\000B"
      name: "first"
      kind: SPAN_KIND_SERVER
      start_time_unix_nano: 1
      end_time_unix_nano: 2
    }
  }
}
)";

// An ExportTraceServiceResponse that refuses `count` spans.
std::string Refusing(std::uint64_t count) {
  std::string partial;
  encoding::PutVarintField(partial, 1, count);
  encoding::PutBytesField(partial, 2, "too old");
  std::string response;
  encoding::PutBytesField(response, 1, partial);
  return response;
}

Context Soon() { return Context::Background().WithTimeout(std::chrono::seconds(30)); }

TEST(OtlpTest, WritesWhatTheProtocolSays) {
  EXPECT_EQ(Descriptors().ToText(EncodeOtlp(kResource, {ExampleSpan(), SmallSpan()})), kExpected);
}

TEST(OtlpTest, ReadsHowManyWereRefused) {
  EXPECT_EQ(*DecodeOtlpRefused(""), 0U);
  EXPECT_EQ(*DecodeOtlpRefused(Refusing(3)), 3U);
  EXPECT_EQ(*DecodeOtlpRefused(Refusing(static_cast<std::uint64_t>(-3))), 0U);
  EXPECT_FALSE(DecodeOtlpRefused("<html>").ok());
}

class OtlpHttpTest : public ::testing::Test {
 protected:
  OtlpHttpTest() : server_({.address = "127.0.0.1:0"}, Logger(), nullptr) {
    server_.Handle("POST", "/v1/traces", "traces",
                   [this](const Context&, const HttpRequest& request, HttpResponse& response) {
                     const std::lock_guard lock(mutex_);
                     request_ = request;
                     response.SetStatus(status_);
                     response.Write(answer_);
                   });
    EXPECT_TRUE(server_.Start().ok());
    options_.url = fmt::format("http://127.0.0.1:{}/v1/traces", server_.port());
    options_.headers = {{"X-Token", "secret"}};
  }
  ~OtlpHttpTest() override { server_.Stop(std::chrono::milliseconds(0)); }

  StatusOr<std::size_t> Export() {
    return MakeOtlpHttpExporter(kResource, options_)->Export(Soon(), {ExampleSpan(), SmallSpan()});
  }
  HttpRequest Request() {
    const std::lock_guard lock(mutex_);
    return request_;
  }
  void Answer(int status, std::string text) {
    const std::lock_guard lock(mutex_);
    status_ = status;
    answer_ = std::move(text);
  }

  HttpServer server_;
  OtlpHttpOptions options_;

 private:
  std::mutex mutex_;
  HttpRequest request_;
  int status_ = 200;
  std::string answer_;
};

TEST_F(OtlpHttpTest, SendsSpans) {
  Answer(200, Refusing(1));
  for (const OtlpCompression compression : {OtlpCompression::kNone, OtlpCompression::kGzip}) {
    const bool gzip = compression == OtlpCompression::kGzip;
    SCOPED_TRACE(gzip);
    options_.compression = compression;
    const StatusOr<std::size_t> refused = Export();
    ASSERT_TRUE(refused.ok()) << refused.status();
    EXPECT_EQ(*refused, 1U);
    const HttpRequest request = Request();
    EXPECT_EQ(request.Header("Content-Type"), "application/x-protobuf");
    EXPECT_EQ(request.Header("Content-Encoding"), gzip ? "gzip" : "");
    EXPECT_EQ(request.Header("X-Token"), "secret");
    EXPECT_EQ(request.Header("traceparent"), "");
    EXPECT_EQ(Descriptors().ToText(gzip ? TestGunzip(request.body) : request.body), kExpected);
  }
}

TEST_F(OtlpHttpTest, TellsWhatMayPassFromWhatCanNot) {
  for (const int status : {429, 502, 503, 504}) {
    SCOPED_TRACE(status);
    Answer(status, "later");
    EXPECT_EQ(Export().status().code(), StatusCode::kUnavailable);
  }
  Answer(400, "bad span");
  const Status refused = Export().status();
  EXPECT_EQ(refused.code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(refused.message()), HasSubstr("answered with status 400: bad span"));
  Answer(200, "<html>");
  EXPECT_EQ(Export().status().code(), StatusCode::kDataLoss);
  server_.Stop(std::chrono::milliseconds(0));
  EXPECT_EQ(Export().status().code(), StatusCode::kUnavailable);
}

TEST(OtlpGrpcTest, SendsSpans) {
  std::mutex mutex;
  std::string body;
  std::string token;
  Status answer;
  grpc::Server server({.address = "127.0.0.1:0"}, Logger(), nullptr);
  server.Register("/opentelemetry.proto.collector.trace.v1.TraceService/Export",
                  grpc::Server::Kind::kUnary, [&](grpc::ServerCall& call) {
                    const std::lock_guard lock(mutex);
                    body = call.request().view;
                    token = call.Metadata("x-token");
                    if (answer.ok()) call.Write(SharedBytes::Own(Refusing(2)));
                    return answer;
                  });
  ASSERT_TRUE(server.Start().ok());
  OtlpGrpcOptions options;
  options.channel.address = fmt::format("127.0.0.1:{}", server.port());
  options.headers = {{"x-token", "secret"}};
  const auto exporter = MakeOtlpGrpcExporter(kResource, options);
  const StatusOr<std::size_t> refused = exporter->Export(Soon(), {ExampleSpan(), SmallSpan()});
  ASSERT_TRUE(refused.ok()) << refused.status();
  EXPECT_EQ(*refused, 2U);
  {
    const std::lock_guard lock(mutex);
    EXPECT_EQ(token, "secret");
    EXPECT_EQ(Descriptors().ToText(body), kExpected);
    answer = InvalidArgument("bad span");
  }
  const Status failed = exporter->Export(Soon(), {SmallSpan()}).status();
  EXPECT_EQ(failed.code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(failed.message()), HasSubstr(options.channel.address));
  server.Stop(std::chrono::milliseconds(0));
}

}  // namespace
}  // namespace aevum::net
