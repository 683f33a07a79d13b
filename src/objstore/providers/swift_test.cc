#include <atomic>

#include "net/http/client.h"
#include "objstore/config/factory.h"
#include "objstore/signing/swift_auth.h"
#include "objstore/testing/acceptance.h"
#include "objstore/testing/object_server.h"

namespace aevum::objstore {
namespace {

std::string LoginUrl() { return "http://" + (*ObjectServer::Shared())->address() + "/auth/v1.0"; }

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
  RETURN_IF_ERROR(ObjectServer::Shared().status());
  static std::atomic<int> number = 0;
  const std::string name = fmt::format("swift-{}", ++number);
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

}  // namespace
}  // namespace aevum::objstore
