#include "query/endpoint_config.h"

#include <fmt/core.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace aevum::query {
namespace {

using net::grpc::Compression;
using ::testing::HasSubstr;

// What is left of a client's TLS, as "on ca=x name=y"; only what is not the default.
std::string TextOf(const ClientConfig& client) {
  const net::grpc::ClientTls& tls = client.tls;
  std::string text = tls.enabled ? "on" : "off";
  if (tls.insecure_skip_verify) text += " unchecked";
  for (const auto& [name, value] :
       {std::pair("cert", tls.cert_file), std::pair("key", tls.key_file),
        std::pair("ca", tls.ca_file), std::pair("name", tls.server_name)})
    if (!value.empty()) text += fmt::format(" {}={}", name, value);
  if (tls.min_version != "1.3") text += " min=" + tls.min_version;
  if (client.compression == Compression::kSnappy) text += " snappy";
  return text;
}

TEST(EndpointConfigTest, ReplacesFlagsAndInheritsUnlessSaidOutright) {
  ClientConfig flags;
  flags.tls = {.enabled = true,
               .cert_file = "f.crt",
               .key_file = "f.key",
               .ca_file = "f.ca",
               .server_name = "flag",
               .min_version = "1.2"};
  flags.compression = Compression::kSnappy;
  const std::string of_flags = "on cert=f.crt key=f.key ca=f.ca name=flag min=1.2 snappy";
  struct Case {
    std::string common;  // default_client_config
    std::string own;     // client_config
    std::string client;
  };
  const Case cases[] = {
      {"{}", "{}", of_flags},
      {"{tls_config: {}}", "{}", of_flags},
      {"{compression: none}", "{}", of_flags},
      // Once the file speaks of TLS, nothing of the flags' TLS is left.
      {"{server_name: x}", "{}", "off name=x snappy"},
      {"{tls_config: {ca_file: d.ca}}", "{}", "on ca=d.ca snappy"},
      {"{tls_config: {min_version: '1.1'}}", "{}", "off min=1.1 snappy"},
      {"{tls_config: {enabled: true}}", "{}", "on snappy"},
      {"{tls_config: {enabled: false}, server_name: x}", "{}", "off name=x snappy"},
      {"{tls_config: {insecure_skip_verify: true}}", "{}", "on unchecked snappy"},
      {"{tls_config: {insecure_skip_verify: false}}", "{}", "off snappy"},
      // An endpoint inherits field by field, but for the name.
      {"{}", "{tls_config: {ca_file: o.ca}}", "on cert=f.crt key=f.key ca=o.ca min=1.2 snappy"},
      {"{tls_config: {ca_file: d.ca}, server_name: x}", "{tls_config: {cert_file: o, key_file: o}}",
       "on cert=o key=o ca=d.ca snappy"},
      {"{tls_config: {ca_file: d.ca}}", "{server_name: y, compression: none}", "on ca=d.ca name=y"},
      {"{server_name: x}", "{compression: none}", "off name=x"},
      {"{tls_config: {enabled: false}}", "{tls_config: {key_file: o}}", "on key=o snappy"},
      {"{tls_config: {enabled: false}}", "{tls_config: {key_file: ''}}", "off snappy"},
      // Said outright, nothing is inherited.
      {"{}", "{tls_config: {enabled: true}}", "on snappy"},
      {"{}", "{tls_config: {enabled: false, ca_file: o.ca}}", "off ca=o.ca snappy"},
      {"{}", "{tls_config: {enabled: true}, server_name: y}", "on name=y snappy"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.common + " " + c.own);
    const auto endpoints = ParseEndpointConfig(
        fmt::format("unknown: 1\ndefault_client_config: {}\nendpoints: [{{address: 'a:1', strict: "
                    "true, client_config: {}}}, {{address: 'dns+a:1', group: true}}]",
                    c.common, c.own),
        flags);
    ASSERT_TRUE(endpoints.ok()) << endpoints.status();
    ASSERT_EQ(endpoints->size(), 2U);
    EXPECT_EQ(TextOf((*endpoints)[0].client), c.client);
    // What a DNS name stands for has the default client, whatever its own one.
    EXPECT_EQ(TextOf((*endpoints)[0].common), TextOf((*endpoints)[1].client));
    EXPECT_TRUE((*endpoints)[0].strict);
    EXPECT_TRUE((*endpoints)[1].group);
  }
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
                         "endpoint \"a:1\": compression: must be none or snappy"},
                        {"endpoints: [{address: 'a:1', client_config: {tls_config: 1}}]",
                         "endpoint \"a:1\": tls_config: not a mapping"},
                        {"default_client_config: [x]", "default_client_config: "}};
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
