#include <atomic>

#include <gmock/gmock.h>
#include <unistd.h>

#include "net/http/client.h"
#include "objstore/config/factory.h"
#include "objstore/signing/swift_auth.h"
#include "objstore/testing/acceptance.h"
#include "objstore/testing/object_server.h"

namespace aevum::objstore {
namespace {

using ::testing::HasSubstr;

// One server for all tests of the program.
const StatusOr<std::unique_ptr<ObjectServer>>& Server() {
  static const StatusOr<std::unique_ptr<ObjectServer>> server = ObjectServer::Start();
  return server;
}

std::string LoginUrl() { return "http://" + (*Server())->address() + "/auth/v1.0"; }

Status MakeContainer(const std::string& name) {
  net::HttpClient http({});
  SwiftLogin login;
  login.url = LoginUrl();
  login.username = ObjectServer::kUser;
  login.password = ObjectServer::kKey;
  ASSIGN_OR_RETURN(const Session session, LogIn(Context::Background(), http, login));
  net::HttpClientRequest request;
  request.method = "PUT";
  request.url = session.url + "/" + name;
  request.headers = {{"X-Auth-Token", session.token}};
  ASSIGN_OR_RETURN(const net::HttpClientResponse response, http.Do(Context::Background(), request));
  return response.status < 300 ? OkStatus() : Internal("container: {}", response.status);
}

StatusOr<std::shared_ptr<Bucket>> Open(const std::string& key, const std::string& more) {
  RETURN_IF_ERROR(Server().status());
  static std::atomic<int> number = 0;
  const std::string name = fmt::format("aevum-{}-{}", ::getpid(), ++number);
  RETURN_IF_ERROR(MakeContainer(name));
  RETURN_IF_ERROR(MakeContainer(name + "-segments"));
  ProviderEnvironment environment;
  environment.list_page = 10;
  ASSIGN_OR_RETURN(
      std::unique_ptr<Bucket> bucket,
      OpenBucket(fmt::format("type: Swift\nconfig:\n  container_name: {}\n  auth_url: {}\n"
                             "  username: {}\n  password: {}\n  large_object_chunk_size: 6000000\n"
                             "{}",
                             name, LoginUrl(), ObjectServer::kUser, key,
                             fmt::format(fmt::runtime(more), name)),
                 environment));
  return std::shared_ptr<Bucket>(std::move(bucket));
}

ProviderUnderTest WithSettings(const std::string& more) {
  return {[more] { return Open(ObjectServer::kKey, more); }, [more] { return Open("wrong", more); },
          ProviderUnderTest::Conditions::kIfAbsent};
}

INSTANTIATE_TEST_SUITE_P(SwiftStatic, AcceptanceTest, ::testing::Values(WithSettings("")));
INSTANTIATE_TEST_SUITE_P(
    SwiftDynamic, AcceptanceTest,
    ::testing::Values(WithSettings("  use_dynamic_large_objects: true\n"
                                   "  large_object_segments_container_name: {}-segments\n")));

// The requests and answers of the documentation of the identity service, shortened.
TEST(SwiftLoginTest, SaysWhoLogsIn) {
  SwiftLogin login;
  login.url = "https://identity/v3";
  login.username = "alice";
  login.password = "secret";
  login.user_domain_name = "Default";
  login.project_name = "metrics";
  login.domain_id = "d1";
  EXPECT_EQ(SwiftLoginBody(login),
            R"({"auth":{"identity":{"methods":["password"],"password":{"user":{"domain":)"
            R"({"id":"d1"},"name":"alice","password":"secret"}}},"scope":{"project":{"domain":)"
            R"({"id":"d1"},"name":"metrics"}}}})");
  login.application_credential_id = "ac";
  login.application_credential_secret = "s";
  EXPECT_EQ(SwiftLoginBody(login),
            R"({"auth":{"identity":{"application_credential":{"id":"ac","secret":"s"},)"
            R"("methods":["application_credential"]}}})");
  SwiftLogin old;
  old.url = "https://identity/v2.0";
  old.username = "alice";
  old.password = "secret";
  old.project_name = "metrics";
  EXPECT_EQ(SwiftLoginBody(old),
            R"({"auth":{"passwordCredentials":{"password":"secret","username":"alice"},)"
            R"("tenantName":"metrics"}})");
}

TEST(SwiftLoginTest, FindsTheStoreInTheCatalog) {
  const char* catalog = R"({"token": {"expires_at": "2015-11-07T02:58:43.578887Z", "catalog": [
      {"type": "compute", "endpoints": [{"interface": "public", "region": "a", "url": "http://c"}]},
      {"type": "object-store", "endpoints": [
        {"interface": "admin", "region": "b", "url": "http://admin"},
        {"interface": "public", "region": "a", "url": "http://a/v1"},
        {"interface": "public", "region": "b", "url": "http://b/v1"}]}]}})";
  const StatusOr<Session> session = ReadSwiftCatalog(catalog, "b", "token");
  ASSERT_TRUE(session.ok()) << session.status();
  EXPECT_EQ(session->url, "http://b/v1");
  EXPECT_EQ(session->token, "token");
  EXPECT_EQ(session->expires_ms, 1'446'865'123'578);
  EXPECT_EQ(ReadSwiftCatalog(catalog, "", "token")->url, "http://a/v1");
  EXPECT_THAT(std::string(ReadSwiftCatalog(catalog, "c", "token").status().message()),
              HasSubstr("no object store in region 'c'"));
  const StatusOr<Session> old = ReadSwiftCatalog(
      R"({"access": {"token": {"id": "t2", "expires": "2014-01-31T15:30:58Z"}, "serviceCatalog": [
        {"type": "object-store", "endpoints": [{"region": "r", "publicURL": "http://s/v1"}]}]}})",
      "", "");
  ASSERT_TRUE(old.ok()) << old.status();
  EXPECT_EQ(old->token, "t2");
  EXPECT_EQ(old->url, "http://s/v1");
}

TEST(SwiftLoginTest, RefusesAnswersThatAreNone) {
  for (const char* answer : {"", "[]", "{}", R"({"token": 1})", R"({"token": {}})",
                             R"({"access": {}})", R"({"token": {"catalog": [1, {"type": 2}]}})"}) {
    SCOPED_TRACE(answer);
    EXPECT_EQ(ReadSwiftCatalog(answer, "", "t").status().code(), StatusCode::kInternal);
    EXPECT_EQ(ReadSwiftCatalog(answer, "", "").status().code(), StatusCode::kInternal);
  }
}

}  // namespace
}  // namespace aevum::objstore
