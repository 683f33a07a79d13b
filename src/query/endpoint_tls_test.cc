// Endpoints whose TLS the endpoint configuration sets, behind real TLS servers on loopback.
#include <fmt/core.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "net/tls/test_certificates.h"
#include "query/testing/endpoint_fixture.h"

namespace aevum::query {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using testing::StoreServer;

class EndpointTlsTest : public EndpointSetTest {
 protected:
  EndpointTlsTest() {
    WriteFile("ca.pem", authority_.cert_pem());
    WriteFile("other-ca.pem", net::tls::TestAuthority("other").cert_pem());
    WritePair("server", authority_.Issue("server", {"DNS:store.test", "IP:127.0.0.1"}));
    WritePair("named", authority_.Issue("server", {"DNS:store.test"}));
    WritePair("client", authority_.Issue("querier", {}));
    WritePair("stranger", net::tls::TestAuthority("stranger").Issue("querier", {}));
    options_.sd_config_file = File("endpoints.yml");
  }
  std::string File(const std::string& name) const { return directory_ + "/" + name; }
  void WritePair(const std::string& name, const net::tls::TestPair& pair) const {
    WriteFile(name + ".crt", pair.cert_pem);
    WriteFile(name + ".key", pair.key_pem);
  }
  std::unique_ptr<StoreServer> Serve(const std::string& pair, bool asks_clients) const {
    net::grpc::ServerTls tls{.cert_file = File(pair + ".crt"), .key_file = File(pair + ".key")};
    if (asks_clients) tls.client_ca_file = File("ca.pem");
    return std::make_unique<StoreServer>(std::vector<store::testing::FakeSeries>(),
                                         model::Labels::Of({{"cluster", "a"}}), "127.0.0.1:0", tls);
  }
  // "{ca_file: <directory>/ca.pem, ...}".
  std::string Files(std::initializer_list<std::pair<const char*, const char*>> files) const {
    std::string text;
    for (const auto& [field, name] : files)
      text += fmt::format("{}{}_file: '{}'", text.empty() ? "" : ", ", field, File(name));
    return "{" + text + "}";
  }
  void Configure(const std::string& common, const std::vector<std::string>& endpoints) const {
    std::string text = "default_client_config: " + common + "\nendpoints:\n";
    for (const std::string& endpoint : endpoints) text += "- {" + endpoint + "}\n";
    WriteFile("endpoints.yml", text);
  }
  static std::string At(const StoreServer& server, const std::string& client = "{}") {
    return fmt::format("address: '{}', client_config: {}", server.address(), client);
  }
  std::string ErrorOf(const std::string& address) const {
    for (const EndpointStatus& status : set_->Statuses())
      if (status.name == address) return status.last_error.value_or("");
    return "not shown";
  }

  net::tls::TestAuthority authority_{"authority"};
};

TEST_F(EndpointTlsTest, EachEndpointHasItsOwn) {
  const auto plain = std::make_unique<StoreServer>(std::vector<store::testing::FakeSeries>());
  const auto open = Serve("server", false);
  const auto strict = Serve("server", true);
  const auto named = Serve("named", false);
  const std::string ca = Files({{"ca", "ca.pem"}});
  const std::string pair = Files({{"ca", "ca.pem"}, {"cert", "client.crt"}, {"key", "client.key"}});
  Configure("{}", {At(*plain), At(*open, "{tls_config: " + ca + "}"),
                   At(*strict, "{tls_config: " + pair + "}"),
                   At(*named, "{tls_config: " + ca + ", server_name: store.test}")});
  Start();
  EXPECT_TRUE(Becomes({plain->address(), open->address(), strict->address(), named->address()}));
}

TEST_F(EndpointTlsTest, WhatDoesNotFitIsNotUsedAndTheErrorSaysWhy) {
  struct Case {
    std::string name;
    std::string pair;  // of the server; "": plain text
    bool asks_clients;
    std::string client;
    std::string error;
  };
  const std::string ca = Files({{"ca", "ca.pem"}});
  const Case cases[] = {
      {"no TLS for a TLS server", "server", false, "{}", ""},
      {"TLS for a server without", "", false, "{tls_config: " + ca + "}", ""},
      {"of another authority", "server", false,
       "{tls_config: " + Files({{"ca", "other-ca.pem"}}) + "}", "certificate"},
      {"another name", "server", false, "{tls_config: " + ca + ", server_name: other.test}",
       "mismatch"},
      {"the address is not in the certificate", "named", false, "{tls_config: " + ca + "}",
       "mismatch"},
      {"no certificate where one is asked for", "server", true, "{tls_config: " + ca + "}", ""},
      {"a certificate of a stranger", "server", true,
       "{tls_config: " +
           Files({{"ca", "ca.pem"}, {"cert", "stranger.crt"}, {"key", "stranger.key"}}) + "}",
       ""},
      {"a file that is absent", "server", false,
       "{tls_config: " + Files({{"ca", "nowhere.pem"}}) + "}", "nowhere.pem"},
      {"a version that is none", "server", false, "{tls_config: {enabled: true, min_version: '9'}}",
       "9"},
  };
  std::vector<std::unique_ptr<StoreServer>> servers;
  std::vector<std::string> endpoints;
  for (const Case& c : cases) {
    servers.push_back(c.pair.empty()
                          ? std::make_unique<StoreServer>(std::vector<store::testing::FakeSeries>())
                          : Serve(c.pair, c.asks_clients));
    // Strict ones are shown though they never answered.
    endpoints.push_back(At(*servers.back(), c.client) + ", strict: true");
  }
  Configure("{}", endpoints);
  Start();
  for (std::size_t i = 0; i < std::size(cases); ++i) {
    SCOPED_TRACE(cases[i].name);
    const std::string error = ErrorOf(servers[i]->address());
    EXPECT_THAT(error, Not(IsEmpty()));
    EXPECT_THAT(error, HasSubstr(cases[i].error));
  }
}

TEST_F(EndpointTlsTest, TheDefaultOfTheFileReplacesTheFlags) {
  const auto strict = Serve("server", true);
  options_.default_client.tls = {.enabled = true,
                                 .cert_file = File("client.crt"),
                                 .key_file = File("client.key"),
                                 .ca_file = File("ca.pem")};
  Configure("{}", {At(*strict)});
  Start();
  EXPECT_TRUE(Becomes({strict->address()}));
  // Without the certificate of the flags it is not let in.
  Configure("{tls_config: " + Files({{"ca", "ca.pem"}}) + "}", {At(*strict)});
  EXPECT_TRUE(Becomes({}));
  Configure("{tls_config: " + Files({{"ca", "ca.pem"}}) + "}",
            {At(*strict,
                "{tls_config: " + Files({{"cert", "client.crt"}, {"key", "client.key"}}) + "}")});
  EXPECT_TRUE(Becomes({strict->address()}));
}

TEST_F(EndpointTlsTest, FollowsTheConfigurationAndItsFiles) {
  const auto open = Serve("server", false);
  Configure("{}", {At(*open, "{tls_config: " + Files({{"ca", "other-ca.pem"}}) + "}")});
  Start();
  EXPECT_THAT(Used(), IsEmpty());
  // Another file in the configuration, then other bytes in the file.
  Configure("{}", {At(*open, "{tls_config: " + Files({{"ca", "ca.pem"}}) + "}")});
  EXPECT_TRUE(Becomes({open->address()}));
  Configure("{}", {At(*open, "{tls_config: " + Files({{"ca", "other-ca.pem"}}) + "}")});
  EXPECT_TRUE(Becomes({}));
  WriteFile("other-ca.pem", authority_.cert_pem());
  EXPECT_TRUE(Becomes({open->address()}));
  Configure("{}", {At(*open, "{tls_config: {enabled: false}}")});
  EXPECT_TRUE(Becomes({}));
}

}  // namespace
}  // namespace aevum::query
