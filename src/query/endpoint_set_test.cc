// Endpoints found by name, by file and by configuration, behind real gRPC servers on loopback.
#include "query/endpoint_set.h"

#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "query/testing/dnsmasq.h"
#include "query/testing/endpoint_fixture.h"

namespace aevum::query {
namespace {

using testing::Dnsmasq;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::StoreServer;
using ::testing::UnorderedElementsAre;
using testing::Up;
using namespace std::chrono_literals;

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

// One says too much, one has labels that nobody has, one does not know the time.
TEST_F(EndpointSetTest, AbsurdInfoHarmsNothing) {
  const auto of_size = [](std::size_t bytes) {
    return model::Labels::Of({{"a", std::string(bytes, 'x')}});
  };
  StoreServer huge({}, of_size(std::size_t{17} << 20)), large({}, of_size(100'000));
  StoreServer confused({}), good({});
  confused.store().info.store->min_time = 10;
  confused.store().info.store->max_time = 5;
  for (const StoreServer* server : {&huge, &large, &confused, &good}) {
    EndpointSpec spec = At(server->address());
    spec.strict = server != &good;  // so that it is shown whatever it says
    options_.endpoints.push_back(spec);
  }
  Start();
  std::map<std::string, EndpointStatus> shown;
  for (const EndpointStatus& status : set_->Statuses()) shown[status.name] = status;
  EXPECT_THAT(shown[huge.address()].last_error.value_or(""), HasSubstr("larger than max"));
  EXPECT_THAT(shown[huge.address()].label_sets, ::testing::IsEmpty());
  EXPECT_THAT(shown[large.address()].last_error.value_or(""), HasSubstr("labels of 100"));
  EXPECT_THAT(shown[large.address()].label_sets, ::testing::IsEmpty());
  EXPECT_EQ(shown[confused.address()].last_error, std::nullopt);
  EXPECT_EQ(shown[confused.address()].min_time, kMinTime);
  EXPECT_EQ(shown[confused.address()].max_time, kMaxTime);
  EXPECT_EQ(shown[good.address()].last_error, std::nullopt);
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

// The names of the records are not looked up here: who dials does so, with the machine's resolver.
TEST_F(DnsTest, LeavesTheNamesOfServicesToWhoDials) {
  StoreServer a({});
  Dnsmasq dns({fmt::format("--srv-host=_grpc._tcp.stores.test,localhost,{}", a.port()),
               "--srv-host=_grpc._tcp.stores.test,nobody.test,1"});
  options_.dns.servers = {dns.address()};
  options_.endpoints = {At("dnssrvnoa+_grpc._tcp.stores.test"),
                        At("dnssrvnoa+_grpc._tcp.stores.test:1")};
  Start();
  EXPECT_TRUE(Becomes({fmt::format("localhost:{}", a.port())}));
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
  const auto end = std::chrono::steady_clock::now() + 30s;
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
