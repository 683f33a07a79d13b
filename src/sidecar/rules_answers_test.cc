#include "sidecar/rules_answers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace aevum::sidecar {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::SizeIs;

// Prometheus 2.42, shortened.
constexpr std::string_view kRules = R"json({"status":"success","data":{"groups":[
  {"name":"g","file":"/etc/rules.yml","interval":15,"limit":3,"evaluationTime":0.000251,
   "lastEvaluation":"2026-01-02T03:04:05.123456789+01:00","rules":[
    {"state":"pending","name":"High","query":"up == 1","duration":300,"keepFiringFor":60,
     "labels":{"severity":"page"},"annotations":{"summary":"{{ $value }}","runbook":""},
     "alerts":[{"labels":{"alertname":"High","instance":"a:1"},"annotations":{"summary":"1"},
                "state":"pending","activeAt":"2026-01-02T03:00:00Z","value":"1e+00"}],
     "health":"ok","evaluationTime":1e-7,"lastEvaluation":"2026-01-02T02:04:05Z","type":"alerting"},
    {"name":"r","query":"sum(up)","labels":null,"health":"err","lastError":"no luck",
     "evaluationTime":1,"lastEvaluation":"0001-01-01T00:00:00Z","type":"recording"}]},
  {"name":"empty","file":"f","rules":[],"interval":60}]}})json";

TEST(RulesAnswersTest, ReadsRules) {
  const auto groups = ParseRulesAnswer(kRules);
  ASSERT_TRUE(groups.ok()) << groups.status();
  ASSERT_THAT(*groups, SizeIs(2));
  const wire::RuleGroup& group = (*groups)[0];
  EXPECT_EQ(group.name, "g");
  EXPECT_EQ(group.file, "/etc/rules.yml");
  EXPECT_EQ(group.interval_seconds, 15);
  EXPECT_EQ(group.limit, 3);
  EXPECT_EQ(group.evaluation_seconds, 0.000251);
  EXPECT_EQ(FormatTimestamp(group.last_evaluation), "2026-01-02T02:04:05.123456789Z");
  EXPECT_EQ(group.partial_response, wire::PartialResponse::kAbort);
  ASSERT_THAT(group.rules, SizeIs(2));
  const wire::Rule& alert = group.rules[0];
  EXPECT_TRUE(alert.alerting);
  EXPECT_EQ(alert.state, wire::AlertState::kPending);
  EXPECT_EQ(alert.duration_seconds, 300);
  EXPECT_EQ(alert.keep_firing_for_seconds, 60);
  EXPECT_EQ(alert.labels, model::Labels::Of({{"severity", "page"}}));
  EXPECT_THAT(alert.annotations, ElementsAre(Pair("runbook", ""), Pair("summary", "{{ $value }}")));
  EXPECT_EQ(alert.evaluation_seconds, 1e-7);
  ASSERT_THAT(alert.alerts, SizeIs(1));
  EXPECT_EQ(alert.alerts[0].value, "1e+00");
  EXPECT_EQ(alert.alerts[0].labels.Get("instance"), "a:1");
  EXPECT_EQ(FormatTimestamp(*alert.alerts[0].active_at), "2026-01-02T03:00:00Z");
  const wire::Rule& recording = group.rules[1];
  EXPECT_FALSE(recording.alerting);
  EXPECT_TRUE(recording.labels.empty());
  EXPECT_EQ(recording.last_error, "no luck");
  EXPECT_EQ(recording.last_evaluation, kUnsetTimestamp);
  EXPECT_THAT((*groups)[1].rules, IsEmpty());
  EXPECT_EQ((*groups)[1].last_evaluation, kUnsetTimestamp);
}

TEST(RulesAnswersTest, ReadsTargets) {
  const auto targets = ParseTargetsAnswer(R"({"status":"success","data":{"activeTargets":[
    {"discoveredLabels":{"__address__":"a:1","job":"x"},"labels":{"instance":"a:1","job":"x"},
     "scrapePool":"x","scrapeUrl":"http://a:1/metrics","globalUrl":"http://h:1/metrics",
     "lastError":"refused","lastScrape":"2026-01-02T03:04:05.5Z","lastScrapeDuration":0.25,
     "health":"down","scrapeInterval":"1s","scrapeTimeout":"1s"},
    {"discoveredLabels":{},"labels":{},"health":"unknown","lastScrape":"0001-01-01T00:00:00Z"}],
    "droppedTargets":[{"discoveredLabels":{"job":"d"}}]}})");
  ASSERT_TRUE(targets.ok()) << targets.status();
  ASSERT_THAT(targets->active, SizeIs(2));
  const wire::ActiveTarget& target = targets->active[0];
  EXPECT_EQ(target.discovered_labels.Get("__address__"), "a:1");
  EXPECT_EQ(target.labels.Get("instance"), "a:1");
  EXPECT_EQ(target.scrape_pool, "x");
  EXPECT_EQ(target.scrape_url, "http://a:1/metrics");
  EXPECT_EQ(target.global_url, "http://h:1/metrics");
  EXPECT_EQ(target.last_error, "refused");
  EXPECT_EQ(target.last_scrape_seconds, 0.25);
  EXPECT_EQ(target.health, wire::TargetHealth::kDown);
  EXPECT_EQ(FormatTimestamp(target.last_scrape), "2026-01-02T03:04:05.5Z");
  EXPECT_EQ(targets->active[1].health, wire::TargetHealth::kUnknown);
  ASSERT_THAT(targets->dropped, SizeIs(1));
  EXPECT_EQ(targets->dropped[0].discovered_labels.Get("job"), "d");
  const auto none = ParseTargetsAnswer(
      R"({"status":"success","data":{"activeTargets":null,"droppedTargets":[]}})");
  ASSERT_TRUE(none.ok()) << none.status();
  EXPECT_THAT(none->active, IsEmpty());
}

TEST(RulesAnswersTest, NamesTheFieldOfABrokenAnswer) {
  const std::pair<std::string, std::string> cases[] = {
      {R"({"groups":7})", "field data.groups must be an array, not a number"},
      {R"({"groups":[{"rules":{}}]})", "field data.groups[].rules must be an array"},
      {R"({"groups":[{"interval":"1m"}]})", "field data.groups[].interval must be a number"},
      {R"({"groups":[{"lastEvaluation":"now"}]})", "field data.groups[].lastEvaluation: cannot"},
      {R"({"groups":[{"rules":[{"name":"a"}]}]})", "field data.groups[].rules[].type: unknown"},
      {R"({"groups":[{"rules":[{"type":"alerting","state":"odd"}]}]})",
       "field data.groups[].rules[].state: unknown \"odd\""},
      {R"({"groups":[{"rules":[{"type":"recording","labels":[]}]}]})",
       "field data.groups[].rules[].labels must be an object"},
      {R"({"groups":[{"rules":[{"type":"alerting","state":"firing","annotations":{"a":1}}]}]})",
       "field data.groups[].rules[].annotations must be a string"},
  };
  for (const auto& [data, message] : cases) {
    const Status status = ParseRulesAnswer(R"({"status":"success","data":)" + data + "}").status();
    EXPECT_EQ(status.code(), StatusCode::kUnavailable) << data;
    EXPECT_THAT(std::string(status.message()), HasSubstr(message));
  }
  const Status health =
      ParseTargetsAnswer(R"({"status":"success","data":{"activeTargets":[{"health":"odd"}]}})")
          .status();
  EXPECT_THAT(std::string(health.message()), HasSubstr("data.activeTargets[].health: unknown"));
  EXPECT_THAT(std::string(ParseRulesAnswer("<html>").status().message()), HasSubstr("not JSON"));
}

}  // namespace
}  // namespace aevum::sidecar
