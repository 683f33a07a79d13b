#include "net/tls/context.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/files.h"
#include "net/tls/engine.h"
#include "net/tls/names.h"
#include "net/tls/test_certificates.h"

namespace aevum::net::tls {
namespace {

using ::testing::HasSubstr;

// Carries bytes between the two until nobody has more to say; the first error wins.
Status Converse(Engine& client, Engine& server, std::string& client_plain,
                std::string& server_plain) {
  while (!client.output().empty() || !server.output().empty()) {
    const std::string to_server = std::exchange(client.output(), {});
    const std::string to_client = std::exchange(server.output(), {});
    if (!to_server.empty()) RETURN_IF_ERROR(server.Receive(to_server, server_plain));
    if (!to_client.empty()) RETURN_IF_ERROR(client.Receive(to_client, client_plain));
  }
  return OkStatus();
}

class ContextTest : public ::testing::Test {
 protected:
  Pem Text(const std::string& text) { return {.file = "", .text = text}; }
  ServerConfig Server() {
    return {.cert = Text(pair_.cert_pem), .key = Text(pair_.key_pem), .alpn = {"h2"}};
  }
  ClientConfig Client() { return {.ca = Text(authority_.cert_pem()), .alpn = {"h2"}}; }

  Status Connect(const ServerConfig& server_config, const ClientConfig& client_config,
                 const std::string& name) {
    ASSIGN_OR_RETURN(const auto server_context, Context::ForServer(server_config, Logger()));
    ASSIGN_OR_RETURN(const auto client_context, Context::ForClient(client_config, Logger()));
    ASSIGN_OR_RETURN(server_, Engine::ForServer(server_context->Get()));
    ASSIGN_OR_RETURN(client_, Engine::ForClient(client_context->Get(), name));
    std::string client_plain;
    std::string server_plain;
    RETURN_IF_ERROR(Converse(*client_, *server_, client_plain, server_plain));
    if (!client_->established() || !server_->established()) return Internal("not established");
    return OkStatus();
  }

  TestAuthority authority_{"the authority"};
  TestAuthority stranger_{"a stranger"};
  TestPair pair_ = authority_.Issue("server", {"DNS:localhost", "IP:127.0.0.1"});
  std::unique_ptr<Engine> server_;
  std::unique_ptr<Engine> client_;
};

TEST_F(ContextTest, CarriesBytesBothWays) {
  ASSERT_TRUE(Connect(Server(), Client(), "localhost").ok());
  EXPECT_EQ(client_->alpn(), "h2");
  EXPECT_EQ(server_->alpn(), "h2");
  const std::string large(300'000, 'x');
  ASSERT_TRUE(client_->Send(large).ok());
  ASSERT_TRUE(server_->Send("answer").ok());
  std::string client_plain;
  std::string server_plain;
  ASSERT_TRUE(Converse(*client_, *server_, client_plain, server_plain).ok());
  EXPECT_EQ(server_plain, large);
  EXPECT_EQ(client_plain, "answer");
  client_->Shutdown();
  ASSERT_TRUE(Converse(*client_, *server_, client_plain, server_plain).ok());
  EXPECT_TRUE(server_->peer_closed());
}

TEST_F(ContextTest, ChecksTheNameOfTheServer) {
  EXPECT_TRUE(Connect(Server(), Client(), "127.0.0.1").ok());
  EXPECT_THAT(Connect(Server(), Client(), "elsewhere").ToString(), HasSubstr("ostname mismatch"));
  EXPECT_THAT(Connect(Server(), Client(), "127.0.0.2").ToString(),
              HasSubstr("IP address mismatch"));
  ClientConfig careless = Client();
  careless.insecure_skip_verify = true;
  EXPECT_TRUE(Connect(Server(), careless, "elsewhere").ok());
}

TEST_F(ContextTest, RefusesAnotherProtocol) {
  ClientConfig config = Client();
  config.alpn = {"http/1.1"};
  EXPECT_FALSE(Connect(Server(), config, "localhost").ok());
}

TEST_F(ContextTest, AsksForClientCertificates) {
  const TestPair known = authority_.Issue("client", {"DNS:client.example", "IP:10.0.0.9"});
  const TestPair unknown = stranger_.Issue("client", {"DNS:client.example"});
  struct Case {
    std::string name;
    ClientAuth auth;
    const TestPair* pair;
    bool accepted;
    std::vector<std::string> sans = {};
  };
  const Case cases[] = {
      {"not asked", ClientAuth::kNone, nullptr, true},
      {"request, none", ClientAuth::kRequest, nullptr, true},
      {"request, unknown", ClientAuth::kRequest, &unknown, true},
      {"any, none", ClientAuth::kRequireAny, nullptr, false},
      {"any, unknown", ClientAuth::kRequireAny, &unknown, true},
      {"if given, none", ClientAuth::kVerifyIfGiven, nullptr, true},
      {"if given, unknown", ClientAuth::kVerifyIfGiven, &unknown, false},
      {"verify, none", ClientAuth::kRequireAndVerify, nullptr, false},
      {"verify, unknown", ClientAuth::kRequireAndVerify, &unknown, false},
      {"verify, known", ClientAuth::kRequireAndVerify, &known, true},
      {"allowed name", ClientAuth::kRequireAndVerify, &known, true, {"x", "client.example"}},
      {"allowed address", ClientAuth::kRequireAndVerify, &known, true, {"10.0.0.9"}},
      {"other name", ClientAuth::kRequireAndVerify, &known, false, {"example"}},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    ServerConfig server = Server();
    server.client_auth = c.auth;
    server.client_ca = Text(authority_.cert_pem());
    server.client_allowed_sans = c.sans;
    ClientConfig client = Client();
    if (c.pair != nullptr) {
      client.cert = Text(c.pair->cert_pem);
      client.key = Text(c.pair->key_pem);
    }
    EXPECT_EQ(Connect(server, client, "localhost").ok(), c.accepted);
  }
}

TEST_F(ContextTest, SpeaksTheVersionsAndSuitesOfTheSettings) {
  struct Case {
    std::string name;
    Version server_min, server_max, client_min;
    std::vector<std::string> ciphers;
    bool accepted;
  };
  const Case cases[] = {
      {"1.2 only", Version::k12, Version::k12, Version::k12, {}, true},
      {"client needs 1.3", Version::k12, Version::k12, Version::k13, {}, false},
      {"1.0 allowed", Version::k10, Version::k11, Version::k10, {}, true},
      {"suite of the key",
       Version::k12,
       Version::k12,
       Version::k12,
       {"TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"},
       true},
      {"suite of another key",
       Version::k12,
       Version::k12,
       Version::k12,
       {"TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"},
       false},
      {"suites of 1.3 only",
       Version::k12,
       Version::k13,
       Version::k12,
       {"TLS_AES_128_GCM_SHA256"},
       true},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    ServerConfig server = Server();
    server.min_version = c.server_min;
    server.max_version = c.server_max;
    server.ciphers = c.ciphers;
    server.curves = {"CurveP384", "X25519"};
    ClientConfig client = Client();
    client.min_version = c.client_min;
    const Status status = Connect(server, client, "localhost");
    EXPECT_EQ(status.ok(), c.accepted) << status;
  }
}

TEST_F(ContextTest, NamesWhatItCannotUse) {
  struct Case {
    std::string name;
    std::function<void(ServerConfig&)> change;
    std::string message;
  };
  const std::string other_key = authority_.Issue("other", {}).key_pem;
  const Case cases[] = {
      {"no file", [](ServerConfig& c) { c.cert = {.file = "/nowhere/a.pem", .text = ""}; },
       "/nowhere/a.pem"},
      {"not PEM", [&](ServerConfig& c) { c.cert = Text("hello"); }, "no certificate in the"},
      {"key of another", [&](ServerConfig& c) { c.key = Text(other_key); }, "does not belong"},
      {"no key", [](ServerConfig& c) { c.key = {}; }, "no key for"},
      {"damaged key", [&](ServerConfig& c) { c.key = Text("-----BEGIN PRIVATE KEY-----\n"); },
       "no usable private key"},
      {"suite", [](ServerConfig& c) { c.ciphers = {"FOO"}; }, "unknown TLS cipher suite: FOO"},
      {"curve", [](ServerConfig& c) { c.curves = {"CurveP1"}; }, "CurveP1"},
      {"versions",
       [](ServerConfig& c) {
         c.min_version = Version::k13;
         c.max_version = Version::k12;
       },
       "above the maximum"},
      {"no CA", [](ServerConfig& c) { c.client_auth = ClientAuth::kRequireAndVerify; },
       "no client CA"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    ServerConfig config = Server();
    c.change(config);
    const Status status = Context::ForServer(config, Logger()).status();
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(status.message()), HasSubstr(c.message));
  }
}

TEST_F(ContextTest, FollowsItsFilesOnceBothAreWritten) {
  const StatusOr<TemporaryDirectory> directory = TemporaryDirectory::Create();
  ASSERT_TRUE(directory.ok());
  const std::string cert = directory->File("cert.pem");
  const std::string key = directory->File("key.pem");
  ASSERT_TRUE(WriteFileAtomically(cert, pair_.cert_pem).ok());
  ASSERT_TRUE(WriteFileAtomically(key, pair_.key_pem).ok());
  const auto context = Context::ForServer({.cert = {cert, ""}, .key = {key, ""}}, Logger());
  ASSERT_TRUE(context.ok()) << context.status();
  const auto first = (*context)->Get();
  EXPECT_EQ((*context)->Get(), first);

  const TestPair next = authority_.Issue("next", {"DNS:localhost"});
  ASSERT_TRUE(WriteFileAtomically(cert, next.cert_pem).ok());
  EXPECT_EQ((*context)->Get(), first);  // the key is still the old one
  EXPECT_EQ((*context)->Get(), first);
  ASSERT_TRUE(WriteFileAtomically(key, next.key_pem).ok());
  EXPECT_NE((*context)->Get(), first);
  EXPECT_EQ((*context)->loads(), 2u);
}

TEST(TlsNamesTest, ReadsTheSpellingsOfTheContract) {
  EXPECT_EQ(*ParseClientAuth("RequireClientCert"), ClientAuth::kRequireAny);
  EXPECT_EQ(*ParseClientAuth(""), ClientAuth::kNone);
  EXPECT_FALSE(ParseClientAuth("Maybe").ok());
  EXPECT_EQ(*ParseVersion("TLS12"), Version::k12);
  EXPECT_EQ(*ParseVersion("1.3"), Version::k13);
  EXPECT_FALSE(ParseVersion("SSL3").ok());
  EXPECT_EQ(*ParseCurves({"CurveP256", "X25519"}), "P-256:X25519");
}

}  // namespace
}  // namespace aevum::net::tls
