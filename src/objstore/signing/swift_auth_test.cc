#include "objstore/signing/swift_auth.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace aevum::objstore {
namespace {

using ::testing::HasSubstr;

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
