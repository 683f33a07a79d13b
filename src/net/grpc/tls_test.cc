// gRPC over TLS: client certificates, names, reload.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/files.h"
#include "net/grpc/raw_peer.h"
#include "net/grpc/test_server.h"
#include "net/tls/test_certificates.h"

namespace aevum::net::grpc {
namespace {

using std::chrono::seconds;
using ::testing::HasSubstr;

constexpr std::string_view kUnary = "/test.Echo/Unary";

Context Soon() { return Context::Background().WithTimeout(seconds(30)); }

class GrpcTlsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    Write("ca.pem", authority_.cert_pem());
    WritePair("server", authority_.Issue("server", {"DNS:localhost", "IP:127.0.0.1"}));
    WritePair("client", authority_.Issue("client", {}));
    WritePair("stranger", tls::TestAuthority("stranger").Issue("client", {}));
  }
  std::string File(const std::string& name) { return directory_->File(name); }
  void Write(const std::string& name, const std::string& text) {
    ASSERT_TRUE(WriteFileAtomically(File(name), text).ok());
  }
  void WritePair(const std::string& name, const tls::TestPair& pair) {
    Write(name + ".crt", pair.cert_pem);
    Write(name + ".key", pair.key_pem);
  }
  ServerOptions Options(bool ask_client) {
    ServerOptions options;
    options.tls.cert_file = File("server.crt");
    options.tls.key_file = File("server.key");
    if (ask_client) options.tls.client_ca_file = File("ca.pem");
    return options;
  }
  ChannelOptions To(const TestServer& server, const std::string& pair = "") {
    ChannelOptions options{.address = server.address()};
    options.tls = {.enabled = true, .ca_file = File("ca.pem")};
    if (!pair.empty()) {
      options.tls.cert_file = File(pair + ".crt");
      options.tls.key_file = File(pair + ".key");
    }
    return options;
  }
  Status Call(ChannelOptions options) {
    Channel channel(runtime_, std::move(options));
    return channel.Unary(Soon(), kUnary, SharedBytes::Own("x")).status();
  }

  tls::TestAuthority authority_{"authority"};
  StatusOr<TemporaryDirectory> directory_ = TemporaryDirectory::Create();
  ClientRuntime runtime_{1, nullptr, Logger(), QuickLimits()};
};

TEST_F(GrpcTlsTest, CarriesCallsAndStreams) {
  TestServer server(Options(false));
  ChannelOptions options = To(server);
  options.compression = Compression::kSnappy;
  Channel channel(runtime_, options);
  const auto answer = channel.Unary(Soon(), kUnary, SharedBytes::Own(std::string(3'000'000, 'x')));
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_EQ(answer->size(), 3'000'000u);
  for (const char* request : {"20000 100", "50 1000000"}) {
    const auto call = channel.Start(Soon(), "/test.Echo/Stream", SharedBytes::Own(request));
    std::size_t count = 0;
    while (true) {
      const auto message = call->Next();
      ASSERT_TRUE(message.ok()) << message.status();
      if (!*message) break;
      ++count;
    }
    EXPECT_EQ(count, std::stoul(request));
  }
}

TEST_F(GrpcTlsTest, ChecksNamesAndCertificates) {
  TestServer open(Options(false));
  TestServer strict(Options(true));
  EXPECT_TRUE(Call(To(open)).ok());
  EXPECT_TRUE(Call(To(strict, "client")).ok());
  EXPECT_EQ(Call(To(strict)).code(), StatusCode::kUnavailable);
  EXPECT_EQ(Call(To(strict, "stranger")).code(), StatusCode::kUnavailable);

  ChannelOptions named = To(open);
  named.tls.server_name = "elsewhere";
  EXPECT_THAT(Call(named).ToString(), HasSubstr("mismatch"));
  named.tls.server_name = "localhost";
  EXPECT_TRUE(Call(named).ok());

  ChannelOptions other_ca = To(open);
  other_ca.tls.ca_file = File("stranger.crt");
  EXPECT_THAT(Call(other_ca).ToString(), HasSubstr("certificate"));
  other_ca.tls.insecure_skip_verify = true;
  EXPECT_TRUE(Call(other_ca).ok());

  ChannelOptions missing = To(open);
  missing.tls.ca_file = File("nothing.pem");
  EXPECT_THAT(Call(missing).ToString(), HasSubstr("nothing.pem"));

  EXPECT_EQ(Call({.address = open.address()}).code(), StatusCode::kUnavailable);  // plain text
}

TEST_F(GrpcTlsTest, PlainServerIsNotTls) {
  TestServer plain;
  EXPECT_EQ(Call(To(plain)).code(), StatusCode::kUnavailable);
}

TEST_F(GrpcTlsTest, SilentHandshakesAreClosed) {
  ServerOptions options = Options(false);
  options.limits = QuickLimits();
  TestServer server(options);
  RawPeer silent(server.server().port());
  RawPeer garbage(server.server().port());
  garbage.Send("this is no handshake at all, whoever reads it");
  EXPECT_TRUE(garbage.EndsWithin(seconds(5)));
  EXPECT_TRUE(silent.EndsWithin(seconds(5)));
}

TEST_F(GrpcTlsTest, TakesNewCertificatesWithoutARestart) {
  TestServer server(Options(false));
  ASSERT_TRUE(Call(To(server)).ok());
  // A certificate of another authority: the old clients refuse it, which shows that it is used.
  tls::TestAuthority next("next");
  const tls::TestPair pair = next.Issue("server", {"IP:127.0.0.1"});
  Write("server.crt", pair.cert_pem);
  EXPECT_TRUE(Call(To(server)).ok()) << "the half-written pair must not be used";
  Write("server.key", pair.key_pem);
  EXPECT_FALSE(Call(To(server)).ok());
  Write("ca.pem", next.cert_pem());
  EXPECT_TRUE(Call(To(server)).ok());
}

TEST_F(GrpcTlsTest, StartNamesWhatIsWrong) {
  ServerOptions options = Options(false);
  options.address = "127.0.0.1:0";
  options.tls.key_file = File("client.key");
  EXPECT_THAT(Server(options, Logger(), nullptr).Start().ToString(), HasSubstr("client.key"));
  options.tls = {.client_ca_file = File("ca.pem")};
  EXPECT_THAT(Server(options, Logger(), nullptr).Start().ToString(), HasSubstr("give both"));
  options = Options(false);
  options.tls.min_version = "1.4";
  EXPECT_THAT(Server(options, Logger(), nullptr).Start().ToString(), HasSubstr("1.4"));
}

}  // namespace
}  // namespace aevum::net::grpc
