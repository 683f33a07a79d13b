// What answers say of the stores that did not give their part, over HTTP and real gRPC.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "query/testing/querier.h"
#include "query/testing/store_server.h"

namespace aevum::query {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using testing::Querier;
using testing::StoreServer;
using testing::Up;
using namespace std::chrono_literals;

std::unique_ptr<StoreServer> Cluster(const std::string& cluster, const std::string& replica) {
  return std::make_unique<StoreServer>(
      std::vector{Up({{"cluster", cluster}, {"replica", replica}})},
      model::Labels::Of({{"cluster", cluster}, {"replica", replica}}));
}

class MissingTest : public ::testing::Test {
 protected:
  MissingTest() {
    options_.api.defaults.replica_labels = {"replica"};
    options_.endpoints.info_timeout = 20s;
    options_.endpoints.info_interval = 100ms;
  }

  // Starts a querier over these stores.
  Querier& Start(const std::vector<StoreServer*>& stores) {
    for (const StoreServer* store : stores) {
      EndpointSpec spec;
      spec.address = store->address();
      options_.endpoints.endpoints.push_back(spec);
    }
    querier_ = std::make_unique<Querier>(options_);
    return *querier_;
  }

  QueryOptions options_;
  std::unique_ptr<Querier> querier_;
};

constexpr std::string_view kReason = "disk on fire";

struct Request {
  std::string path;
  Querier::Params params;
};

std::vector<Request> AllRequests() {
  return {{"/api/v1/query", {{"query", "up"}, {"time", "60"}}},
          {"/api/v1/query_range", {{"query", "up"}, {"start", "0"}, {"end", "60"}, {"step", "10"}}},
          {"/api/v1/series", {{"match[]", "up"}, {"start", "0"}, {"end", "60"}}},
          {"/api/v1/labels", {{"start", "0"}, {"end", "60"}}},
          {"/api/v1/label/cluster/values", {{"start", "0"}, {"end", "60"}}}};
}

TEST_F(MissingTest, AllAnswersListWhatIsMissing) {
  const auto a = Cluster("a", "0");
  const auto b = Cluster("b", "0");
  b->store().data_error = Internal("{}", kReason);
  Querier& querier = Start({a.get(), b.get()});
  for (const Request& request : AllRequests()) {
    SCOPED_TRACE(request.path);
    const net::HttpClientResponse response = querier.Get(request.path, request.params);
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(response.Header("Cache-Control"), "no-store");
    const json answer = json::parse(response.body);
    EXPECT_EQ(answer["status"], "success");
    ASSERT_EQ(answer["warnings"].size(), 1U) << response.body;
    const auto warning = answer["warnings"][0].get<std::string>();
    EXPECT_THAT(warning, HasSubstr("Addr: " + b->address() + " MinTime: "));
    EXPECT_THAT(warning, HasSubstr(R"({cluster="b", replica="0"})"));
    EXPECT_THAT(warning, HasSubstr(kReason));
    ASSERT_EQ(answer["missing"].size(), 1U) << response.body;
    const json& part = answer["missing"][0];
    EXPECT_EQ(part["endpoint"], b->address());
    EXPECT_EQ(part["labels"], json::parse(R"([{"cluster": "b", "replica": "0"}])"));
    EXPECT_LE(part["minTime"].get<std::int64_t>(), 60'000);
    EXPECT_EQ(part["maxTime"].get<std::int64_t>(), 60'000);
    EXPECT_THAT(part["error"].get<std::string>(), HasSubstr(kReason));
    EXPECT_FALSE(part.contains("answeredBy"));
    EXPECT_EQ(answer["complete"], false);

    Request strict = request;
    strict.params.emplace_back("partial_response", "false");
    const net::HttpClientResponse refused = querier.Get(strict.path, strict.params);
    EXPECT_EQ(refused.status, 422) << refused.body;
    EXPECT_THAT(refused.body, HasSubstr(b->address()));
    EXPECT_THAT(refused.body, HasSubstr(kReason));
  }
}

TEST_F(MissingTest, AReplicaAnswersForAnother) {
  const auto a0 = Cluster("a", "0");
  const auto a1 = Cluster("a", "1");
  a1->store().data_error = Internal("{}", kReason);
  Querier& querier = Start({a0.get(), a1.get()});
  for (const Request& request : AllRequests()) {
    SCOPED_TRACE(request.path);
    const json answer = querier.Ask(request.path, request.params);
    EXPECT_EQ(answer["warnings"].size(), 1U);
    ASSERT_EQ(answer["missing"].size(), 1U) << answer;
    EXPECT_EQ(answer["missing"][0]["endpoint"], a1->address());
    EXPECT_EQ(answer["missing"][0]["answeredBy"], a0->address());
    EXPECT_EQ(answer["complete"], true);
  }
  // Who wants to see each replica lacks one.
  const json each =
      querier.Ask("/api/v1/query", {{"query", "up"}, {"time", "60"}, {"dedup", "false"}});
  EXPECT_EQ(each["complete"], false) << each;
}

TEST_F(MissingTest, WholeAnswersSayNothing) {
  const auto a = Cluster("a", "0");
  Querier& querier = Start({a.get()});
  for (const Request& request : AllRequests()) {
    const json answer = querier.Ask(request.path, request.params);
    EXPECT_FALSE(answer.contains("missing")) << answer;
    EXPECT_FALSE(answer.contains("complete")) << answer;
    EXPECT_FALSE(answer.contains("warnings")) << answer;
  }
}

TEST_F(MissingTest, AStoreThatIsGoneIsRememberedWithoutWarning) {
  const auto a = Cluster("a", "0");
  auto b = Cluster("b", "0");
  const std::string gone = b->address();
  Querier& querier = Start({a.get(), b.get()});
  b.reset();
  json answer;
  const auto end = std::chrono::steady_clock::now() + 20s;
  do {  // until the endpoint is no longer asked
    answer = querier.Ask("/api/v1/query", {{"query", "up"}, {"time", "60"}});
  } while (answer.contains("warnings") && std::chrono::steady_clock::now() < end);
  EXPECT_FALSE(answer.contains("warnings")) << answer;
  ASSERT_EQ(answer["missing"].size(), 1U) << answer;
  EXPECT_EQ(answer["missing"][0]["endpoint"], gone);
  EXPECT_THAT(answer["missing"][0]["error"].get<std::string>(), HasSubstr("does not answer"));
  EXPECT_EQ(answer["complete"], false);
}

TEST_F(MissingTest, AStoreThatStallsIsLeft) {
  const auto a = Cluster("a", "0");
  const auto b = Cluster("b", "0");
  b->store().fail_after = 0;
  b->store().hangs = true;
  options_.proxy.response_timeout = 200ms;
  const json answer =
      Start({a.get(), b.get()}).Ask("/api/v1/query", {{"query", "up"}, {"time", "60"}});
  EXPECT_EQ(answer["data"]["result"].size(), 1U);
  ASSERT_EQ(answer["missing"].size(), 1U) << answer;
  EXPECT_THAT(answer["missing"][0]["error"].get<std::string>(),
              HasSubstr("failed to receive any data in 200ms from Addr: " + b->address()));
}

// Stores that say wrong things of themselves, or answer what was not asked, spoil their own part
// alone.
TEST_F(MissingTest, LiesDoNoHarm) {
  const auto honest = Cluster("a", "0");
  const auto unsorted = Cluster("b", "0");
  unsorted->store().series = {Up({{"cluster", "b"}, {"z", "1"}}), Up({{"cluster", "b"}})};
  unsorted->store().sorts = false;
  const auto never = Cluster("c", "0");  // times that can't be
  never->store().info.store->min_time = kMaxTime;
  never->store().info.store->max_time = kMinTime;
  const auto other = Cluster("d", "0");  // announces one cluster, has another
  other->store().series = {Up({{"cluster", "e"}})};
  const auto outside = Cluster("f", "0");  // a chunk that does not hold what its header says
  outside->store().series[0].chunks[0].max_time = 30'000;
  const auto nothing = Cluster("g", "0");
  nothing->store().info.label_sets.clear();
  Querier& querier =
      Start({honest.get(), unsorted.get(), never.get(), other.get(), outside.get(), nothing.get()});
  const json answer =
      querier.Ask("/api/v1/query", {{"query", "count by (cluster) (up)"}, {"time", "25"}});
  EXPECT_EQ(answer["status"], "success") << answer;
  std::vector<std::string> clusters;
  for (const json& one : answer["data"]["result"]) clusters.push_back(one["metric"]["cluster"]);
  for (const char* cluster : {"a", "e", "f", "g"})
    EXPECT_THAT(clusters, ::testing::Contains(cluster)) << answer;
  ASSERT_EQ(answer["missing"].size(), 1U) << answer;
  EXPECT_EQ(answer["missing"][0]["endpoint"], unsorted->address());
  EXPECT_THAT(answer["missing"][0]["error"].get<std::string>(), HasSubstr("not sorted"));
}

}  // namespace
}  // namespace aevum::query
