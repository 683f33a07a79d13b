#include "net/api/routes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <prometheus/registry.h>

#include "net/api/answer.h"
#include "net/api/status.h"
#include "net/http/test_client.h"

namespace aevum::net {
namespace {

using ::testing::HasSubstr;

class ApiRoutesTest : public ::testing::Test {
 protected:
  ~ApiRoutesTest() override {
    if (server_) server_->Stop(std::chrono::milliseconds(0));
  }

  void Start(ApiRoutesOptions options) {
    HttpServerOptions http;
    http.address = "127.0.0.1:0";
    http.handler_threads = 2;
    server_ = std::make_unique<HttpServer>(http, Logger(), registry_);
    ApiRoutes routes(*server_, std::move(options), Logger());
    routes.Add("GET", "/api/v1/good", "good",
               [](const Context&, const HttpRequest& request, HttpResponse& response) {
                 JsonWriter writer(SinkOf(response));
                 BeginAnswer(writer);
                 writer.String(request.Param("x"));
                 WriteWarnings(writer, {"w"});
                 return EndAnswer(writer);
               });
    routes.Add("POST", "/api/v1/bad", "bad",
               [](const Context&, const HttpRequest& request, HttpResponse&) -> Status {
                 if (request.HasParam("ours")) return Internal("our fault");
                 return InvalidArgument("not <good>");
               });
    AddStatusRoutes(
        routes, {.flags = {{"a", "1"}, {"objstore.config", "secret"}, {"objstore.config-file", ""}},
                 .version = "9.9",
                 .revision = "abc",
                 .started_ms = 1'700'000'000'000});
    routes.AddOptions("/api/v1/{path...}");
    ASSERT_TRUE(server_->Start().ok());
  }
  TestAnswer Do(const std::string& method, const std::string& target) {
    TestClient client(server_->port());
    return client.Do(method + " " + target + " HTTP/1.1\r\nHost: h\r\n\r\n");
  }

 private:
  const std::shared_ptr<prometheus::Registry> registry_ = std::make_shared<prometheus::Registry>();
  std::unique_ptr<HttpServer> server_;
};

TEST_F(ApiRoutesTest, AnswersInTheEnvelope) {
  Start({});
  const TestAnswer good = Do("GET", "/api/v1/good?x=y");
  EXPECT_EQ(good.status, 200);
  EXPECT_EQ(good.body, R"({"status":"success","data":"y","warnings":["w"]})");
  EXPECT_EQ(good.Header("Content-Type"), "application/json");
  EXPECT_EQ(good.Header("Cache-Control"), "");
  EXPECT_EQ(good.Header("Access-Control-Allow-Origin"), "*");

  const TestAnswer bad = Do("POST", "/api/v1/bad");
  EXPECT_EQ(bad.status, 400);
  EXPECT_EQ(bad.body,
            R"({"status":"error","errorType":"bad_data","error":"not \u003cgood\u003e"})");
  EXPECT_EQ(bad.Header("Cache-Control"), "no-store");
  EXPECT_EQ(bad.Header("Access-Control-Allow-Methods"), "GET, POST, OPTIONS");
  EXPECT_EQ(Do("POST", "/api/v1/bad?ours=1").status, 500);
}

TEST_F(ApiRoutesTest, AsksNobodyElseWhereCorsIsOff) {
  Start({.disable_cors = true});
  EXPECT_EQ(Do("GET", "/api/v1/good").Header("Access-Control-Allow-Origin"), "");
  const TestAnswer options = Do("OPTIONS", "/api/v1/anything/at/all");
  EXPECT_EQ(options.status, 204);
  EXPECT_EQ(options.Header("Access-Control-Allow-Origin"), "");
}

TEST_F(ApiRoutesTest, StandsBelowItsPrefix) {
  Start({.prefix = {.route = "/p"}});
  EXPECT_EQ(Do("GET", "/p/api/v1/good").status, 200);
  EXPECT_EQ(Do("GET", "/api/v1/good").status, 404);
  EXPECT_EQ(Do("OPTIONS", "/p/api/v1/x").status, 204);
}

TEST_F(ApiRoutesTest, TellsOfItselfWithoutSecrets) {
  Start({});
  EXPECT_EQ(Do("GET", "/api/v1/status/buildinfo").body,
            R"({"status":"success","data":{"version":"9.9","revision":"abc","branch":"",)"
            R"("buildUser":"","buildDate":"","goVersion":""}})");
  EXPECT_EQ(Do("GET", "/api/v1/status/flags").body,
            R"({"status":"success","data":{"a":"1","objstore.config":"\u003cREDACTED\u003e",)"
            R"("objstore.config-file":""}})");
  EXPECT_THAT(Do("GET", "/api/v1/status/runtimeinfo").body,
              HasSubstr(R"("startTime":"2023-11-14T22:13:20Z")"));
}

}  // namespace
}  // namespace aevum::net
