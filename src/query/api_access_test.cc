// Who may ask what, and who reads the answers: tenants, refused queries, browsers, prefixes, other
// Prometheus servers.
#include <fmt/core.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/files.h"
#include "query/testing/api_fixture.h"

namespace aevum::query {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST(TenantOfTest, TakesTheCertificateOrTheHeadersOrTheDefault) {
  net::HttpRequest request;
  TenancyOptions options;
  const auto tenant = [&] {
    const StatusOr<model::TenantName> found = TenantOf(options, request);
    return found.ok() ? found->value() : std::string(found.status().message());
  };
  EXPECT_EQ(tenant(), "default-tenant");
  request.headers = {{"Thanos-Tenant", "a"}};
  EXPECT_EQ(tenant(), "a");
  options.header = "X-Team";
  EXPECT_EQ(tenant(), "a");
  request.headers.emplace_back("x-team", "b");
  EXPECT_EQ(tenant(), "b");
  // With a certificate the headers say nothing.
  for (const char* field : {"organization", "organizationalUnit", "commonName"}) {
    options.certificate_field = field;
    EXPECT_EQ(tenant(),
              fmt::format("could not get required certificate field {} from client cert", field));
  }
  request.tls_organization = "org";
  request.tls_organizational_unit = "../unit";
  request.tls_common_name = "name";
  EXPECT_EQ(tenant(), "name");
  options.certificate_field = "organization";
  EXPECT_EQ(tenant(), "org");
  options.certificate_field = "organizationalUnit";
  EXPECT_THAT(tenant(), StartsWith("tenant name not valid: '/' at byte 2"));
  // Without a default a request has to name one.
  options = {.default_tenant = ""};
  request.headers.clear();
  EXPECT_THAT(tenant(), StartsWith("tenant name not valid: it is empty"));
}

class ApiAccessTest : public ApiTest {};

TEST_F(ApiAccessTest, ATenantSeesItsOwnSeries) {
  options_.api.tenancy.enforce = true;
  options_.api.tenancy.label = "job";
  Start();
  const auto count = [&](const std::string& tenant) {
    return json::parse(Get("/api/v1/query",
                           {{"query", "count(up)"}, {"time", "30"}, {"dedup", "false"}}, "GET",
                           {{"THANOS-TENANT", tenant}})
                           .body)["data"]["result"];
  };
  EXPECT_EQ(count("x")[0]["value"][1], "2");
  EXPECT_EQ(count("y")[0]["value"][1], "1");
  EXPECT_EQ(count("z").size(), 0U);
  const auto values = Get("/api/v1/label/job/values", {}, "GET", {{"THANOS-TENANT", "y"}});
  EXPECT_EQ(json::parse(values.body)["data"], json::parse(R"(["y"])"));
  for (const char* name : {"a/b", "..", "a\\b"}) {
    const auto refused = Get("/api/v1/labels", {}, "GET", {{"THANOS-TENANT", name}});
    EXPECT_EQ(refused.status, 400) << name;
    EXPECT_THAT(refused.body, HasSubstr("tenant name not valid: "));
  }
}

// As injected matchers are in the reference: they stand in place of what the query says of the
// label.
TEST_F(ApiAccessTest, ATenantCanNotAskForSeriesOfAnother) {
  options_.api.tenancy.enforce = true;
  options_.api.tenancy.label = "job";
  Start();
  const Params as_y = {{"THANOS-TENANT", "y"}};
  for (const char* query :
       {"up{job=\"x\"}", "up{job!=\"y\"}", "up{job=~\".*\"}", "up{job=\"x\"} or up", "{job=\"x\"}",
        "up{job=\"x\"} and up", "last_over_time(up{job=\"x\"}[5s])"}) {
    SCOPED_TRACE(query);
    const auto answer = Get("/api/v1/query", {{"query", query}, {"time", "30"}}, "GET", as_y);
    const json result = json::parse(answer.body)["data"]["result"];
    ASSERT_EQ(result.size(), 1U) << answer.body;
    EXPECT_EQ(result[0]["metric"]["job"], "y");
  }
  const auto series = Get("/api/v1/series", {{"match[]", "up{job=\"x\"}"}}, "GET", as_y);
  ASSERT_EQ(json::parse(series.body)["data"].size(), 1U);
  EXPECT_EQ(json::parse(series.body)["data"][0]["job"], "y");
  EXPECT_EQ(
      json::parse(
          Get("/api/v1/label/job/values", {{"match[]", "{job=\"x\"}"}}, "GET", as_y).body)["data"],
      json::parse(R"(["y"])"));
}

TEST_F(ApiAccessTest, RefusedQueriesAreAnsweredWithTheReason) {
  const auto directory = TemporaryDirectory::Create();
  ASSERT_TRUE(directory.ok());
  const std::string path = directory->File("refused.yaml");
  ASSERT_TRUE(WriteFileAtomically(path, "- {matchers: '{job=\"x\"}', reason: ask for y}").ok());
  auto refused = RefusedQueriesFile::Open(path, {}, Logger(), *metrics_);
  ASSERT_TRUE(refused.ok()) << refused.status();
  options_.api.refused_queries = *std::move(refused);
  Start();
  const Params range = {
      {"query", "sum(up{job=\"x\"})"}, {"start", "10"}, {"end", "12"}, {"step", "1"}};
  for (const char* endpoint : {"/api/v1/query", "/api/v1/query_range"}) {
    const net::HttpClientResponse answer = Get(endpoint, range);
    EXPECT_EQ(answer.status, 422);
    EXPECT_EQ(json::parse(answer.body),
              json::parse(R"({"status":"error","errorType":"execution",)"
                          R"("error":"the query is refused here: ask for y"})"));
  }
  EXPECT_EQ(Get("/federate", {{"match[]", "up"}, {"match[]", "up{job=\"x\"}"}}).status, 422);
  EXPECT_EQ(Get("/federate", {{"match[]", "up"}}).status, 200);
  EXPECT_EQ(Get("/api/v1/query", {{"query", "sum(up{job=\"y\"})"}}).status, 200);
  EXPECT_EQ(Get("/api/v1/query", {{"query", "up +"}}).status, 400);
}

TEST_F(ApiAccessTest, AnswersBrowsers) {
  Start();
  const auto allows = [](const net::HttpClientResponse& answer) {
    EXPECT_EQ(answer.Header("Access-Control-Allow-Origin"), "*");
    EXPECT_EQ(answer.Header("Access-Control-Allow-Methods"), "GET, POST, OPTIONS");
    EXPECT_EQ(answer.Header("Access-Control-Allow-Headers"),
              "Accept, Accept-Encoding, Authorization, Content-Type, Origin");
    EXPECT_EQ(answer.Header("Access-Control-Expose-Headers"), "Date");
  };
  const net::HttpClientResponse answer = Get("/api/v1/labels");
  allows(answer);
  EXPECT_EQ(answer.Header("Content-Type"), "application/json");
  allows(Get("/api/v1/query", {{"query", "up +"}}));  // scripts read errors, too
  allows(Get("/federate", {{"match[]", "up"}}));
  for (const char* path :
       {"/api/v1/query", "/api/v1/query_range", "/api/v1/series", "/api/v1/labels",
        "/api/v1/label/a/values", "/api/v1/stores", "/api/v1/status/flags", "/federate"}) {
    SCOPED_TRACE(path);
    const net::HttpClientResponse asked = Get(path, {}, "OPTIONS");
    EXPECT_EQ(asked.status, 204);
    allows(asked);
  }
  EXPECT_EQ(Get("/api/v1/series", {}, "DELETE").status, 405);
  EXPECT_EQ(Get("/api/v1/nothing").status, 404);
  EXPECT_EQ(Get("/api/v1/nothing", {}, "OPTIONS").status, 204);
}

TEST_F(ApiAccessTest, ServesUnderAPrefixWithoutCors) {
  options_.api.prefix.route = "/metrics-view";
  options_.api.disable_cors = true;
  Start();
  for (const char* method : {"GET", "OPTIONS"}) {
    const net::HttpClientResponse answer = Get("/metrics-view/api/v1/labels", {}, method);
    EXPECT_EQ(answer.status, method == std::string("GET") ? 200 : 204);
    for (const char* name : {"Allow-Origin", "Allow-Methods", "Allow-Headers", "Expose-Headers"})
      EXPECT_EQ(answer.Header(std::string("Access-Control-") + name), "") << name;
  }
  EXPECT_EQ(Get("/metrics-view/federate", {{"match[]", "up"}}).status, 200);
  EXPECT_EQ(Get("/federate", {{"match[]", "up"}}).status, 404);
  EXPECT_EQ(Get("/api/v1/labels").status, 404);
}

class FederateTest : public ApiTest {
 protected:
  FederateTest() { clock_ = std::make_unique<FakeClock>(90'250); }

  net::HttpClientResponse Federate(Params params, const std::string& accept = "",
                                   const std::string& tenant = "") {
    Params headers;
    if (!accept.empty()) headers.emplace_back("Accept", accept);
    if (!tenant.empty()) headers.emplace_back("THANOS-TENANT", tenant);
    return Get("/federate", params, "GET", std::move(headers));
  }
};

TEST_F(FederateTest, GivesTheNewestSamplesDeduplicated) {
  Start();
  const net::HttpClientResponse text = Federate({{"match[]", "up"}, {"match[]", "{job=\"x\"}"}});
  EXPECT_EQ(text.status, 200);
  EXPECT_EQ(text.Header("Content-Type"), "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_EQ(text.body,
            "# TYPE up untyped\n"
            "up{cluster=\"a\",job=\"x\",instance=\"\"} 1 60000\n"
            "up{cluster=\"a\",job=\"y\",instance=\"\"} 1 60000\n");
  const net::HttpClientResponse open = Federate(
      {{"match[]", "up{job=\"y\"}"}},
      "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1");
  EXPECT_THAT(open.Header("Content-Type"), StartsWith("application/openmetrics-text"));
  EXPECT_EQ(open.body,
            "# TYPE up unknown\n"
            "up{cluster=\"a\",job=\"y\",instance=\"\"} 1.0 60.000\n"
            "# EOF\n");
  const auto lines = [&](const Params& params) {
    const std::string body = Federate(params).body;
    return std::count(body.begin(), body.end(), '\n');
  };
  EXPECT_EQ(lines({{"match[]", "up"}, {"dedup", "false"}}), 4);
  EXPECT_EQ(lines({{"match[]", "up"}, {"replicaLabels[]", "job"}}), 3);
  EXPECT_EQ(lines({{"match[]", "up"}, {"storeMatch[]", R"({__address__="other:1"})"}}), 0);
  EXPECT_EQ(lines({{"match[]", "nothing"}}), 0);
  const net::HttpClientResponse cut = Federate({{"match[]", "up"}, {"limit", "1"}});
  EXPECT_THAT(cut.body, HasSubstr("job=\"x\""));
  EXPECT_THAT(cut.body, ::testing::Not(HasSubstr("job=\"y\"")));
  EXPECT_EQ(cut.Header("Warning"), "199 aevum \"results truncated due to limit\"");
  clock_->Set(60'000 + 5 * 60'000);  // the lookback: its first millisecond is not looked at
  EXPECT_EQ(lines({{"match[]", "up"}}), 0);
  clock_->Set(60'000 + 5 * 60'000 - 1);
  EXPECT_EQ(lines({{"match[]", "up"}}), 3);
}

TEST_F(FederateTest, RefusesWhatIsNoSelector) {
  Start();
  EXPECT_EQ(Federate({}).status, 400);
  EXPECT_THAT(Federate({}).body, HasSubstr("no match[] parameter provided: give a selector"));
  EXPECT_EQ(Federate({{"match[]", "{}"}}).status, 400);
  EXPECT_EQ(Federate({{"match[]", "rate(up[5m])"}}).status, 400);
  EXPECT_EQ(Federate({{"match[]", "up"}, {"dedup", "perhaps"}}).status, 400);
}

TEST_F(FederateTest, ATenantIsGivenItsOwnSeries) {
  options_.api.tenancy.enforce = true;
  options_.api.tenancy.label = "job";
  Start();
  EXPECT_EQ(Federate({{"match[]", "up{job=\"x\"}"}}, "", "y").body,
            "# TYPE up untyped\nup{cluster=\"a\",job=\"y\",instance=\"\"} 1 60000\n");
  EXPECT_EQ(Federate({{"match[]", "up"}}, "", "z").body, "");
  EXPECT_EQ(Federate({{"match[]", "up"}}, "", "../y").status, 400);
}

TEST_F(FederateTest, AStoreThatFailsIsAWarningOrAnError) {
  Start();
  store_.store().fail_after = 1;
  store_.store().stream_error = Unavailable("the disk is gone");
  const net::HttpClientResponse partial = Federate({{"match[]", "up"}});
  EXPECT_EQ(partial.status, 200);
  EXPECT_EQ(partial.Header("Cache-Control"), "no-store");
  EXPECT_THAT(partial.Header("Warning"), HasSubstr("the disk is gone"));
  EXPECT_THAT(partial.body, HasSubstr("job=\"x\""));
  const net::HttpClientResponse abort =
      Federate({{"match[]", "up"}, {"partial_response", "false"}});
  EXPECT_EQ(abort.status, 422);
  EXPECT_THAT(abort.body, HasSubstr("the disk is gone"));
}

TEST_F(FederateTest, KeepsToItsMemory) {
  options_.api.query_memory_bytes = 100;
  Start();
  const net::HttpClientResponse answer = Federate({{"match[]", "up"}});
  EXPECT_EQ(answer.status, 422);
  EXPECT_THAT(answer.body, HasSubstr("query memory budget of 100 bytes is used up"));
}

TEST_F(FederateTest, KeepsToItsTime) {
  options_.api.defaults.timeout = std::chrono::milliseconds(50);
  Start();
  store_.store().fail_after = 0;
  store_.store().hangs = true;
  EXPECT_EQ(Federate({{"match[]", "up"}}).status, 503);
}

}  // namespace
}  // namespace aevum::query
