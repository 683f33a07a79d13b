#include "net/http/request_metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <prometheus/registry.h>

#include "net/http/server.h"
#include "net/http/test_client.h"
#include "net/metrics/exposition.h"

namespace aevum::net {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(RequestMetricsTest, CountsARequestUnderTheLabelsOfTheDashboards) {
  auto registry = std::make_shared<prometheus::Registry>();
  RequestMetrics metrics(registry, RequestMetrics::Tenants::kLabelled);
  const RequestFacts facts{"query", "GET", "team", 100};
  metrics.Begin(facts);
  const auto text = [&] { return WriteExposition({registry}, ExpositionFormat::kText); };
  EXPECT_THAT(
      text(),
      HasSubstr("http_inflight_requests{handler=\"query\",method=\"get\",tenant=\"team\"} 1"));
  metrics.End(facts, 200, std::chrono::milliseconds(20), 5000);
  const std::string labels = "{code=\"200\",handler=\"query\",method=\"get\",tenant=\"team\"";
  for (const std::string& line : {
           "http_requests_total" + labels + "} 1\n",
           "http_request_duration_seconds_bucket" + labels + ",le=\"0.01\"} 0\n",
           "http_request_duration_seconds_bucket" + labels + ",le=\"0.1\"} 1\n",
           "http_request_duration_seconds_bucket" + labels + ",le=\"720\"} 1\n",
           "http_request_size_bytes_bucket" + labels + ",le=\"64\"} 0\n",
           "http_request_size_bytes_bucket" + labels + ",le=\"128\"} 1\n",
           "http_response_size_bytes_bucket" + labels + ",le=\"4096\"} 0\n",
           "http_response_size_bytes_bucket" + labels + ",le=\"32768\"} 1\n",
           std::string(
               "http_inflight_requests{handler=\"query\",method=\"get\",tenant=\"team\"} 0\n"),
       }) {
    EXPECT_THAT(text(), HasSubstr(line));
  }
}

TEST(RequestMetricsTest, ClientsCanNotMakeSeriesWithoutEnd) {
  auto registry = std::make_shared<prometheus::Registry>();
  RequestMetrics metrics(registry, RequestMetrics::Tenants::kLabelled);
  for (int i = 0; i < 1500; ++i) {
    const RequestFacts facts{"q", "M" + std::to_string(i), "t" + std::to_string(i), 0};
    metrics.Begin(facts);
    metrics.End(facts, 200, std::chrono::nanoseconds(0), 0);
  }
  const std::string text = WriteExposition({registry}, ExpositionFormat::kText);
  EXPECT_THAT(text, HasSubstr("http_requests_total{code=\"200\",handler=\"q\",method=\"unknown\","
                              "tenant=\"other\"} 500\n"));
  EXPECT_THAT(text, Not(HasSubstr("t1499")));
  EXPECT_THAT(text, Not(HasSubstr("M1")));
}

TEST(RequestMetricsTest, TheServerCounts) {
  auto registry = std::make_shared<prometheus::Registry>();
  HttpServerOptions options;
  options.address = "127.0.0.1:0";
  options.handler_threads = 1;
  options.tenant_header = "THANOS-TENANT";
  options.default_tenant = "default-tenant";
  HttpServer server(options, Logger(), registry);
  const auto handler = [](const Context&, const HttpRequest& request, HttpResponse& response) {
    if (request.HasParam("bad")) response.SetStatus(400);
    response.Write("x");
  };
  server.Handle("GET", "/a", "a", handler);
  server.Handle("GET", "/quiet", "", handler);
  ASSERT_TRUE(server.Start().ok());
  for (const char* target : {"/a", "/a?bad", "/quiet", "/none"}) {
    TestClient client(server.port());
    client.Do(std::string("GET ") + target + " HTTP/1.1\r\nHost: h\r\nthanos-tenant: " +
              (target[1] == 'a' ? "one" : "") + "\r\n\r\n");
  }
  server.Stop(std::chrono::seconds(1));
  const std::string text = WriteExposition({registry}, ExpositionFormat::kText);
  for (const char* code : {"200", "400"}) {
    EXPECT_THAT(text, HasSubstr("http_requests_total{code=\"" + std::string(code) +
                                "\",handler=\"a\",method=\"get\",tenant=\"one\"} 1\n"));
  }
  EXPECT_THAT(text, Not(HasSubstr("handler=\"\"")));
  EXPECT_THAT(text, Not(HasSubstr("404")));
}

}  // namespace
}  // namespace aevum::net
