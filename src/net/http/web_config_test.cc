#include "net/http/web_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include "base/files.h"
#include "net/http/basic_auth.h"
#include "net/http/server.h"
#include "net/http/test_client.h"
#include "net/tls/context.h"
#include "net/tls/engine.h"
#include "net/tls/test_certificates.h"

namespace aevum::net {
namespace {

using ::testing::HasSubstr;

// bcrypt of "secret", at the lowest cost.
constexpr std::string_view kHash = "$2y$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW";

TEST(WebConfigTest, ReadsEveryField) {
  const StatusOr<WebConfig> config = ParseWebConfig(R"(
tls_server_config:
  cert_file: cert.pem
  key_file: /abs/key.pem
  client_ca_file: ca.pem
  client_auth_type: RequireAndVerifyClientCert
  client_allowed_sans: [a.example, b.example]
  cipher_suites: [TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256]
  curve_preferences: [X25519]
  min_version: TLS13
  max_version: TLS13
  prefer_server_cipher_suites: false
http_server_config:
  http2: false
  headers:
    X-Frame-Options: deny
rate_limit:
  burst: 3
  interval: 1s
basic_auth_users:
  alice: )" + std::string(kHash) + "\n",
                                                    "/etc/x");
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_TRUE(config->has_tls);
  EXPECT_EQ(config->tls.cert.file, "/etc/x/cert.pem");
  EXPECT_EQ(config->tls.key.file, "/abs/key.pem");
  EXPECT_EQ(config->tls.client_auth, tls::ClientAuth::kRequireAndVerify);
  EXPECT_EQ(config->tls.client_allowed_sans.size(), 2u);
  EXPECT_EQ(config->tls.min_version, tls::Version::k13);
  EXPECT_FALSE(config->tls.prefer_server_ciphers);
  EXPECT_EQ(config->headers[0].second, "deny");
  EXPECT_EQ(config->rate_burst, 3);
  EXPECT_EQ(config->rate_interval, std::chrono::seconds(1));
  EXPECT_EQ(config->users.at("alice"), kHash);
  EXPECT_FALSE(ParseWebConfig("", "/")->has_tls);
  EXPECT_FALSE(ParseWebConfig("tls_server_config: {}", "/")->has_tls);
}

TEST(WebConfigTest, RefusesMistakes) {
  struct Case {
    std::string yaml;
    std::string message;
  };
  const Case cases[] = {
      {"a: 1\n", "line 1: unknown field in the web configuration: a"},
      {"\ntls_server_config:\n  certfile: x\n",
       "line 3: unknown field in tls_server_config: certfile"},
      {"tls_server_config:\n  cert_file: x\n", "missing key"},
      {"tls_server_config:\n  key_file: x\n", "missing cert"},
      {"tls_server_config: {cert: a, cert_file: b, key: c}", "both cert and cert_file"},
      {"tls_server_config:\n  min_version: TLS9\n", "line 2: unknown TLS version"},
      {"tls_server_config:\n  client_auth_type: Maybe\n", "unknown client_auth_type"},
      {"basic_auth_users:\n  a: plain\n", "line 2: the value of a user is not a bcrypt hash"},
      {"basic_auth_users: [a]", "not a map"},
      {"http_server_config: {headers: {Set-Cookie: x}}", "can't be set here: Set-Cookie"},
      {"http_server_config: {headers: {X-Frame-Options: \"a\\nb\"}}", "a line break"},
      {"http_server_config: {http2: perhaps}", "neither true nor false"},
      {"rate_limit: {burst: many}", "not a whole number"},
      {"rate_limit: {interval: 5 apples}", "rate_limit"},
      {"rate_limit: {burst: 1, burst: 2}", "is there twice"},
      {"a: [", "not YAML"},
      {"- a", "is not a map"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.yaml);
    const Status status = ParseWebConfig(c.yaml, "/").status();
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(status.message()), HasSubstr(c.message));
  }
}

TEST(BasicAuthTest, ReadsTheHeader) {
  EXPECT_EQ(ParseBasicAuth("Basic YWxpY2U6c2U6Y3JldA==")->user, "alice");
  EXPECT_EQ(ParseBasicAuth("basic YWxpY2U6c2U6Y3JldA==")->password, "se:cret");
  for (const char* bad :
       {"", "Basic", "Basic ", "Bearer x", "Basic YWxpY2U", "Basic !!!!", "Basic YWxpY2U="}) {
    SCOPED_TRACE(bad);
    EXPECT_FALSE(ParseBasicAuth(bad).has_value());
  }
}

TEST(BasicAuthTest, RemembersVerdicts) {
  BasicAuth auth;
  const BasicAuth::Users users = {{"alice", std::string(kHash)}};
  EXPECT_EQ(auth.Known(users, {"alice", "secret"}), std::nullopt);
  EXPECT_TRUE(auth.Verify(users, {"alice", "secret"}));
  EXPECT_EQ(auth.Known(users, {"alice", "secret"}), true);
  EXPECT_FALSE(auth.Verify(users, {"alice", "Secret"}));
  EXPECT_EQ(auth.Known(users, {"alice", "Secret"}), false);
  // What comes after a NUL is part of the password.
  EXPECT_FALSE(auth.Verify(users, {"alice", std::string("secret\0x", 8)}));
  EXPECT_FALSE(auth.Verify(users, {"bob", "secret"}));
  EXPECT_EQ(auth.Known({}, {"alice", "secret"}), std::nullopt) << "the hash is part of the key";
}

class WebServerTest : public ::testing::Test {
 protected:
  WebServerTest() : directory_(*TemporaryDirectory::Create()), authority_("ca") {}
  void Write(const std::string& name, const std::string& text) {
    ASSERT_TRUE(WriteFileAtomically(directory_.File(name), text).ok());
  }
  void Start() {
    HttpServerOptions options;
    options.address = "127.0.0.1:0";
    options.handler_threads = 2;
    options.web_config_file = directory_.File("web.yml");
    server_ = std::make_unique<HttpServer>(options, Logger(), nullptr);
    server_->Handle("GET", "/", "root",
                    [](const Context&, const HttpRequest& request, HttpResponse& response) {
                      response.Write("user:" + request.user + " cn:" + request.tls_common_name);
                    });
    const Status status = server_->Start();
    ASSERT_TRUE(status.ok()) << status;
  }
  TestAnswer Get(const std::string& headers) {
    TestClient client(server_->port());
    return client.Do("GET / HTTP/1.1\r\nHost: h\r\n" + headers + "\r\n");
  }
  // The whole answer over TLS, or "" when the handshake fails.
  std::string GetTls(const tls::ClientConfig& config) {
    const auto context = tls::Context::ForClient(config, Logger());
    EXPECT_TRUE(context.ok()) << context.status();
    const auto engine = *tls::Engine::ForClient((*context)->Get(), "localhost");
    TestClient client(server_->port());
    std::string plain;
    bool sent = false;
    while (true) {
      client.Send(engine->output());
      engine->output().clear();
      if (engine->established() && !sent) {
        sent = true;
        EXPECT_TRUE(engine->Send("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n").ok());
        continue;
      }
      const std::string bytes = client.ReceiveSome(64 << 10);
      if (bytes.empty()) return plain;
      if (!engine->Receive(bytes, plain).ok()) return "";
      if (engine->peer_closed()) return plain;
    }
  }

  TemporaryDirectory directory_;
  tls::TestAuthority authority_;
  std::unique_ptr<HttpServer> server_;
};

TEST_F(WebServerTest, AsksForUserAndPassword) {
  Write("web.yml", "basic_auth_users:\n  alice: " + std::string(kHash) +
                       "\nhttp_server_config:\n  headers:\n    X-Frame-Options: deny\n");
  Start();
  const TestAnswer refused = Get("");
  EXPECT_EQ(refused.status, 401);
  EXPECT_EQ(refused.body, "Unauthorized\n");
  EXPECT_EQ(refused.Header("WWW-Authenticate"), "Basic");
  EXPECT_EQ(refused.Header("X-Frame-Options"), "deny");
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(Get("Authorization: Basic YWxpY2U6c2VjcmV0\r\n").body, "user:alice cn:");
    EXPECT_EQ(Get("Authorization: Basic YWxpY2U6c2VjcmVU\r\n").status, 401);
  }
  // The file changes, the server follows; a broken file changes nothing.
  Write("web.yml", "{}");
  EXPECT_EQ(Get("").status, 200);
  Write("web.yml", "nonsense: true");
  EXPECT_EQ(Get("").status, 200);
}

TEST_F(WebServerTest, LimitsTheRate) {
  Write("web.yml", "rate_limit: {burst: 2, interval: 1h}");
  Start();
  EXPECT_EQ(Get("").status, 200);
  EXPECT_EQ(Get("").status, 200);
  EXPECT_EQ(Get("").status, 429);
}

TEST_F(WebServerTest, SpeaksTlsAndNamesTheClient) {
  const tls::TestPair pair = authority_.Issue("server", {"DNS:localhost"});
  Write("cert.pem", pair.cert_pem);
  Write("key.pem", pair.key_pem);
  Write("ca.pem", authority_.cert_pem());
  Write("web.yml",
        "tls_server_config:\n  cert_file: cert.pem\n  key_file: key.pem\n  client_ca_file: ca.pem\n"
        "  client_auth_type: RequireAndVerifyClientCert\n");
  Start();
  const tls::TestPair client = authority_.Issue("client-one", {"DNS:client"});
  tls::ClientConfig config;
  config.ca.text = authority_.cert_pem();
  config.cert.text = client.cert_pem;
  config.key.text = client.key_pem;
  EXPECT_THAT(GetTls(config), HasSubstr("cn:client-one"));
  config.cert.text.clear();
  config.key.text.clear();
  EXPECT_EQ(GetTls(config), "") << "no certificate, no answer";
  EXPECT_EQ(Get("").status, 0) << "plain text on the port of TLS";
  Write("web.yml", "tls_server_config:\n  cert_file: cert.pem\n  key_file: key.pem\n");
  EXPECT_THAT(GetTls(config), HasSubstr("user: cn:"));
}

TEST_F(WebServerTest, NamesTheFileThatItCanNotUse) {
  Write("web.yml", "tls_server_config:\n  cert_file: nothere.pem\n  key_file: key.pem\n");
  HttpServerOptions options;
  options.address = "127.0.0.1:0";
  for (const char* name : {"web.yml", "absent.yml"}) {
    options.web_config_file = directory_.File(name);
    HttpServer server(options, Logger(), nullptr);
    EXPECT_THAT(std::string(server.Start().message()), HasSubstr(name));
  }
}

}  // namespace
}  // namespace aevum::net
