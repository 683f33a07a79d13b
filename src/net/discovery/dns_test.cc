#include "net/discovery/dns.h"

#include <future>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <prometheus/registry.h>

#include "net/discovery/test_dns_server.h"
#include "net/metrics/exposition.h"

namespace aevum::net {
namespace {

using std::chrono::milliseconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

TEST(DnsAddressTest, ReadsTheSchemes) {
  using Kind = DnsAddress::Kind;
  struct Case {
    std::string text;
    Kind kind;
    std::string scheme;
    std::string host;
    std::string port;
  };
  const Case cases[] = {
      {"10.0.0.1:10901", Kind::kPlain, "", "10.0.0.1:10901", ""},
      {"unix:///run/x", Kind::kPlain, "", "unix:///run/x", ""},
      {"dns+store:10901", Kind::kAddresses, "", "store", "10901"},
      {"dns+http://alert:9093", Kind::kAddresses, "http://", "alert", "9093"},
      {"dns+[::1]:1", Kind::kAddresses, "", "::1", "1"},
      {"dnssrv+_grpc._tcp.store", Kind::kService, "", "_grpc._tcp.store", ""},
      {"dnssrvnoa+_grpc._tcp.store:1", Kind::kServiceNames, "", "_grpc._tcp.store", "1"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.text);
    const auto address = DnsAddress::Parse(c.text);
    ASSERT_TRUE(address.ok()) << address.status();
    EXPECT_EQ(address->kind, c.kind);
    EXPECT_EQ(address->scheme, c.scheme);
    EXPECT_EQ(address->host, c.host);
    EXPECT_EQ(address->port, c.port);
  }
  for (const char* bad : {"", "dns+", "dns+host", "dns+:80", "dns+host:http", "dnssrv+"}) {
    SCOPED_TRACE(bad);
    EXPECT_EQ(DnsAddress::Parse(bad).status().code(), StatusCode::kInvalidArgument);
  }
}

class DnsResolverTest : public ::testing::Test {
 protected:
  DnsResolverTest() : registry_(std::make_shared<prometheus::Registry>()) {
    DnsResolver::Options options;
    options.metrics_prefix = "thanos_query_endpoints";
    options.dns.servers = {server_.address()};
    options.dns.timeout = milliseconds(200);
    options.dns.tries = 1;
    resolver_ = std::make_unique<DnsResolver>(options, Logger(), registry_);
  }
  std::string Metrics() { return WriteExposition({registry_}, ExpositionFormat::kText); }

  TestDnsServer server_;
  std::shared_ptr<prometheus::Registry> registry_;
  std::unique_ptr<DnsResolver> resolver_;
};

TEST_F(DnsResolverTest, FindsAddressesAndServices) {
  server_.SetAddresses("store.test", {"10.0.0.2", "10.0.0.1", "fd00::1"});
  server_.SetAddresses("a.test", {"10.0.1.1"});
  server_.SetAddresses("b.test", {"10.0.1.2"});
  server_.SetServices("_grpc._tcp.test", {{"b.test", 2}, {"a.test", 1}});
  const std::vector<std::string> addresses = {"plain:1", "dns+store.test:10901",
                                              "dns+http://a.test:80", "dnssrv+_grpc._tcp.test",
                                              "dnssrvnoa+_grpc._tcp.test"};
  const Status status = resolver_->Resolve(Context::Background(), addresses);
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_THAT(resolver_->AddressesOf(addresses[1]),
              ElementsAre("10.0.0.1:10901", "10.0.0.2:10901", "[fd00::1]:10901"));
  EXPECT_THAT(resolver_->AddressesOf(addresses[2]), ElementsAre("http://10.0.1.1:80"));
  EXPECT_THAT(resolver_->AddressesOf(addresses[3]), ElementsAre("10.0.1.1:1", "10.0.1.2:2"));
  EXPECT_THAT(resolver_->AddressesOf(addresses[4]), ElementsAre("a.test:1", "b.test:2"));
  EXPECT_THAT(resolver_->Addresses(), ElementsAre("10.0.0.1:10901", "10.0.0.2:10901", "10.0.1.1:1",
                                                  "10.0.1.2:2", "[fd00::1]:10901", "a.test:1",
                                                  "b.test:2", "http://10.0.1.1:80", "plain:1"));
  const std::string text = Metrics();
  EXPECT_THAT(text, HasSubstr("thanos_query_endpoints_dns_lookups_total 4\n"));
  EXPECT_THAT(text, HasSubstr("thanos_query_endpoints_dns_failures_total 0\n"));
  EXPECT_THAT(text, HasSubstr("thanos_query_endpoints_dns_provider_results{addr=\"plain:1\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("{addr=\"dns+store.test:10901\"} 3\n"));
}

TEST_F(DnsResolverTest, KeepsTheLastGoodAnswer) {
  const std::vector<std::string> addresses = {"dns+store.test:1"};
  server_.SetAddresses("store.test", {"10.0.0.1"});
  ASSERT_TRUE(resolver_->Resolve(Context::Background(), addresses).ok());
  for (const TestDnsServer::Mode mode :
       {TestDnsServer::Mode::kServerFailure, TestDnsServer::Mode::kSilent}) {
    server_.Set(mode);
    const Status status = resolver_->Resolve(Context::Background(), addresses);
    EXPECT_EQ(status.code(), StatusCode::kUnavailable);
    EXPECT_THAT(std::string(status.message()), HasSubstr("store.test"));
    EXPECT_THAT(resolver_->Addresses(), ElementsAre("10.0.0.1:1"));
  }
  EXPECT_THAT(Metrics(), HasSubstr("thanos_query_endpoints_dns_failures_total 2\n"));
  // "There is nobody" is an answer.
  server_.Set(TestDnsServer::Mode::kAnswer);
  server_.SetAddresses("store.test", {});
  EXPECT_TRUE(resolver_->Resolve(Context::Background(), addresses).ok());
  EXPECT_THAT(resolver_->Addresses(), IsEmpty());
  EXPECT_THAT(Metrics(), HasSubstr("{addr=\"dns+store.test:1\"} 0\n"));
  EXPECT_TRUE(resolver_->Resolve(Context::Background(), {"dns+unknown.test:1"}).ok());
  EXPECT_THAT(Metrics(), Not(HasSubstr("store.test")));
}

TEST_F(DnsResolverTest, OneBadAddressDoesNotHideTheOthers) {
  server_.SetAddresses("store.test", {"10.0.0.1"});
  const Status status =
      resolver_->Resolve(Context::Background(), {"dns+noport", "dns+store.test:1"});
  EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(resolver_->Addresses(), ElementsAre("10.0.0.1:1"));
}

TEST_F(DnsResolverTest, EndsWithItsContext) {
  server_.Set(TestDnsServer::Mode::kSilent);
  DnsOptions options;
  options.servers = {server_.address()};
  options.timeout = std::chrono::seconds(30);
  const DnsLookup lookup(options);
  EXPECT_EQ(lookup.Addresses(Context::Background().WithTimeout(milliseconds(20)), "store.test")
                .status()
                .code(),
            StatusCode::kDeadlineExceeded);
  CancelScope scope(Context::Background());
  auto result = std::async(std::launch::async, [&] {
    return lookup.Services(scope.context(), "_a._tcp.test").status();
  });
  scope.Cancel();
  EXPECT_EQ(result.get().code(), StatusCode::kCancelled);
}

}  // namespace
}  // namespace aevum::net
