// Spans of servers and clients, and their way between processes, over real sockets.
#include <mutex>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <prometheus/registry.h>

#include "net/grpc/client.h"
#include "net/grpc/server.h"
#include "net/http/client.h"
#include "net/http/server.h"
#include "net/http/test_client.h"
#include "net/request_log.h"
#include "net/tracing/tracer.h"

namespace aevum::net {
namespace {

using std::chrono::seconds;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;
using ::testing::Pair;
using ::testing::SizeIs;

constexpr const char* kTraceId = "0af7651916cd43dd8448eb211c80319c";
constexpr const char* kSampled = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
constexpr const char* kUnsampled = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00";

class Kept final : public LogSink {
 public:
  void Write(std::string_view line) override {
    const std::lock_guard lock(mutex_);
    lines_ += line;
  }
  std::string lines() {
    const std::lock_guard lock(mutex_);
    return lines_;
  }

 private:
  std::mutex mutex_;
  std::string lines_;
};

// Keeps the spans of one tracer until its end.
class KeepingExporter final : public SpanExporter {
 public:
  explicit KeepingExporter(std::vector<FinishedSpan>* spans) : spans_(spans) {}
  StatusOr<std::size_t> Export(const Context&, const std::vector<FinishedSpan>& spans) override {
    spans_->insert(spans_->end(), spans.begin(), spans.end());
    return std::size_t{0};
  }

 private:
  std::vector<FinishedSpan>* const spans_;
};

// A front over HTTP that asks two backs, one over gRPC and one over HTTP, each with its tracer.
class SpansTest : public ::testing::Test {
 protected:
  SpansTest() {
    front_tracer_->Start();
    back_tracer_->Start();
    const auto log =
        RequestLog::Parse("options: {level: DEBUG, decision: {log_start: true, log_end: true}}",
                          Logger(log_, LogLevel::kDebug, LogFormat::kLogfmt));
    EXPECT_TRUE(log.ok());
    StartBacks(*log);
    HttpServerOptions options;
    options.address = "127.0.0.1:0";
    options.tracer = front_tracer_;
    options.request_log = *log;
    front_ = std::make_unique<HttpServer>(options, Logger(), nullptr);
    front_->Handle("GET", "/ask", "ask",
                   [this](const Context& context, const HttpRequest&, HttpResponse& response) {
                     Ask(context, response);
                   });
    front_->Handle("GET", "/failing", "failing",
                   [](const Context&, const HttpRequest&, HttpResponse&) { throw 1; });
    front_->Handle("GET", "/unnamed", "",
                   [](const Context& context, const HttpRequest&, HttpResponse& response) {
                     response.Write(context.trace() == nullptr ? "none" : "traced");
                   });
    EXPECT_TRUE(front_->Start().ok());
  }

  ~SpansTest() override { Stop(); }

  void StartBacks(const std::shared_ptr<const RequestLog>& log) {
    grpc::ServerOptions grpc_options;
    grpc_options.address = "127.0.0.1:0";
    grpc_options.tracer = back_tracer_;
    grpc_options.request_log = log;
    grpc_back_ = std::make_unique<grpc::Server>(grpc_options, Logger(), nullptr);
    grpc_back_->Register("/test.Back/Good", grpc::Server::Kind::kUnary, [](grpc::ServerCall& call) {
      const Span inner(call.context(), "inner");
      call.Write(SharedBytes::Own("good"));
      return OkStatus();
    });
    grpc_back_->Register("/test.Back/Bad", grpc::Server::Kind::kUnary,
                         [](grpc::ServerCall&) { return InvalidArgument("bad"); });
    EXPECT_TRUE(grpc_back_->Start().ok());
    channel_ = std::make_unique<grpc::Channel>(
        runtime_, grpc::ChannelOptions{.address = fmt::format("127.0.0.1:{}", grpc_back_->port())});
    http_back_ = std::make_unique<HttpServer>(HttpServerOptions{.address = "127.0.0.1:0"}, Logger(),
                                              nullptr);
    http_back_->Handle("GET", "/back", "back",
                       [](const Context&, const HttpRequest& request, HttpResponse& response) {
                         response.SetStatus(404);
                         response.Write(request.Header("traceparent"));
                       });
    EXPECT_TRUE(http_back_->Start().ok());
  }

  void Ask(const Context& context, HttpResponse& response) {
    const Context bounded = context.WithTimeout(seconds(30));
    EXPECT_TRUE(channel_->Unary(bounded, "/test.Back/Good", SharedBytes::Own("")).ok());
    EXPECT_FALSE(channel_->Unary(bounded, "/test.Back/Bad", SharedBytes::Own("")).ok());
    HttpClientRequest request;
    request.url = fmt::format("http://user:secret@127.0.0.1:{}/back", http_back_->port());
    request.span_name = "/back HTTP[client]";
    const auto named = client_.Do(bounded, request);
    request.span_name = "";
    const auto unnamed = client_.Do(bounded, request);
    EXPECT_TRUE(named.ok() && unnamed.ok());
    if (named.ok() && unnamed.ok()) response.Write(named->body + "|" + unnamed->body);
  }

  TestAnswer Get(const std::string& path, const std::string& headers = "") {
    TestClient client(front_->port());
    return client.Do("GET " + path + " HTTP/1.1\r\nHost: h\r\n" + headers + "\r\n");
  }

  // After it all spans are there.
  void Stop() {
    if (stopped_) return;
    stopped_ = true;
    front_->Stop(seconds(30));
    http_back_->Stop(seconds(30));
    grpc_back_->Stop(seconds(30));
    front_tracer_->Stop(seconds(30));
    back_tracer_->Stop(seconds(30));
  }

  static const FinishedSpan* Find(const std::vector<FinishedSpan>& spans, std::string_view name) {
    for (const FinishedSpan& span : spans)
      if (span.name == name) return &span;
    ADD_FAILURE() << "no span " << name;
    static const FinishedSpan none;
    return &none;
  }

  std::vector<FinishedSpan> front_spans_;
  std::vector<FinishedSpan> back_spans_;
  std::shared_ptr<Kept> log_ = std::make_shared<Kept>();
  std::shared_ptr<Tracer> front_tracer_ =
      std::make_shared<Tracer>(TracerOptions(), std::make_unique<KeepingExporter>(&front_spans_),
                               Logger(), std::make_shared<prometheus::Registry>());
  std::shared_ptr<Tracer> back_tracer_ =
      std::make_shared<Tracer>(TracerOptions(), std::make_unique<KeepingExporter>(&back_spans_),
                               Logger(), std::make_shared<prometheus::Registry>());
  grpc::ClientRuntime runtime_{1, std::make_shared<prometheus::Registry>()};
  HttpClient client_{HttpClientOptions()};
  std::unique_ptr<grpc::Channel> channel_;
  std::unique_ptr<grpc::Server> grpc_back_;
  std::unique_ptr<HttpServer> http_back_;
  std::unique_ptr<HttpServer> front_;
  bool stopped_ = false;
};

TEST_F(SpansTest, MakeOneTraceOfAllProcesses) {
  const TestAnswer answer = Get("/ask", fmt::format("traceparent: {}\r\nX-Request-ID: r1\r\n"
                                                    "tracestate: a=b\r\n",
                                                    kSampled));
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.Header("X-Thanos-Trace-Id"), kTraceId);
  Stop();
  ASSERT_THAT(front_spans_, SizeIs(4));
  ASSERT_THAT(back_spans_, SizeIs(3));
  const FinishedSpan& first = *Find(front_spans_, "/ask HTTP[server]");
  const FinishedSpan& good = *Find(front_spans_, "/test.Back/Good");
  const FinishedSpan& bad = *Find(front_spans_, "/test.Back/Bad");
  const FinishedSpan& http = *Find(front_spans_, "/back HTTP[client]");
  const FinishedSpan& served = *Find(back_spans_, "/test.Back/Good");
  const FinishedSpan& inner = *Find(back_spans_, "inner");
  const FinishedSpan& refused = *Find(back_spans_, "/test.Back/Bad");
  EXPECT_EQ(first.parent_id, 0xb7ad6b7169203331U);
  EXPECT_EQ(good.parent_id, first.span_id);
  EXPECT_EQ(http.parent_id, first.span_id);
  EXPECT_EQ(served.parent_id, good.span_id);
  EXPECT_EQ(inner.parent_id, served.span_id);
  EXPECT_EQ(refused.parent_id, bad.span_id);
  for (const auto* spans : {&front_spans_, &back_spans_}) {
    for (const FinishedSpan& span : *spans) {
      EXPECT_EQ(ToHex(span.trace_id), kTraceId);
      EXPECT_EQ(span.trace_state, "a=b");
    }
  }
  EXPECT_EQ(first.kind, SpanKind::kServer);
  EXPECT_EQ(good.kind, SpanKind::kClient);
  EXPECT_EQ(served.kind, SpanKind::kServer);
  EXPECT_FALSE(first.failed);
  EXPECT_TRUE(bad.failed);
  EXPECT_EQ(bad.error, "bad");
  EXPECT_TRUE(refused.failed);
  EXPECT_TRUE(http.failed);
  EXPECT_THAT(first.attributes,
              Contains(Pair("http.status_code", AttributeValue(std::int64_t{200}))));
  EXPECT_THAT(first.attributes, Contains(Pair("request_id", AttributeValue("r1"))));
  EXPECT_THAT(good.attributes, Contains(Pair("target", AttributeValue(channel_->address()))));
  EXPECT_THAT(http.attributes,
              Contains(Pair("http.status_code", AttributeValue(std::int64_t{404}))));
  EXPECT_THAT(http.attributes,
              Contains(Pair("http.url", AttributeValue(fmt::format("http://127.0.0.1:{}/back",
                                                                   http_back_->port())))));
  // A call with a span tells that, one without the span that it belongs to.
  EXPECT_EQ(answer.body, fmt::format("00-{0}-{1}-01|00-{0}-{2}-01", kTraceId, ToHex(http.span_id),
                                     ToHex(first.span_id)));
  EXPECT_THAT(log_->lines(), HasSubstr(fmt::format("traceID={}", kTraceId)));
  EXPECT_THAT(log_->lines(), HasSubstr("protocol=grpc"));
}

TEST_F(SpansTest, PassOnThatATraceIsNotSampled) {
  const TestAnswer answer = Get("/ask", fmt::format("traceparent: {}\r\n", kUnsampled));
  EXPECT_EQ(answer.Header("X-Thanos-Trace-Id"), "");
  const std::string unsampled = fmt::format("00-{}-[0-9a-f]{{16}}-00", kTraceId);
  EXPECT_THAT(answer.body, MatchesRegex(fmt::format("{0}\\|{0}", unsampled)));
  Stop();
  EXPECT_THAT(front_spans_, SizeIs(0));
  EXPECT_THAT(back_spans_, SizeIs(0));
  EXPECT_THAT(log_->lines(), Not(HasSubstr("traceID")));
}

TEST_F(SpansTest, AreForcedByAHeader) {
  const TestAnswer answer =
      Get("/ask", fmt::format("traceparent: {}\r\nX-Thanos-Force-Tracing: 1\r\n", kUnsampled));
  EXPECT_EQ(answer.Header("X-Thanos-Trace-Id"), kTraceId);
  Stop();
  EXPECT_THAT(front_spans_, SizeIs(4));
  EXPECT_THAT(back_spans_, SizeIs(3));
  EXPECT_THAT(Find(front_spans_, "/ask HTTP[server]")->attributes,
              Contains(Pair("thanos.force_tracing", AttributeValue("true"))));
}

TEST_F(SpansTest, ShowHandlersThatFail) {
  EXPECT_EQ(Get("/failing").status, 500);
  EXPECT_EQ(Get("/unnamed").body, "none");
  Stop();
  ASSERT_THAT(front_spans_, SizeIs(1));
  EXPECT_TRUE(front_spans_[0].failed);
  EXPECT_EQ(front_spans_[0].parent_id, 0U);
  EXPECT_TRUE(front_spans_[0].trace_id.valid());
}

TEST_F(SpansTest, NeverFailARequest) {
  for (const char* header :
       {"traceparent: x\r\n", "traceparent: 00-0-0-0\r\nuber-trace-id: 1:2\r\n",
        "uber-trace-id: %zz\r\n", "traceparent: \xff\xff\r\n"}) {
    EXPECT_EQ(Get("/ask", header).status, 200) << header;
  }
}

}  // namespace
}  // namespace aevum::net
