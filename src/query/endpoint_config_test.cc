#include "query/endpoint_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace aevum::query {
namespace {

using net::grpc::Compression;
using ::testing::HasSubstr;

TEST(EndpointConfigTest, InheritsUnlessSaidOutright) {
  ClientConfig flags;
  flags.tls.enabled = true;
  flags.tls.ca_file = "flag-ca";
  const auto endpoints = ParseEndpointConfig(R"(
unknown: 1
default_client_config: {server_name: common}
endpoints:
- address: a:1
- address: b:1
  strict: true
  client_config: {tls_config: {ca_file: own-ca}, compression: snappy}
- address: dns+c:1
  client_config: {tls_config: {enabled: false}}
- {address: d:1, group: true}
)",
                                             flags);
  ASSERT_TRUE(endpoints.ok()) << endpoints.status();
  ASSERT_EQ(endpoints->size(), 4U);
  EXPECT_EQ((*endpoints)[0].client.tls.ca_file, "flag-ca");
  EXPECT_EQ((*endpoints)[0].client.tls.server_name, "common");
  EXPECT_TRUE((*endpoints)[1].strict);
  EXPECT_EQ((*endpoints)[1].client.tls.ca_file, "own-ca");
  EXPECT_EQ((*endpoints)[1].client.compression, Compression::kSnappy);
  EXPECT_FALSE((*endpoints)[2].client.tls.enabled);
  EXPECT_EQ((*endpoints)[2].client.tls.ca_file, "");
  EXPECT_TRUE((*endpoints)[3].group);
}

TEST(EndpointConfigTest, AFileTurnsTlsOn) {
  const auto endpoints = ParseEndpointConfig(
      "endpoints: [{address: 'a:1', client_config: {tls_config: {ca_file: x}}}]", {});
  ASSERT_TRUE(endpoints.ok());
  EXPECT_TRUE((*endpoints)[0].client.tls.enabled);
}

TEST(EndpointConfigTest, NamesWhatIsWrong) {
  struct Case {
    std::string yaml;
    std::string message;
  };
  const Case cases[] = {{"[", "endpoint.sd-config"},
                        {"- a", "not a mapping"},
                        {"endpoints: 1", "endpoints: not a list"},
                        {"endpoints: [{}]", "without an address"},
                        {"endpoints: [{address: nowhere}]", "needs host:port"},
                        {"endpoints: [{address: 'dns+a:1', strict: true}]", "must be an address"},
                        {"endpoints: [{address: 'a:1', client_config: {compression: zip}}]",
                         "must be none or snappy"}};
  for (const Case& c : cases) {
    SCOPED_TRACE(c.yaml);
    const Status status = ParseEndpointConfig(c.yaml, {}).status();
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(status.message()), HasSubstr(c.message));
  }
  EXPECT_TRUE(ParseEndpointConfig("", {})->empty());
}

}  // namespace
}  // namespace aevum::query
