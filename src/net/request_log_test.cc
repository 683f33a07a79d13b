#include "net/request_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace aevum::net {
namespace {

using ::testing::HasSubstr;

class MemorySink final : public LogSink {
 public:
  void Write(std::string_view line) override { text += line; }
  std::string text;
};

class RequestLogTest : public ::testing::Test {
 protected:
  // What the configuration logs of a GET that ends with `status` and a gRPC call that ends with
  // `grpc`.
  std::string Logged(std::string_view yaml, int status, const Status& grpc) {
    const auto sink = std::make_shared<MemorySink>();
    const auto log = RequestLog::Parse(yaml, Logger(sink, LogLevel::kError, LogFormat::kLogfmt));
    EXPECT_TRUE(log.ok()) << log.status();
    const RequestLog::HttpCall http{
        .method = "GET", .target = "/a?b", .path = "/a", .handler = "q", .port = 80};
    (*log)->HttpStarted(http);
    (*log)->HttpFinished(http, status, std::chrono::microseconds(1500));
    const RequestLog::GrpcCall call{.path = "/thanos.Store/Series", .type = "server_stream"};
    (*log)->GrpcStarted(call);
    (*log)->GrpcFinished(call, grpc, std::chrono::microseconds(1500));
    return sink->text;
  }
};

TEST_F(RequestLogTest, LogsNothingUnlessAsked) {
  EXPECT_EQ(Logged("", 500, Internal("x")), "");
  EXPECT_EQ(Logged("options: {level: ERROR}", 500, Internal("x")), "");
}

TEST_F(RequestLogTest, LogsWhatTheLevelLetsThrough) {
  const std::string errors = "options: {level: ERROR, decision: {log_start: true, log_end: true}}";
  EXPECT_EQ(Logged(errors, 200, OkStatus()), "");
  const std::string failed = Logged(errors, 500, Internal("boom"));
  EXPECT_THAT(failed, HasSubstr("http.status_code=500 http.time_ms=1.500"));
  EXPECT_THAT(failed, HasSubstr("grpc.code=Internal grpc.error=boom"));
  const std::string all = Logged(
      "options: {level: DEBUG, decision: {log_start: true, log_end: true}}", 200, OkStatus());
  EXPECT_THAT(all, HasSubstr("msg=\"started call\" protocol=http"));
  EXPECT_THAT(all, HasSubstr("msg=\"finished call\" protocol=grpc"));
}

TEST_F(RequestLogTest, ObservesEachProtocolsOwnBlock) {
  const std::string yaml =
      "http: {options: {level: DEBUG, decision: {log_end: true}}, config: [{path: /a, port: 80}]}\n"
      "grpc: {options: {level: DEBUG, decision: {log_end: true}}, config: [{service: thanos.Store, "
      "method: LabelNames}]}\n";
  const std::string text = Logged(yaml, 200, OkStatus());
  EXPECT_THAT(text, HasSubstr("protocol=http"));
  EXPECT_THAT(text, ::testing::Not(HasSubstr("protocol=grpc")));
}

TEST_F(RequestLogTest, NamesTheFieldThatIsWrong) {
  struct Case {
    std::string yaml;
    std::string message;
  };
  const Case cases[] = {
      {"option: {}", "line 1: field option is not known"},
      {"options: {level: info}", "options.level: must be"},
      {"options: {decision: {log_end: true}}", "options.level: must be"},
      {"options: {level: INFO, decision: {log_start: true}}", "log_start without log_end"},
      {"http: {config: [{path: /}]}", "http.config: needs path and port"},
      {"- a", "not a mapping"},
      {"{", "request logging"}};
  for (const Case& c : cases) {
    SCOPED_TRACE(c.yaml);
    EXPECT_THAT(std::string(RequestLog::Parse(c.yaml, Logger()).status().message()),
                HasSubstr(c.message));
  }
}

}  // namespace
}  // namespace aevum::net
