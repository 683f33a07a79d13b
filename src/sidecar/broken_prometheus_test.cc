// What the client and the heartbeat make of servers that are no Prometheus, or a broken one.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <prometheus/registry.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>

#include <condition_variable>
#include <filesystem>
#include <mutex>

#include "base/files.h"
#include "sidecar/heartbeat.h"
#include "sidecar/prometheus_client.h"
#include "sidecar/prometheus_store.h"
#include "sidecar/reload_trigger.h"
#include "sidecar/testing/canned_server.h"

extern char** environ;

namespace aevum::sidecar {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class BrokenPrometheusTest : public ::testing::Test {
 protected:
  void SetUp() override {
    server_.SetBody("/api/v1/status/config",
                    R"({"status":"success","data":{"yaml":"global: {external_labels: {a: b}}"}})");
    server_.SetBody("/api/v1/status/buildinfo",
                    R"({"status":"success","data":{"version":"2.42.0"}})");
    server_.SetBody("/metrics", "prometheus_tsdb_lowest_timestamp_seconds 5\n", "text/plain");
    server_.SetBody("/api/v1/labels", R"({"status":"success","data":["__name__"]})");
    client_ = std::make_shared<PrometheusClient>(server_.url(), net::HttpClientOptions());
  }
  void Make(HeartbeatOptions options = {}) {
    heartbeat_.emplace(std::move(options), client_, nullptr, Logger(), registry_);
    store_.emplace(client_, *heartbeat_, registry_);
  }
  StatusOr<bool> ReadOne() {
    wire::SeriesRequest request;
    request.max_time = 10'000;
    request.matchers = {model::Matcher::Equal("__name__", "m")};
    ASSIGN_OR_RETURN(const auto stream, store_->Series(Context::Background(), request));
    wire::SeriesBatch batch;
    return stream->Next(&batch);
  }

  double Up() {
    for (const auto& family : registry_.Collect()) {
      if (family.name == "thanos_sidecar_prometheus_up") return family.metric[0].gauge.value;
    }
    return -1;
  }

  CannedServer server_;
  std::shared_ptr<PrometheusClient> client_;
  prometheus::Registry registry_;
  std::optional<Heartbeat> heartbeat_;
  std::optional<PrometheusStore> store_;
};

TEST_F(BrokenPrometheusTest, NamesTheUrlAndTheFieldOfABrokenAnswer) {
  struct Case {
    std::string name;
    std::string path;
    std::string raw;
    StatusCode code;
    std::string message;
  };
  const auto answer = [](std::string_view head, std::string_view body) {
    return fmt::format("HTTP/1.1 {}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{}", head,
                       body.size(), body);
  };
  const Case cases[] = {
      {"no Prometheus", "/api/v1/status/config", answer("200 OK", "<html>nginx</html>"),
       StatusCode::kUnavailable, "is this a Prometheus?"},
      {"half a JSON", "/api/v1/status/config",
       answer("200 OK", R"({"status":"success","data":{"ya)"), StatusCode::kUnavailable,
       "is not JSON"},
      {"another type", "/api/v1/status/config",
       answer("200 OK", R"({"status":"success","data":{"yaml":5}})"), StatusCode::kUnavailable,
       "data.yaml"},
      {"not found", "/api/v1/status/config", answer("404 Not Found", "404 page not found\n"),
       StatusCode::kNotFound, "status 404: 404 page not found"},
      {"broken YAML", "/api/v1/status/config",
       answer("200 OK", R"({"status":"success","data":{"yaml":"global: {"}})"),
       StatusCode::kUnavailable, "is not YAML"},
      {"dies in the body", "/api/v1/status/config",
       "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{\"status\":", StatusCode::kUnavailable, ""},
      {"dies in the head", "/api/v1/status/config", "HTTP/1.1 200", StatusCode::kUnavailable, ""},
      {"busy", "/metrics", answer("503 Service Unavailable", "starting up"),
       StatusCode::kUnavailable, "starting up"},
      {"forbidden", "/api/v1/status/buildinfo", answer("403 Forbidden", "no"),
       StatusCode::kPermissionDenied, "status 403"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    SetUp();
    server_.SetRaw(c.path, c.raw);
    Make();
    const Status status = heartbeat_->Beat();
    EXPECT_EQ(status.code(), c.code) << status;
    EXPECT_THAT(std::string(status.message()),
                AllOf(HasSubstr(c.message), HasSubstr(server_.url())));
    EXPECT_EQ(heartbeat_->state(), nullptr);
    EXPECT_EQ(ReadOne().status().code(), StatusCode::kUnavailable);
  }
}

TEST_F(BrokenPrometheusTest, EndsAHeartbeatThatGetsNoAnswer) {
  server_.SetRaw("/api/v1/status/config", "");
  HeartbeatOptions options;
  options.timeout = 20ms;
  Make(options);
  EXPECT_EQ(heartbeat_->Beat().code(), StatusCode::kDeadlineExceeded);
}

TEST_F(BrokenPrometheusTest, StopsWhileAHeartbeatGetsNoAnswer) {
  server_.SetRaw("/api/v1/status/config", "");
  Make();
  heartbeat_->Start();
  while (server_.requests().empty()) std::this_thread::yield();
  heartbeat_->Stop();
  EXPECT_EQ(heartbeat_->state(), nullptr);
}

// Waits for a line.
class WaitingSink final : public LogSink {
 public:
  void Write(std::string_view line) override {
    std::lock_guard lock(mutex_);
    text_ += line;
    changed_.notify_all();
  }
  bool WaitFor(std::string_view wanted) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, 20s, [&] { return text_.find(wanted) != std::string::npos; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::string text_;
};

TEST_F(BrokenPrometheusTest, TellsWhenPrometheusIsNotThereInTime) {
  server_.SetRaw("/api/v1/status/config", "HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n");
  HeartbeatOptions options;
  options.interval = 1ms;
  options.ready_timeout = 1ms;
  const auto sink = std::make_shared<WaitingSink>();
  heartbeat_.emplace(options, client_, nullptr, Logger(sink, LogLevel::kError, LogFormat::kLogfmt),
                     registry_);
  heartbeat_->Start();
  EXPECT_TRUE(sink->WaitFor("no external labels of Prometheus within the time to get ready"));
  heartbeat_->Stop();
}

TEST_F(BrokenPrometheusTest, KeepsWhatItKnowsWhenPrometheusGoesAway) {
  Make();
  EXPECT_EQ(Up(), 0);
  ASSERT_TRUE(heartbeat_->Beat().ok());
  EXPECT_EQ(Up(), 1);
  server_.SetRaw("/api/v1/status/config", "HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(heartbeat_->Beat().code(), StatusCode::kInternal);
  EXPECT_EQ(heartbeat_->ready().code(), StatusCode::kInternal);
  EXPECT_EQ(Up(), 0);
  ASSERT_NE(heartbeat_->state(), nullptr);
  EXPECT_EQ(heartbeat_->state()->min_time, 5000);
  EXPECT_FALSE(store_->Info(Context::Background()).ok());
}

TEST_F(BrokenPrometheusTest, WorksWithAPrometheusThatTellsLittle) {
  server_.SetRaw("/api/v1/status/buildinfo", "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
  server_.SetRaw("/api/v1/labels", "HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n");
  server_.SetBody("/metrics", "other 1\n", "text/plain");
  Make();
  const Status status = heartbeat_->Beat();
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_EQ(heartbeat_->state()->version, "0");
  EXPECT_EQ(heartbeat_->state()->min_time, kMinTime);
  EXPECT_TRUE(heartbeat_->state()->MayHaveLabel("anything"));
  // Before 2.24 the labels API knows no matchers: the series tell.
  server_.SetBody("/api/v1/series",
                  R"({"status":"success","data":[{"x":"1","y":"2"},{"x":"3"}],"warnings":["w"]})");
  wire::LabelNamesRequest names;
  names.matchers = {model::Matcher::Equal("m", "n")};
  const auto got = store_->LabelNames(Context::Background(), names);
  ASSERT_TRUE(got.ok()) << got.status();
  EXPECT_THAT(got->strings, ElementsAre("a", "x", "y"));
  EXPECT_THAT(got->warnings, ElementsAre("w"));
  wire::LabelValuesRequest values;
  values.label = "x";
  values.matchers = names.matchers;
  EXPECT_THAT(store_->LabelValues(Context::Background(), values)->strings, ElementsAre("1", "3"));
}

TEST_F(BrokenPrometheusTest, NamesWhatIsWrongWithARemoteRead) {
  Make();
  ASSERT_TRUE(heartbeat_->Beat().ok());
  struct Case {
    std::string name;
    std::string raw;
    StatusCode code;
    std::string message;
  };
  const std::string head =
      "HTTP/1.1 200 OK\r\nContent-Type: application/x-streamed-protobuf; "
      "proto=prometheus.ChunkedReadResponse\r\n";
  const Case cases[] = {
      {"refused", "HTTP/1.1 400 Bad Request\r\nContent-Length: 12\r\n\r\nquery is bad",
       StatusCode::kInvalidArgument, "query is bad"},
      {"another type",
       "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 6\r\n\r\n<html>",
       StatusCode::kUnavailable, "text/html"},
      {"no type", "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<html>", StatusCode::kUnavailable,
       "content type"},
      {"dies in the body", head + "Content-Length: 1000\r\n\r\n\x30", StatusCode::kUnavailable, ""},
      {"ends in a frame",
       head + "Content-Length: 3\r\n\r\n\x30"
              "ab",
       StatusCode::kDataLoss, "within a frame"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    server_.SetRaw("/api/v1/read", c.raw);
    const Status status = ReadOne().status();
    EXPECT_EQ(status.code(), c.code) << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr(c.message));
  }
}

TEST_F(BrokenPrometheusTest, RefusesUrlsThatAreNone) {
  EXPECT_TRUE(PrometheusClient::CheckBaseUrl("http://localhost:9090").ok());
  EXPECT_TRUE(PrometheusClient::CheckBaseUrl("https://p.example/prom/").ok());
  for (const std::string_view url : {"", "localhost:9090", "ftp://x", "http://", "http://x/?a=b"}) {
    EXPECT_EQ(PrometheusClient::CheckBaseUrl(url).code(), StatusCode::kInvalidArgument) << url;
  }
}

TEST_F(BrokenPrometheusTest, SaysWhyAReloadFails) {
  server_.SetRaw(
      "/-/reload",
      "HTTP/1.1 403 Forbidden\r\nContent-Length: 28\r\n\r\nLifecycle API is not enabled");
  const Status status = client_->Reload(Context::Background());
  EXPECT_EQ(status.code(), StatusCode::kPermissionDenied);
  EXPECT_THAT(std::string(status.message()), AllOf(HasSubstr("--web.enable-lifecycle"),
                                                   HasSubstr("Lifecycle API is not enabled")));
  EXPECT_THAT(server_.requests(), ElementsAre("POST /-/reload"));
}

TEST_F(BrokenPrometheusTest, SendsSighupToTheNamedProcess) {
  auto proc = TemporaryDirectory::Create();
  ASSERT_TRUE(proc.ok());
  EXPECT_EQ(FindProcess(proc->path(), "prometheus").status().code(), StatusCode::kNotFound);
  char program[] = "/bin/sleep";
  char argument[] = "1000";
  char* arguments[] = {program, argument, nullptr};
  pid_t pid = 0;
  ASSERT_EQ(posix_spawn(&pid, program, nullptr, nullptr, arguments, environ), 0);
  const auto add = [&](const std::string& id, std::string_view comm, std::string_view cmdline) {
    std::filesystem::create_directory(proc->File(id));
    EXPECT_TRUE(WriteFileAtomically(proc->File(id + "/comm"), comm).ok());
    EXPECT_TRUE(WriteFileAtomically(proc->File(id + "/cmdline"), cmdline).ok());
  };
  using namespace std::string_view_literals;
  add("self", "prometheus\n", "");
  add("1", "init\n", "");
  add(std::to_string(pid), "prometheus\n", "/usr/bin/prometheus\0--x\0"sv);
  add("4000000", "prometheus\n", "");
  add("4000001", "prometheus-with\n", "/opt/prometheus-with-a-long-name\0"sv);
  EXPECT_EQ(*FindProcess(proc->path(), "prometheus"), pid);
  EXPECT_EQ(*FindProcess(proc->path(), "prometheus-with-a-long-name"), 4000001);
  EXPECT_FALSE(FindProcess(proc->path(), "prometheus-with-another-name").ok());

  // The reload before had failed; this one is not confirmed either, and then the caller gives up.
  server_.SetBody(
      "/api/v1/status/runtimeinfo",
      R"({"status":"success","data":{"reloadConfigSuccess":true,"lastConfigTime":"2026-01-01T00:00:00Z"}})");
  const ReloadTrigger reload = ReloadBySignal(client_, "prometheus", proc->path());
  const Status status = reload(Context::Background().WithTimeout(300ms));
  EXPECT_EQ(status.code(), StatusCode::kDeadlineExceeded) << status;
  int how = 0;
  ASSERT_EQ(::waitpid(pid, &how, 0), pid);
  EXPECT_TRUE(WIFSIGNALED(how) && WTERMSIG(how) == SIGHUP);
}

}  // namespace
}  // namespace aevum::sidecar
