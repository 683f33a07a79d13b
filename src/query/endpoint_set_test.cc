// Endpoints found by name, by file and by configuration, behind real gRPC servers on loopback.
#include "query/endpoint_set.h"

#include <filesystem>
#include <fstream>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <prometheus/registry.h>
#include <unistd.h>

#include "query/testing/dnsmasq.h"
#include "query/testing/store_server.h"

namespace aevum::query {
namespace {

using testing::Dnsmasq;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::StoreServer;
using ::testing::UnorderedElementsAre;
using testing::Up;
using namespace std::chrono_literals;

class EndpointSetTest : public ::testing::Test {
 protected:
  EndpointSetTest() : directory_(::testing::TempDir() + "endpoints-" + std::to_string(::getpid())) {
    std::filesystem::create_directories(directory_);
    options_.info_timeout = 50ms;
    options_.dns_interval = 50ms;
    options_.sd_interval = 50ms;
    options_.sd_config_interval = 50ms;
    // Shorter than the set's patience, so that a server that is gone is noticed.
    options_.dns.timeout = 200ms;
    options_.dns.tries = 2;
  }
  ~EndpointSetTest() override {
    set_.reset();
    std::filesystem::remove_all(directory_);
  }

  void Start() {
    set_ = std::make_unique<EndpointSet>(options_, runtime_, Logger(), metrics_);
    std::atomic<bool> ready = false;
    const Status status = set_->Start([&] { ready = true; });
    ASSERT_TRUE(status.ok()) << status;
    while (!ready) std::this_thread::yield();
  }

  std::vector<std::string> Used() const {
    std::vector<std::string> addresses;
    const auto clients = set_->Stores();
    for (const store::StoreClient& client : *clients)
      if (client.lost.empty()) addresses.push_back(client.address);
    return addresses;
  }

  // Waits until the endpoints in use are these.
  ::testing::AssertionResult Becomes(std::vector<std::string> wanted) const {
    std::sort(wanted.begin(), wanted.end());
    const auto end = std::chrono::steady_clock::now() + 20s;
    while (Used() != wanted) {
      if (std::chrono::steady_clock::now() > end)
        return ::testing::AssertionFailure() << ::testing::PrintToString(Used());
      std::this_thread::yield();
    }
    return ::testing::AssertionSuccess();
  }

  void WriteFile(const std::string& name, const std::string& text) const {
    std::ofstream(directory_ + "/new") << text;
    std::filesystem::rename(directory_ + "/new", directory_ + "/" + name);
  }

  const std::string directory_;
  EndpointOptions options_;
  std::shared_ptr<prometheus::Registry> metrics_ = std::make_shared<prometheus::Registry>();
  net::grpc::ClientRuntime runtime_{1, metrics_};
  std::unique_ptr<EndpointSet> set_;
};

EndpointSpec At(const std::string& address, bool group = false) {
  EndpointSpec spec;
  spec.address = address;
  spec.group = group;
  return spec;
}

TEST_F(EndpointSetTest, FollowsFiles) {
  StoreServer a({}), b({});
  options_.sd_files = {directory_ + "/*.yml"};
  WriteFile("a.yml", "- targets: ['" + a.address() + "']\n");
  Start();
  EXPECT_THAT(Used(), ElementsAre(a.address()));
  WriteFile("b.yml", "- targets: ['" + b.address() + "']\n");
  EXPECT_TRUE(Becomes({a.address(), b.address()}));
  WriteFile("b.yml", "- targets: [\n");  // damaged: the last ones stay
  WriteFile("a.yml", "[]");
  EXPECT_TRUE(Becomes({b.address()}));
}

TEST_F(EndpointSetTest, FollowsTheConfiguration) {
  StoreServer a({}), b({});
  options_.sd_config_file = directory_ + "/endpoints.yml";
  WriteFile("endpoints.yml", "endpoints: [{address: '" + a.address() + "'}]");
  Start();
  EXPECT_THAT(Used(), ElementsAre(a.address()));
  WriteFile("endpoints.yml", "endpoints: [{address: ''}]");  // refused: the last one stays
  WriteFile("endpoints.yml", "endpoints: [{address: '" + b.address() + "', strict: true}]");
  EXPECT_TRUE(Becomes({b.address()}));
  // What is configured with TLS finds a server that has none, and is not used.
  WriteFile("endpoints.yml", "endpoints: [{address: '" + a.address() + "'}, {address: '" +
                                 b.address() +
                                 "', client_config: {tls_config: {insecure_skip_verify: true}}}]");
  EXPECT_TRUE(Becomes({a.address()}));
}

TEST_F(EndpointSetTest, StrictOnesAreAskedAlthoughTheyAreGone) {
  auto a = std::make_unique<StoreServer>(std::vector<store::testing::FakeSeries>());
  auto b = std::make_unique<StoreServer>(std::vector<store::testing::FakeSeries>());
  EndpointSpec strict = At(a->address());
  strict.strict = true;
  options_.endpoints = {strict, At(b->address())};
  Start();
  EXPECT_TRUE(Becomes({a->address(), b->address()}));
  const std::string a_address = a->address();
  const std::string b_address = b->address();
  a.reset();
  b.reset();
  EXPECT_TRUE(Becomes({a_address}));
  // The other one is remembered as missing, with what it said of itself.
  const auto clients = set_->Stores();
  const auto lost = std::find_if(clients->begin(), clients->end(),
                                 [&](const auto& client) { return client.address == b_address; });
  ASSERT_NE(lost, clients->end());
  EXPECT_THAT(lost->lost, HasSubstr("does not answer"));
  EXPECT_THAT(lost->label_sets, ElementsAre(model::Labels::Of({{"cluster", "a"}})));
}

TEST_F(EndpointSetTest, GroupIsOneEndpoint) {
  StoreServer a({Up({{"from", "a"}})});
  auto b = std::make_unique<StoreServer>(std::vector{Up({{"from", "b"}})});
  options_.endpoints = {At(a.address(), /*group=*/true)};
  options_.extra_addresses = {b->address()};
  Start();
  EXPECT_TRUE(Becomes({"thanos:///" + a.address()}));
  const auto clients = set_->Stores();
  const auto ask = [&] {
    wire::SeriesRequest request;
    request.max_time = 60'000;
    request.matchers = {model::Matcher::Equal("__name__", "up")};
    auto stream = clients->front().store->Series(Context::Background(), request);
    Status status;
    const wire::SeriesBatch all = store::testing::Drain(**stream, &status);
    EXPECT_TRUE(status.ok()) << status;
    return all.series.empty() ? "" : std::string(all.series[0].labels.Get("from"));
  };
  const std::vector<std::string> turns = {ask(), ask(), ask(), ask()};
  EXPECT_THAT(turns, UnorderedElementsAre("a", "a", "b", "b"));
  b.reset();
  for (int i = 0; i < 4; ++i) EXPECT_EQ(ask(), "a");
}

class DnsTest : public EndpointSetTest {
 protected:
  void SetUp() override {
    if (!Dnsmasq::IsInstalled())
      GTEST_SKIP() << Dnsmasq::kPath << " is absent: scripts/install-deps installs it";
  }
};

TEST_F(DnsTest, FindsEndpointsByName) {
  StoreServer a({}), b({});
  Dnsmasq dns({"--host-record=one.test,127.0.0.1",
               fmt::format("--srv-host=_grpc._tcp.stores.test,one.test,{}", b.port())});
  options_.dns.servers = {dns.address()};
  options_.endpoints = {At(fmt::format("dns+one.test:{}", a.port())),
                        At("dnssrv+_grpc._tcp.stores.test"), At("dns+nobody.test:1")};
  Start();
  EXPECT_TRUE(Becomes({a.address(), b.address()}));
}

TEST_F(DnsTest, FollowsNamesAndOutlivesTheServer) {
  StoreServer a({}), b({});
  auto dns = std::make_unique<Dnsmasq>(std::vector<std::string>{
      "--host-record=one.test,127.0.0.1",
      fmt::format("--srv-host=_grpc._tcp.stores.test,one.test,{}", a.port())});
  options_.dns.servers = {dns->address()};
  options_.endpoints = {At("dnssrv+_grpc._tcp.stores.test")};
  Start();
  EXPECT_TRUE(Becomes({a.address()}));
  const std::uint16_t port = dns->port();
  const auto failures = [&] {
    for (const auto& family : metrics_->Collect())
      if (family.name == "thanos_query_endpoints_dns_failures_total")
        return family.metric[0].counter.value;
    return 0.0;
  };
  dns.reset();
  const auto end = std::chrono::steady_clock::now() + 20s;
  while (failures() < 1 && std::chrono::steady_clock::now() < end) std::this_thread::yield();
  EXPECT_GE(failures(), 1);
  EXPECT_THAT(Used(), ElementsAre(a.address()));
  dns = std::make_unique<Dnsmasq>(
      std::vector<std::string>{
          "--host-record=one.test,127.0.0.1",
          fmt::format("--srv-host=_grpc._tcp.stores.test,one.test,{}", a.port()),
          fmt::format("--srv-host=_grpc._tcp.stores.test,one.test,{}", b.port())},
      port);
  EXPECT_TRUE(Becomes({a.address(), b.address()}));
}

TEST_F(DnsTest, GroupFollowsItsName) {
  StoreServer a({}), b({});
  Dnsmasq dns({"--host-record=one.test,127.0.0.1",
               fmt::format("--srv-host=_grpc._tcp.stores.test,one.test,{}", a.port()),
               fmt::format("--srv-host=_grpc._tcp.stores.test,one.test,{}", b.port())});
  options_.dns.servers = {dns.address()};
  options_.endpoints = {At("dnssrv+_grpc._tcp.stores.test", /*group=*/true)};
  Start();
  EXPECT_TRUE(Becomes({"thanos:///dnssrv+_grpc._tcp.stores.test"}));
  std::vector<std::string> names;
  for (const EndpointStatus& status : set_->Statuses()) names.push_back(status.name);
  EXPECT_THAT(names, ElementsAre("thanos:///dnssrv+_grpc._tcp.stores.test"));
}

}  // namespace
}  // namespace aevum::query
