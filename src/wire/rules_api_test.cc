#include "wire/rules_api.h"

#include <cmath>
#include <fstream>
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "encoding/proto_wire.h"
#include "wire/targets_api.h"

namespace aevum::wire {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

// The responses of a captured call.
std::vector<std::string> Responses(const std::string& call) {
  std::ifstream file(std::string(AEVUM_SOURCE_DIR) + "/src/wire/testdata/frames.jsonl");
  std::vector<std::string> found;
  for (std::string line; std::getline(file, line);) {
    const nlohmann::json frame = nlohmann::json::parse(line);
    if (frame["call"] != call || frame["direction"] != "response") continue;
    const std::string hex = frame["hex"];
    std::string bytes;
    for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
      bytes += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
    found.push_back(std::move(bytes));
  }
  return found;
}

TEST(RulesApiTest, ReadsWhatASidecarSends) {
  const std::vector<std::string> messages = Responses("128-rules-sidecar");
  ASSERT_EQ(messages.size(), 2u);
  const auto broken = DecodeRulesResponse(messages[0]);
  ASSERT_TRUE(broken.ok()) << broken.status();
  EXPECT_EQ(broken->group->name, "broken");
  ASSERT_EQ(broken->group->rules.size(), 1u);
  EXPECT_FALSE(broken->group->rules[0].alerting);
  EXPECT_EQ(broken->group->rules[0].health, "err");
  EXPECT_THAT(broken->group->rules[0].last_error, ::testing::StartsWith("found duplicate series"));

  const auto response = DecodeRulesResponse(messages[1]);
  ASSERT_TRUE(response.ok()) << response.status();
  const RuleGroup& group = *response->group;
  EXPECT_EQ(group.file, "rules.yml");
  EXPECT_EQ(group.interval_seconds, 1);
  EXPECT_EQ(group.partial_response, PartialResponse::kAbort);
  EXPECT_EQ(FormatTimestamp(group.last_evaluation).substr(0, 3), "202");
  ASSERT_EQ(group.rules.size(), 3u);
  EXPECT_EQ(group.rules[0].name, "demo:rate");
  const Rule& firing = group.rules[1];
  EXPECT_TRUE(firing.alerting);
  EXPECT_EQ(firing.state, AlertState::kFiring);
  EXPECT_EQ(firing.keep_firing_for_seconds, 60);
  EXPECT_EQ(firing.labels.Get("replica"), "0");
  EXPECT_THAT(firing.annotations,
              ElementsAre(Pair("summary", "load is {{ $value }} on {{ $labels.instance }}")));
  ASSERT_EQ(firing.alerts.size(), 1u);
  EXPECT_EQ(firing.alerts[0].value, "2.15e+01");
  EXPECT_EQ(firing.alerts[0].labels.Get("alertname"), "HighLoad");
  EXPECT_TRUE(firing.alerts[0].active_at.has_value());
  EXPECT_EQ(group.rules[2].duration_seconds, 300);
  EXPECT_EQ(group.rules[2].state, AlertState::kInactive);
  EXPECT_TRUE(group.rules[2].alerts.empty());
}

TEST(RulesApiTest, WritesTheBytesOfARealPeer) {
  int compared = 0;
  for (const char* call : {"128-rules-sidecar", "129-rules-alerts-sidecar", "154-rules-rule"}) {
    for (const std::string& bytes : Responses(call)) {
      SCOPED_TRACE(call);
      const auto response = DecodeRulesResponse(bytes);
      ASSERT_TRUE(response.ok()) << response.status();
      EXPECT_EQ(EncodeRuleGroupResponse(*response->group), bytes);
      ++compared;
    }
  }
  EXPECT_EQ(compared, 5);
  for (const char* call : {"132-targets-sidecar", "133-targets-dropped-sidecar"}) {
    for (const std::string& bytes : Responses(call)) {
      SCOPED_TRACE(call);
      const auto response = DecodeTargetsResponse(bytes);
      ASSERT_TRUE(response.ok()) << response.status();
      EXPECT_EQ(EncodeTargetsResponse(*response->targets), bytes);
      ++compared;
    }
  }
  EXPECT_EQ(compared, 7);
}

TEST(RulesApiTest, ReadsTargets) {
  const std::vector<std::string> messages = Responses("132-targets-sidecar");
  ASSERT_EQ(messages.size(), 1u);
  const auto response = DecodeTargetsResponse(messages[0]);
  ASSERT_TRUE(response.ok()) << response.status();
  const TargetDiscovery& targets = *response->targets;
  ASSERT_EQ(targets.active.size(), 2u);
  EXPECT_EQ(targets.active[0].health, TargetHealth::kUp);
  EXPECT_EQ(targets.active[0].scrape_pool, "demo");
  EXPECT_EQ(targets.active[0].labels.Get("cluster"), "eu");
  EXPECT_GT(targets.active[0].last_scrape_seconds, 0);
  EXPECT_EQ(targets.active[1].health, TargetHealth::kDown);
  EXPECT_THAT(targets.active[1].last_error, ::testing::HasSubstr("connection refused"));
  ASSERT_EQ(targets.dropped.size(), 1u);
  EXPECT_EQ(targets.dropped[0].discovered_labels.Get("job"), "dropped");
}

TEST(RulesApiTest, RequestsAndWarningsComeBack) {
  RulesRequest request;
  request.type = RuleType::kRecord;
  request.partial_response = PartialResponse::kAbort;
  request.matchers = {"{a=\"b\"}", "up"};
  request.rule_names = {"n"};
  request.rule_groups = {"g", "h"};
  request.files = {"f"};
  const auto again = DecodeRulesRequest(Encode(request));
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->type, request.type);
  EXPECT_EQ(again->partial_response, request.partial_response);
  EXPECT_EQ(again->matchers, request.matchers);
  EXPECT_EQ(again->rule_names, request.rule_names);
  EXPECT_EQ(again->rule_groups, request.rule_groups);
  EXPECT_EQ(again->files, request.files);
  const auto targets = DecodeTargetsRequest(Encode(
      TargetsRequest{.state = TargetState::kDropped, .partial_response = PartialResponse::kAbort}));
  ASSERT_TRUE(targets.ok()) << targets.status();
  EXPECT_EQ(targets->state, TargetState::kDropped);
  EXPECT_EQ(targets->partial_response, PartialResponse::kAbort);
  EXPECT_EQ(DecodeRulesResponse(EncodeRulesWarning("gone"))->warning, "gone");
  EXPECT_EQ(DecodeTargetsResponse(EncodeTargetsWarning("gone"))->warning, "gone");
}

TEST(RulesApiTest, KeepsAnnotationsWithoutText) {
  RuleGroup group;
  group.rules.push_back({.alerting = true, .annotations = {{"runbook", ""}, {"a", "b"}}});
  const auto response = DecodeRulesResponse(EncodeRuleGroupResponse(group));
  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_EQ(response->group->rules[0].annotations, group.rules[0].annotations);
}

// A response with a field inside the messages of these fields.
template <typename Put>
std::string Nested(const std::vector<std::uint32_t>& fields, Put put) {
  std::string bytes;
  put(bytes);
  for (auto field = fields.rbegin(); field != fields.rend(); ++field) {
    std::string outer;
    encoding::PutBytesField(outer, *field, bytes);
    bytes = std::move(outer);
  }
  return bytes;
}

TEST(RulesApiTest, RefusesWhatIsNotTheMessage) {
  const auto number = [](std::uint32_t field, std::uint64_t value) {
    return [=](std::string& out) { encoding::PutVarintField(out, field, value); };
  };
  const std::map<std::string, std::string> rules = {
      {"nothing", ""},
      {"half a field", std::string("\x0a\x05x", 3)},
      {"rule of no kind", Nested({1, 3}, [](std::string&) {})},
      {"state of a rule", Nested({1, 3, 2}, number(1, 4))},
      {"state of an alert", Nested({1, 3, 2, 7}, number(3, 9))},
      {"strategy", Nested({1}, number(8, 2))},
      {"nanoseconds", Nested({1, 6}, number(2, 1'000'000'000))},
      {"more than 32 bits", Nested({1, 6}, number(2, std::uint64_t{1} << 32))},
      {"year 10000", Nested({1, 6}, number(1, 253'402'300'800))},
      {"infinite interval",
       Nested({1}, [](std::string& out) { encoding::PutDoubleField(out, 4, HUGE_VAL); })},
      {"labels", Nested({1, 3, 1, 3}, number(1, 1))},
  };
  for (const auto& [name, bytes] : rules)
    EXPECT_EQ(DecodeRulesResponse(bytes).status().code(), StatusCode::kDataLoss) << name;
  const std::map<std::string, std::string> targets = {
      {"nothing", ""},
      {"health", Nested({1, 1}, number(9, 3))},
      {"time", Nested({1, 1, 7}, number(1, 1ull << 60))},
  };
  for (const auto& [name, bytes] : targets)
    EXPECT_EQ(DecodeTargetsResponse(bytes).status().code(), StatusCode::kDataLoss) << name;
  EXPECT_EQ(DecodeRulesRequest("\x08\x03").status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(DecodeRulesRequest("\x1a\x05").status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(DecodeTargetsRequest("\x08\x03").status().code(), StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace aevum::wire
