#include "query/refused_queries.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <prometheus/registry.h>

#include "base/files.h"

namespace aevum::query {
namespace {

using ::testing::HasSubstr;

constexpr std::string_view kList = R"yaml(
- query: sum(up) by (job)
  reason: use job:up:sum
- pattern: '.*\[([3-9]\d|\d{3,})d\].*'
  reason: at most 29 days
- matchers: ['{__name__=~".+"}', 'kube_pod_info{cluster="big"}']
  reason: name a metric
)yaml";

// The reason that a query is refused for, "" for none.
std::string ReasonFor(const RefusedQueries& list, std::string_view query) {
  const auto expr = promql::Parse(query);
  const auto* entry = list.Find(query, expr.ok() ? expr->get() : nullptr);
  return entry == nullptr ? "" : entry->reason;
}

TEST(RefusedQueriesTest, RefusesByTextPatternAndMatchers) {
  const auto list = RefusedQueries::Parse(kList, {});
  ASSERT_TRUE(list.ok()) << list.status();
  EXPECT_EQ(list->size(), 3U);
  struct Case {
    std::string query;
    std::string reason;
  };
  const Case cases[] = {
      {"sum(up) by (job)", "use job:up:sum"},
      {"  sum(up) by (job)\n", "use job:up:sum"},
      {"sum by(job)(up)", "use job:up:sum"},
      {"sum by(job)(up) + 1", ""},
      {"sum(up)", ""},
      {"rate(x[30d])", "at most 29 days"},
      {"1 +\nrate(x[365d])", "at most 29 days"},
      {"rate(x[29d])", ""},
      {"this is no query [31d]", "at most 29 days"},
      {"this is no query", ""},
      {"", ""},
      {"{__name__=~\".+\"}", "name a metric"},
      {"count({job=\"x\", __name__=~\".+\"})", "name a metric"},
      {"{__name__=~\".*\"}", ""},
      {"kube_pod_info", ""},
      {"kube_pod_info{cluster=\"big\",pod=\"p\"}", "name a metric"},
      {"kube_pod_info{cluster!=\"big\"}", ""},
      {"a / on (x) max_over_time((-(b + kube_pod_info{cluster=\"big\"}))[5m:1m])", "name a metric"},
      {"topk(scalar(kube_pod_info{cluster=\"big\"}), a)", "name a metric"},
      {"rate(kube_pod_info{cluster=\"big\"}[5m] offset 1h)", "name a metric"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.query);
    EXPECT_EQ(ReasonFor(*list, c.query), c.reason);
  }
  EXPECT_NE(list->FindSelector(*promql::ParseSelector("{__name__=~\".+\",a=\"b\"}")), nullptr);
  EXPECT_EQ(list->FindSelector(*promql::ParseSelector("up")), nullptr);
}

TEST(RefusedQueriesTest, TakesOneSelectorWithoutAList) {
  const auto list = RefusedQueries::Parse("- {matchers: up, reason: r}", {});
  ASSERT_TRUE(list.ok()) << list.status();
  EXPECT_EQ(ReasonFor(*list, "up{a=\"b\"}"), "r");
  EXPECT_TRUE(RefusedQueries::Parse("", {})->empty());
  EXPECT_TRUE(RefusedQueries::Parse("[]", {})->empty());
}

TEST(RefusedQueriesTest, NamesTheLineAndTheField) {
  struct Case {
    std::string yaml;
    std::string message;
  };
  const Case cases[] = {
      {"query: up", "line 1: the file is not a list of entries"},
      {"- up", "line 1: an entry is not a map"},
      {"- query: up\n  why: x", "line 2: unknown field in an entry: why"},
      {"- query: up\n  query: up\n  reason: x", "line 2: field query of an entry is there twice"},
      {"- query: up", "line 1: an entry needs the field reason"},
      {"- reason: x", "line 1: an entry needs one of the fields query, pattern and matchers"},
      {"- {query: up, pattern: up, reason: x}", "line 1: an entry needs one of the fields"},
      {"- {query: up, reason: x}\n- query: 'up +'\n  reason: x", "query: line 2: 1:5: parse error"},
      {"- pattern: '('\n  reason: x", "pattern: line 1: "},
      {"- pattern: ''\n  reason: x", "pattern: line 1: is empty"},
      {"- query: [up]\n  reason: x", "query: line 1: not a string"},
      {"- matchers: []\n  reason: x", "matchers: line 1: is empty"},
      {"- matchers: ['up', 'rate(']\n  reason: x", "matchers: line 1: "},
      {"- matchers: '{}'\n  reason: x", "matchers: line 1: a selector without matchers"},
      {"- matchers: {a: b}\n  reason: x", "matchers: line 1: not a list"},
      {"- {", "line 1: not YAML"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.yaml);
    const Status status = RefusedQueries::Parse(c.yaml, {}).status();
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(status.message()), HasSubstr(c.message));
  }
}

double Value(prometheus::Registry& metrics, std::string_view name, const std::string& kind = "") {
  for (const auto& family : metrics.Collect()) {
    for (const auto& metric : family.metric) {
      if (family.name != name || (!kind.empty() && metric.label.front().value != kind)) continue;
      return metric.gauge.value + metric.counter.value;
    }
  }
  return -1;
}

TEST(RefusedQueriesFileTest, FollowsTheFileAndKeepsTheLastGoodList) {
  const auto directory = TemporaryDirectory::Create();
  ASSERT_TRUE(directory.ok());
  const std::string path = directory->File("refused.yaml");
  prometheus::Registry metrics;
  ASSERT_TRUE(WriteFileAtomically(path, "- {query: up, reason: first}").ok());
  const auto file = RefusedQueriesFile::Open(path, {}, Logger(), metrics);
  ASSERT_TRUE(file.ok()) << file.status();
  const Status refused = (*file)->Check("up");
  EXPECT_EQ(refused.code(), StatusCode::kFailedPrecondition);
  EXPECT_EQ(std::string(refused.message()), "the query is refused here: first");
  EXPECT_TRUE((*file)->Check("down").ok());
  EXPECT_EQ(Value(metrics, "aevum_query_refused_total", "query"), 1);
  EXPECT_EQ(Value(metrics, "aevum_query_refused_last_reload_successful"), 1);

  ASSERT_TRUE(WriteFileAtomically(path, "- {query: up, because: bad file}").ok());
  EXPECT_FALSE((*file)->Check("up").ok());
  EXPECT_EQ(Value(metrics, "aevum_query_refused_last_reload_successful"), 0);

  ASSERT_TRUE(
      WriteFileAtomically(path, "- {matchers: down, reason: new}\n- {pattern: 'x.*', reason: new}")
          .ok());
  EXPECT_TRUE((*file)->Check("up").ok());
  EXPECT_FALSE((*file)->Check("rate(down[5m])").ok());
  EXPECT_FALSE((*file)->CheckSelectors({*promql::ParseSelector("down{a=\"b\"}")}).ok());
  EXPECT_TRUE((*file)->CheckSelectors({*promql::ParseSelector("x_total")}).ok());
  EXPECT_EQ(Value(metrics, "aevum_query_refused_last_reload_successful"), 1);
  EXPECT_EQ(Value(metrics, "aevum_query_refused_entries"), 2);
  EXPECT_EQ(Value(metrics, "aevum_query_refused_total", "matchers"), 2);
}

TEST(RefusedQueriesFileTest, ABadFileIsNoStart) {
  const auto directory = TemporaryDirectory::Create();
  ASSERT_TRUE(directory.ok());
  const std::string path = directory->File("refused.yaml");
  prometheus::Registry metrics;
  EXPECT_THAT(std::string(RefusedQueriesFile::Open(path, {}, Logger(), metrics).status().message()),
              HasSubstr(path));
  ASSERT_TRUE(WriteFileAtomically(path, "- reason: x").ok());
  EXPECT_THAT(std::string(RefusedQueriesFile::Open(path, {}, Logger(), metrics).status().message()),
              HasSubstr(path + ": line 1: an entry needs one of the fields"));
}

}  // namespace
}  // namespace aevum::query
