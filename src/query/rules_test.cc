// Rules, alerts and targets over HTTP and gRPC, with endpoints behind real gRPC servers on
// loopback.
#include "query/rules.h"

#include <cmath>
#include <condition_variable>
#include <limits>
#include <mutex>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <prometheus/registry.h>
#include <nlohmann/json.hpp>

#include "net/grpc/client.h"
#include "net/grpc/server.h"
#include "net/http/client.h"
#include "net/url.h"
#include "query/query.h"
#include "query/rules_service.h"
#include "query/targets.h"
#include "store/grpc_server.h"

namespace aevum::query {
namespace {

using nlohmann::json;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::StartsWith;
using wire::AlertState;
using wire::TargetHealth;

model::Labels L(std::initializer_list<model::Label> labels) { return model::Labels::Of(labels); }

wire::Rule Recording(std::string name, model::Labels labels, std::int64_t evaluated = 1) {
  return {.name = std::move(name),
          .query = "up",
          .labels = std::move(labels),
          .health = "ok",
          .last_evaluation = {.seconds = evaluated}};
}

wire::Rule Alerting(std::string name, model::Labels labels, AlertState state,
                    std::int64_t evaluated = 1) {
  wire::Rule rule = Recording(std::move(name), std::move(labels), evaluated);
  rule.alerting = true;
  rule.state = state;
  return rule;
}

wire::RuleGroup Group(std::string file, std::string name, std::vector<wire::Rule> rules) {
  return {.name = std::move(name), .file = std::move(file), .rules = std::move(rules)};
}

std::vector<std::string> NamesOf(const wire::RuleGroup& group) {
  std::vector<std::string> names;
  for (const wire::Rule& rule : group.rules) names.push_back(rule.name);
  return names;
}

TEST(DeduplicateRulesTest, JoinsGroupsOfTheSameFileAndName) {
  std::vector<wire::RuleGroup> groups = {
      Group("b.yml", "g", {Recording("x", L({{"replica", "0"}}))}),
      Group("a.yml", "h", {Recording("y", L({{"replica", "0"}}))}),
      Group("b.yml", "g", {Recording("z", L({{"replica", "1"}}))}), Group("a.yml", "g", {})};
  groups[0].interval_seconds = 30;
  groups[2].interval_seconds = 60;
  DeduplicateRules({"replica"}, &groups);
  ASSERT_THAT(groups, SizeIs(3));
  EXPECT_EQ(groups[0].file + groups[0].name, "a.ymlg");
  EXPECT_EQ(groups[1].file + groups[1].name, "a.ymlh");
  EXPECT_EQ(groups[2].file + groups[2].name, "b.ymlg");
  EXPECT_EQ(groups[2].interval_seconds, 30);
  EXPECT_THAT(NamesOf(groups[2]), ElementsAre("x", "z"));
  EXPECT_TRUE(groups[2].rules[0].labels.empty());
}

TEST(DeduplicateRulesTest, KeepsTheMoreCriticalThenTheNewerOfReplicas) {
  struct Case {
    AlertState first;
    std::int64_t first_at;
    AlertState second;
    std::int64_t second_at;
    bool second_wins;
  };
  const Case cases[] = {
      {AlertState::kFiring, 1, AlertState::kPending, 9, false},
      {AlertState::kPending, 9, AlertState::kFiring, 1, true},
      {AlertState::kInactive, 9, AlertState::kPending, 1, true},
      {AlertState::kUnknown, 9, AlertState::kInactive, 1, true},
      {AlertState::kFiring, 1, AlertState::kFiring, 2, true},
      {AlertState::kFiring, 2, AlertState::kFiring, 1, false},
      {AlertState::kFiring, 1, AlertState::kFiring, 1, false},
  };
  for (const Case& c : cases) {
    std::vector<wire::RuleGroup> groups = {
        Group("f", "g", {Alerting("a", L({{"l", "x"}, {"replica", "0"}}), c.first, c.first_at)}),
        Group("f", "g", {Alerting("a", L({{"l", "x"}, {"replica", "1"}}), c.second, c.second_at)})};
    groups[0].rules[0].health = "first";
    groups[1].rules[0].health = "second";
    DeduplicateRules({"replica", "absent"}, &groups);
    ASSERT_THAT(groups, SizeIs(1));
    ASSERT_THAT(groups[0].rules, SizeIs(1));
    EXPECT_EQ(groups[0].rules[0].health, c.second_wins ? "second" : "first");
    EXPECT_EQ(groups[0].rules[0].labels, L({{"l", "x"}}));
  }
}

TEST(DeduplicateRulesTest, SortsAndTellsApartWhatIsNotTheSame) {
  wire::Rule longer = Alerting("b", L({}), AlertState::kInactive);
  longer.duration_seconds = 60;
  wire::Rule other_query = Recording("a", L({}));
  other_query.query = "down";
  wire::Rule strange = Alerting("b", L({}), AlertState::kInactive);
  strange.duration_seconds = std::numeric_limits<double>::quiet_NaN();
  wire::Rule negative_zero = Alerting("b", L({}), AlertState::kFiring);
  negative_zero.duration_seconds = -0.0;
  std::vector<wire::RuleGroup> groups = {
      Group("f", "g",
            {Recording("a", L({})), strange, longer, Recording("a", L({{"x", "1"}})), other_query,
             Alerting("b", L({}), AlertState::kInactive), negative_zero,
             Alerting("c", L({}), AlertState::kInactive), Recording("a", L({{"x", "1"}}), 7)})};
  DeduplicateRules({}, &groups);
  ASSERT_THAT(groups, SizeIs(1));
  EXPECT_THAT(NamesOf(groups[0]), ElementsAre("b", "b", "b", "c", "a", "a", "a"));
  EXPECT_EQ(groups[0].rules[0].state, AlertState::kFiring);
  EXPECT_EQ(groups[0].rules[1].duration_seconds, 60);
  EXPECT_EQ(groups[0].rules[4].query, "down");
  EXPECT_EQ(groups[0].rules[6].last_evaluation.seconds, 7);
}

std::vector<std::string> Filtered(const wire::RulesRequest& request) {
  std::vector<wire::RuleGroup> groups = {
      Group("f1", "g1",
            {Recording("a", L({{"team", "x"}})),
             Alerting("b", L({{"team", "y"}, {"severity", "page"}}), AlertState::kFiring)}),
      Group("f2", "g2", {Recording("a", L({{"team", "{{ $labels.team }}"}}))}),
      Group("f2", "g3", {})};
  const Status status = FilterRules(request, &groups);
  if (!status.ok()) return {std::string(status.message())};
  std::vector<std::string> left;
  for (const wire::RuleGroup& group : groups) {
    std::string text = group.name + ":";
    for (const wire::Rule& rule : group.rules) text += rule.name;
    left.push_back(std::move(text));
  }
  return left;
}

TEST(FilterRulesTest, LeavesWhatSatisfiesAll) {
  EXPECT_THAT(Filtered({}), ElementsAre("g1:ab", "g2:a", "g3:"));
  EXPECT_THAT(Filtered({.rule_names = {"a", "c"}}), ElementsAre("g1:a", "g2:a"));
  EXPECT_THAT(Filtered({.rule_groups = {"g1", "g3"}}), ElementsAre("g1:ab"));
  EXPECT_THAT(Filtered({.files = {"f2"}}), ElementsAre("g2:a"));
  EXPECT_THAT(Filtered({.rule_names = {"b"}, .files = {"f2"}}), IsEmpty());
  EXPECT_THAT(Filtered({.matchers = {"{team=\"x\"}"}}), ElementsAre("g1:a"));
  EXPECT_THAT(Filtered({.matchers = {"{team=~\"x|y\"}", "{severity=\"page\"}"}}),
              ElementsAre("g1:b"));
  // A template counts as absent.
  EXPECT_THAT(Filtered({.matchers = {"{team=~\".*labels.*\"}"}}), IsEmpty());
  EXPECT_THAT(Filtered({.matchers = {"{team!~\"x|y\"}"}}), ElementsAre("g2:a"));
  EXPECT_THAT(Filtered({.matchers = {"{team="}}),
              ElementsAre(StartsWith("parser ParseMetricSelector: 1:7: parse error")));
}

wire::ActiveTarget Target(std::string url, std::string_view replica, TargetHealth health,
                          std::int64_t scraped = 1) {
  return {.discovered_labels = L({{"__address__", url}, {"replica", replica}}),
          .labels = L({{"job", "x"}, {"replica", replica}}),
          .scrape_pool = "x",
          .scrape_url = url,
          .last_scrape = {.seconds = scraped},
          .health = health};
}

TEST(DeduplicateTargetsTest, KeepsTheWorseThenTheNewerOfReplicas) {
  wire::TargetDiscovery targets;
  targets.active = {
      Target("b", "0", TargetHealth::kUp),      Target("a", "0", TargetHealth::kUp, 1),
      Target("b", "1", TargetHealth::kDown),    Target("a", "1", TargetHealth::kUp, 2),
      Target("c", "0", TargetHealth::kUnknown), Target("c", "1", TargetHealth::kUp)};
  for (const auto& [job, replica] :
       std::vector<std::pair<std::string, std::string>>{{"y", "0"}, {"x", "1"}, {"y", "1"}})
    targets.dropped.push_back({.discovered_labels = L({{"job", job}, {"replica", replica}})});
  DeduplicateTargets({"replica"}, &targets);
  ASSERT_THAT(targets.active, SizeIs(3));
  EXPECT_EQ(targets.active[0].scrape_url, "a");
  EXPECT_EQ(targets.active[0].last_scrape.seconds, 2);
  EXPECT_EQ(targets.active[0].labels, L({{"job", "x"}}));
  EXPECT_EQ(targets.active[0].discovered_labels, L({{"__address__", "a"}}));
  EXPECT_EQ(targets.active[1].health, TargetHealth::kDown);
  EXPECT_EQ(targets.active[2].health, TargetHealth::kUp);
  ASSERT_THAT(targets.dropped, SizeIs(2));
  EXPECT_EQ(targets.dropped[0].discovered_labels, L({{"job", "x"}}));
  EXPECT_EQ(targets.dropped[1].discovered_labels, L({{"job", "y"}}));
}

// An endpoint with rules and targets and without series.
class Endpoint {
 public:
  Endpoint() : server_(Options(), Logger(), metrics_) {
    store::RegisterInfo(server_, [this](const Context&) { return StatusOr(info); });
    server_.Register("/thanos.Rules/Rules", net::grpc::Server::Kind::kServerStream,
                     [this](net::grpc::ServerCall& call) -> Status { return Answer(call, rules); });
    server_.Register(
        "/thanos.Targets/Targets", net::grpc::Server::Kind::kServerStream,
        [this](net::grpc::ServerCall& call) -> Status { return Answer(call, targets); });
    info.component_type = "sidecar";
    info.rules = info.targets = true;
    EXPECT_TRUE(server_.Start().ok());
  }
  ~Endpoint() { server_.Stop(std::chrono::milliseconds(0)); }
  std::string address() const { return fmt::format("127.0.0.1:{}", server_.port()); }
  // The request that came last.
  std::string last_request() const {
    MutexLock lock(mutex_);
    return last_request_;
  }

  // Set before the first question.
  wire::InfoResponse info;
  std::vector<std::string> rules, targets;  // messages
  Status end;                               // after them
  bool silent = false;                      // nothing comes, not even an end

 private:
  Status Answer(net::grpc::ServerCall& call, const std::vector<std::string>& messages) {
    {
      MutexLock lock(mutex_);
      last_request_ = call.request().view;
    }
    if (silent) {
      const Context& context = call.context();
      std::mutex mutex;
      std::unique_lock lock(mutex);
      std::condition_variable_any never;
      never.wait_until(lock, context.stop_token(), context.deadline(), [] { return false; });
      return context.status();
    }
    for (const std::string& message : messages) RETURN_IF_ERROR(store::SendMessage(call, message));
    return end;
  }
  static net::grpc::ServerOptions Options() {
    net::grpc::ServerOptions options;
    options.address = "127.0.0.1:0";
    return options;
  }

  mutable Mutex mutex_;
  std::string last_request_ AEVUM_GUARDED_BY(mutex_);
  std::shared_ptr<prometheus::Registry> metrics_ = std::make_shared<prometheus::Registry>();
  net::grpc::Server server_;
};

class RulesApiTest : public ::testing::Test {
 protected:
  RulesApiTest() : client_(net::HttpClientOptions{}) {
    options_.api.defaults.replica_labels = {"replica"};
    for (const std::string replica : {"0", "1"}) {
      Endpoint& endpoint = endpoints_[replica == "1" ? 1 : 0];
      wire::Rule alert = Alerting("High", L({{"replica", replica}, {"team", "x"}}),
                                  replica == "1" ? AlertState::kFiring : AlertState::kPending);
      alert.annotations = {{"runbook", ""}, {"summary", "<b>"}};
      alert.alerts.push_back({.labels = L({{"alertname", "High"}}),
                              .state = alert.state,
                              .active_at = Timestamp{.seconds = 60, .nanos = 5},
                              .value = "1e+00"});
      endpoint.rules = {wire::EncodeRuleGroupResponse(
          Group("f", "g", {Recording("r", L({{"replica", replica}})), alert}))};
      endpoint.targets = {wire::EncodeTargetsResponse(
          {.active = {Target("u", replica, TargetHealth::kUp)},
           .dropped = {{.discovered_labels = L({{"job", "d"}, {"replica", replica}})}}})};
    }
  }
  ~RulesApiTest() override { Stop(); }

  void Stop() {
    if (grpc_) grpc_->Stop(std::chrono::milliseconds(0));
    if (server_) server_->Stop(std::chrono::milliseconds(0));
    grpc_.reset();
    server_.reset();
    query_.reset();
  }

  // A querier of its own each time.
  void Start() {
    metrics_ = std::make_shared<prometheus::Registry>();
    options_.endpoints.endpoints.clear();
    for (const Endpoint& endpoint : endpoints_)
      options_.endpoints.endpoints.push_back({.address = endpoint.address()});
    query_ = std::make_unique<Query>(options_, Logger(), metrics_);
    net::HttpServerOptions http;
    http.address = "127.0.0.1:0";
    server_ = std::make_unique<net::HttpServer>(http, Logger(), metrics_);
    query_->AddRoutes(*server_);
    ASSERT_TRUE(server_->Start().ok());
    net::grpc::ServerOptions grpc;
    grpc.address = "127.0.0.1:0";
    grpc_ = std::make_unique<net::grpc::Server>(grpc, Logger(), metrics_);
    RegisterRules(*grpc_, query_->rules(), query_->evaluator());
    RegisterTargets(*grpc_, query_->targets(), query_->evaluator());
    ASSERT_TRUE(grpc_->Start().ok());
    std::atomic<bool> ready = false;
    ASSERT_TRUE(query_->Start([&] { ready = true; }).ok());
    while (!ready) std::this_thread::yield();
  }

  net::HttpClientResponse Get(const std::string& path) {
    auto response =
        client_.Do(Context::Background(),
                   {.url = fmt::format("http://127.0.0.1:{}/api/v1{}", server_->port(), path)});
    EXPECT_TRUE(response.ok()) << response.status();
    return response.ok() ? *response : net::HttpClientResponse{};
  }
  json Data(const std::string& path) {
    const net::HttpClientResponse response = Get(path);
    EXPECT_EQ(response.status, 200) << response.body;
    EXPECT_EQ(response.Header("Cache-Control"), "");
    return json::parse(response.body)["data"];
  }

  // Messages of an answer of the querier's own service; the call's status at the end.
  std::vector<std::string> Call(std::string_view path, std::string request, Status* end) {
    net::grpc::ClientRuntime runtime(1, std::make_shared<prometheus::Registry>());
    net::grpc::Channel channel(runtime, {.address = fmt::format("127.0.0.1:{}", grpc_->port())});
    const auto call =
        channel.Start(Context::Background(), path, SharedBytes::Own(std::move(request)));
    std::vector<std::string> messages;
    while (true) {
      auto message = call->Next();
      *end = message.status();
      if (!message.ok() || !*message) return messages;
      messages.emplace_back((*message)->view);
    }
  }

  QueryOptions options_;
  std::array<Endpoint, 2> endpoints_;
  std::shared_ptr<prometheus::Registry> metrics_;
  std::unique_ptr<Query> query_;
  std::unique_ptr<net::HttpServer> server_;
  std::unique_ptr<net::grpc::Server> grpc_;
  net::HttpClient client_;
};

TEST_F(RulesApiTest, AnswersInTheFormOfThanos) {
  Start();
  EXPECT_EQ(Data("/rules"), json::parse(R"({"groups":[{
    "name":"g","file":"f","interval":0,"evaluationTime":0,"lastEvaluation":"1970-01-01T00:00:00Z",
    "limit":0,"partialResponseStrategy":"WARN","rules":[
      {"state":"firing","name":"High","query":"up","duration":0,"labels":{"team":"x"},
       "annotations":{"runbook":"","summary":"<b>"},"health":"ok","evaluationTime":0,
       "lastEvaluation":"1970-01-01T00:00:01Z","keepFiringFor":0,"type":"alerting","alerts":[
         {"labels":{"alertname":"High"},"annotations":{},"state":"firing","value":"1e+00",
          "activeAt":"1970-01-01T00:01:00.000000005Z","partialResponseStrategy":"WARN"}]},
      {"name":"r","query":"up","labels":{},"health":"ok","evaluationTime":0,
       "lastEvaluation":"1970-01-01T00:00:01Z","type":"recording"}]}]})"));
  const json alerts = Data("/alerts");
  ASSERT_THAT(alerts["alerts"], SizeIs(1));
  EXPECT_EQ(alerts["alerts"][0]["state"], "firing");
  EXPECT_EQ(Data("/targets"), json::parse(R"({"activeTargets":[{
    "discoveredLabels":{"__address__":"u"},"labels":{"job":"x"},"scrapePool":"x","scrapeUrl":"u",
    "globalUrl":"","lastError":"","lastScrape":"1970-01-01T00:00:01Z","lastScrapeDuration":0,
    "health":"up"}],"droppedTargets":[{"discoveredLabels":{"job":"d"}}]})"));
}

TEST_F(RulesApiTest, SendsTheParametersAndFiltersTheAnswers) {
  Start();
  const json data =
      Data("/rules?type=Record&match%5B%5D=%7Breplica%3D%221%22%7D&rule_name%5B%5D=r&file%5B%5D=f");
  const auto request = wire::DecodeRulesRequest(endpoints_[0].last_request());
  ASSERT_TRUE(request.ok()) << request.status();
  EXPECT_EQ(request->type, wire::RuleType::kRecord);
  EXPECT_EQ(request->partial_response, wire::PartialResponse::kWarn);
  EXPECT_THAT(request->matchers, ElementsAre("{replica=\"1\"}"));
  EXPECT_THAT(request->rule_names, ElementsAre("r"));
  EXPECT_THAT(request->files, ElementsAre("f"));
  // Filters run before deduplication: they see the replica labels.
  ASSERT_THAT(data["groups"], SizeIs(1));
  ASSERT_THAT(data["groups"][0]["rules"], SizeIs(1));
  EXPECT_EQ(data["groups"][0]["rules"][0]["name"], "r");
  EXPECT_EQ(Data("/rules?rule_group%5B%5D=none")["groups"], json::array());
  Data("/targets?state=DROPPED");
  EXPECT_EQ(wire::DecodeTargetsRequest(endpoints_[1].last_request())->state,
            wire::TargetState::kDropped);
}

TEST_F(RulesApiTest, RefusesParametersThatAreNone) {
  Start();
  const std::pair<std::string, std::string> bad[] = {
      {"/rules?type=any", "invalid rules parameter type='any'"},
      {"/targets?state=up", "invalid targets parameter state='up'"}};
  for (const auto& [path, text] : bad) {
    const net::HttpClientResponse response = Get(path);
    EXPECT_EQ(response.status, 400) << path;
    EXPECT_EQ(json::parse(response.body)["error"], text);
  }
  const net::HttpClientResponse matcher = Get("/rules?match%5B%5D=%7B");
  EXPECT_EQ(matcher.status, 500);
  EXPECT_EQ(json::parse(matcher.body)["errorType"], "internal");
  EXPECT_THAT(json::parse(matcher.body)["error"].get<std::string>(),
              StartsWith("error retrieving rules: parser ParseMetricSelector: 1:2: parse error"));
}

TEST_F(RulesApiTest, AnswersWithWhatIsThereWhenAnEndpointFails) {
  endpoints_[1].end = Unavailable("prometheus is away");
  endpoints_[1].targets.assign(1, "\xff");
  endpoints_[0].rules.push_back(wire::EncodeRulesWarning("from below"));
  Start();
  const net::HttpClientResponse rules = Get("/rules");
  EXPECT_EQ(rules.status, 200);
  EXPECT_EQ(rules.Header("Cache-Control"), "no-store");
  const json body = json::parse(rules.body);
  // What it had said before it failed counts.
  EXPECT_EQ(body["data"]["groups"][0]["rules"][0]["state"], "firing");
  EXPECT_THAT(
      body["warnings"].get<std::vector<std::string>>(),
      ElementsAre("from below",
                  AllOf(HasSubstr(endpoints_[1].address()), HasSubstr("receiving rules from"),
                        HasSubstr("code = Unavailable"), HasSubstr("prometheus is away"))));
  const json targets = json::parse(Get("/targets").body);
  EXPECT_THAT(targets["data"]["activeTargets"], SizeIs(1));
  EXPECT_THAT(targets["warnings"].get<std::vector<std::string>>(),
              ElementsAre(HasSubstr("not a protobuf message")));
}

TEST_F(RulesApiTest, FailsWithoutPartialResponse) {
  endpoints_[0].end = Unavailable("prometheus is away");
  options_.api.rule_partial_response = false;
  options_.api.target_partial_response = false;
  Start();
  for (const std::string path : {"/rules", "/alerts", "/targets"}) {
    const net::HttpClientResponse response = Get(path);
    EXPECT_EQ(response.status, 500) << path;
    EXPECT_EQ(json::parse(response.body)["errorType"], "internal");
    EXPECT_THAT(json::parse(response.body)["error"].get<std::string>(),
                AllOf(HasSubstr("retrieving"), HasSubstr("proxy "),
                      HasSubstr(endpoints_[0].address()), HasSubstr("prometheus is away")));
  }
  Status end;
  Call("/thanos.Rules/Rules",
       wire::Encode(wire::RulesRequest{.partial_response = wire::PartialResponse::kAbort}), &end);
  EXPECT_EQ(end.code(), StatusCode::kUnavailable);
}

// Whatever happens, the answer names the silent one. How long the other one needs is the machine's
// affair: the timeout grows until that one is within it.
TEST_F(RulesApiTest, GivesUpAnEndpointThatSaysNothing) {
  endpoints_[1].silent = true;
  options_.endpoints.info_timeout = std::chrono::seconds(30);
  for (std::chrono::milliseconds timeout(250);; timeout *= 4) {
    options_.proxy.response_timeout = timeout;
    Start();
    const json body = json::parse(Get("/rules").body);
    const auto warnings = body.value("warnings", std::vector<std::string>());
    EXPECT_THAT(warnings, Contains(AllOf(HasSubstr(endpoints_[1].address()),
                                         HasSubstr("code = DeadlineExceeded"))));
    if (warnings.size() == 1 || timeout > std::chrono::seconds(10)) {
      EXPECT_THAT(warnings, SizeIs(1));
      EXPECT_EQ(body["data"]["groups"][0]["rules"][0]["state"], "pending") << body;
      return;
    }
    Stop();
  }
}

TEST_F(RulesApiTest, AsksOnlyWhoOffersTheService) {
  endpoints_[0].info.rules = false;
  endpoints_[1].info.targets = false;
  Start();
  EXPECT_EQ(Data("/alerts")["alerts"][0]["state"], "firing");
  EXPECT_EQ(Data("/targets")["activeTargets"].size(), 1u);
  EXPECT_TRUE(wire::DecodeTargetsRequest(endpoints_[0].last_request()).ok());
}

TEST_F(RulesApiTest, AnswersEmptyListsWithoutEndpoints) {
  endpoints_[0].info.rules = endpoints_[1].info.rules = false;
  endpoints_[0].info.targets = endpoints_[1].info.targets = false;
  Start();
  EXPECT_EQ(Data("/rules"), json::parse(R"({"groups":[]})"));
  EXPECT_EQ(Data("/alerts"), json::parse(R"({"alerts":null})"));
  EXPECT_EQ(Data("/targets"), json::parse(R"({"activeTargets":[],"droppedTargets":[]})"));
}

// As captured of Thanos: who asks a querier merges for itself.
TEST_F(RulesApiTest, GivesOtherQueriersAllThatTheEndpointsSaid) {
  endpoints_[1].rules.push_back(wire::EncodeRulesWarning("from below"));
  Start();
  Status end;
  const std::vector<std::string> rules =
      Call("/thanos.Rules/Rules", wire::Encode(wire::RulesRequest{.matchers = {"{broken="}}), &end);
  EXPECT_TRUE(end.ok()) << end;
  EXPECT_THAT(rules, ::testing::UnorderedElementsAre(endpoints_[0].rules[0], endpoints_[1].rules[0],
                                                     wire::EncodeRulesWarning("from below")));
  const std::vector<std::string> targets =
      Call("/thanos.Targets/Targets", wire::Encode(wire::TargetsRequest{}), &end);
  EXPECT_TRUE(end.ok()) << end;
  ASSERT_THAT(targets, SizeIs(1));
  EXPECT_THAT(wire::DecodeTargetsResponse(targets[0])->targets->active, SizeIs(2));
  Call("/thanos.Rules/Rules", "\xff", &end);
  EXPECT_EQ(end.code(), StatusCode::kInvalidArgument);
}

TEST_F(RulesApiTest, ChargesAnswersToTheBudget) {
  options_.api.query_memory_bytes = 100;
  Start();
  const net::HttpClientResponse response = Get("/rules");
  EXPECT_EQ(response.status, 500);
  EXPECT_THAT(json::parse(response.body)["error"].get<std::string>(), HasSubstr("budget"));
}

}  // namespace
}  // namespace aevum::query
