#include "net/http/ops.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <prometheus/registry.h>

#include "net/http/test_client.h"
#include "net/metrics/exposition.h"

namespace aevum::net {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class OpsTest : public ::testing::Test {
 protected:
  OpsTest() : registry_(std::make_shared<prometheus::Registry>()), probe_("query", {}, registry_) {
    HttpServerOptions options;
    options.address = "127.0.0.1:0";
    options.handler_threads = 1;
    server_ = std::make_unique<HttpServer>(options, Logger(), registry_);
    AddOpsRoutes(*server_, probe_, registry_);
    EXPECT_TRUE(server_->Start().ok());
  }
  TestAnswer Do(const std::string& method, const std::string& target,
                const std::string& headers = "") {
    TestClient client(server_->port());
    return client.Do(method + " " + target + " HTTP/1.1\r\nHost: h\r\n" + headers + "\r\n");
  }

  std::shared_ptr<prometheus::Registry> registry_;
  Probe probe_;
  std::unique_ptr<HttpServer> server_;
};

TEST_F(OpsTest, TellsHealthAndReadiness) {
  EXPECT_EQ(Do("GET", "/-/ready").status, 503);
  EXPECT_EQ(Do("GET", "/-/healthy").body, "NOT OK\n");
  probe_.SetHealthy();
  probe_.SetReady();
  for (const char* method : {"GET", "POST", "PUT"}) {
    EXPECT_EQ(Do(method, "/-/ready").status, 200);
    EXPECT_EQ(Do(method, "/-/healthy").body, "OK");
  }
  probe_.SetNotReady("the first label fetch failed");
  EXPECT_EQ(Do("GET", "/-/ready").status, 503);
  EXPECT_EQ(Do("GET", "/-/healthy").status, 200);
  EXPECT_EQ(probe_.not_ready_reason(), "the first label fetch failed");
  EXPECT_THAT(Do("GET", "/metrics").body,
              HasSubstr("thanos_status{check=\"healthy\",component=\"query\"} 1\n"
                        "thanos_status{check=\"ready\",component=\"query\"} 0\n"));
}

TEST_F(OpsTest, HooksFollowReadiness) {
  std::vector<bool> seen;
  probe_.OnReadyChange([&](bool ready) { seen.push_back(ready); });
  probe_.SetReady();
  probe_.SetReady();
  probe_.SetNotReady("a");
  probe_.SetNotReady("b");
  EXPECT_THAT(seen, ElementsAre(false, true, false));
}

TEST_F(OpsTest, ServesMetricsInBothFormats) {
  const TestAnswer text = Do("GET", "/metrics");
  EXPECT_EQ(text.Header("Content-Type"), "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_THAT(text.body, HasSubstr("process_open_fds "));
  const TestAnswer open = Do("GET", "/metrics", "Accept: application/openmetrics-text\r\n");
  EXPECT_THAT(open.Header("Content-Type"), HasSubstr("openmetrics-text; version=1.0.0"));
  EXPECT_TRUE(open.body.ends_with("# EOF\n"));
  EXPECT_EQ(Do("GET", "/metrics", "Accept-Encoding: gzip\r\n").Header("Content-Encoding"), "gzip");
  EXPECT_EQ(Do("POST", "/metrics").status, 405);
}

TEST_F(OpsTest, SaysThatThereAreNoGoProfiles) {
  for (const char* path : {"/debug/pprof/", "/debug/pprof/heap?debug=1", "/debug/fgprof"}) {
    const TestAnswer answer = Do("GET", path);
    EXPECT_EQ(answer.status, 404);
    EXPECT_THAT(answer.body, HasSubstr("no Go profiles"));
  }
}

}  // namespace
}  // namespace aevum::net
