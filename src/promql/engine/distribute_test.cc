// Expressions and their distributed plans.
#include "promql/engine/distribute.h"

#include <algorithm>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "promql/engine/durations.h"
#include "promql/engine/optimizer.h"
#include "promql/engine/select_sharing.h"
#include "promql/engine/shared_rows.h"
#include "promql/memory_storage.h"

namespace aevum::promql {
namespace {

constexpr TimestampMs kStart = 1'700'000'000'000;

class NamedEngine final : public RemoteEngine {
 public:
  explicit NamedEngine(std::string name) : name_(std::move(name)) {}
  std::unique_ptr<RemoteStream> Execute(const Context& /*context*/,
                                        const RemoteQuestion& /*question*/) override {
    return nullptr;
  }
  const std::string& name() const override { return name_; }

 private:
  const std::string name_;
};

// Whether a series with one of the label sets can match.
MayHold HoldsSome(std::vector<model::Labels> sets, TimestampMs min_time = INT64_MIN,
                  TimestampMs max_time = INT64_MAX) {
  return [=](const model::Matchers& matchers, TimestampMs first, TimestampMs last) {
    if (first > max_time || last < min_time) return false;
    return std::any_of(sets.begin(), sets.end(), [&](const model::Labels& labels) {
      return std::all_of(matchers.begin(), matchers.end(), [&](const model::Matcher& matcher) {
        return !labels.Has(matcher.name()) || matcher.Matches(labels.Get(matcher.name()));
      });
    });
  };
}

using Sets = std::vector<model::Labels>;
model::Labels L(std::initializer_list<model::Label> labels) { return model::Labels::Of(labels); }

void AddLeaf(Distribution* distribution, const std::string& name, Sets sets,
             TimestampMs min_time = INT64_MIN, TimestampMs max_time = INT64_MAX) {
  distribution->leaves.push_back({.engine = std::make_shared<NamedEngine>(name),
                                  .may_hold = HoldsSome(sets, min_time, max_time),
                                  .label_sets = std::move(sets),
                                  .min_time = min_time,
                                  .max_time = max_time});
}

// A pair of replicas and a third server behind a, another server behind b.
Distribution TwoRegions() {
  Distribution distribution;
  distribution.local_may_hold = HoldsSome({});
  distribution.replica_labels = {"replica"};
  AddLeaf(&distribution, "a",
          {L({{"cluster", "eu1"}, {"region", "eu"}, {"replica", "0"}}),
           L({{"cluster", "eu1"}, {"region", "eu"}, {"replica", "1"}}),
           L({{"cluster", "eu2"}, {"region", "eu"}})});
  AddLeaf(&distribution, "b", {L({{"cluster", "us1"}, {"region", "us"}, {"replica", "0"}})});
  return distribution;
}

std::string PlanOf(const std::string& text, const Distribution& distribution, bool instant = false,
                   bool own_order = false, bool use_start_timestamps = false) {
  const ParseOptions parse{.experimental_functions = true, .fill_modifiers = true};
  auto expr = Parse(text, parse);
  if (!expr.ok()) return expr.status().ToString();
  if (!ResolveDurations(60'000, 600'000, expr->get()).ok()) return "durations";
  const Grid grid{.start = kStart, .step = 60'000, .steps = instant ? std::size_t{1} : 11};
  MemoryStorage storage;
  SelectSharing selects(storage);
  Annotations annotations;
  const PlanNotes notes;
  SharedParts shared;
  const Context context = Context::Background();
  const QueryState state{.context = context,
                         .selects = selects,
                         .query_start = grid.start,
                         .query_end = grid.Last(),
                         .query_step_ms = grid.step,
                         .lookback_ms = 300'000,
                         .default_subquery_step_ms = 60'000,
                         .use_start_timestamps = use_start_timestamps,
                         .annotations = annotations,
                         .notes = notes,
                         .shared = shared};
  return Distribute(**expr, own_order, grid, state, distribution, parse)->ToString(**expr);
}

struct Case {
  std::string expression;
  std::string plan;
};

void ExpectPlans(const std::vector<Case>& cases, const Distribution& distribution,
                 bool instant = false, bool own_order = false) {
  for (const Case& c : cases) {
    SCOPED_TRACE(c.expression);
    EXPECT_EQ(PlanOf(c.expression, distribution, instant, own_order), c.plan);
  }
}

// Leaves that do not use start timestamps would give other answers.
TEST(DistributeTest, KeepsWhatLooksAtStartTimestamps) {
  const Case cases[] = {
      {"sum by (region) (rate(x[5m]))", "sum by (region) (rate(x[5m]))"},
      {"start_timestamp(x)", "start_timestamp(x)"},
      {"delta(x[5m])", "remote[a, b](delta(x[5m]))"},
  };
  for (const Case& c : cases)
    EXPECT_EQ(PlanOf(c.expression, TwoRegions(), false, false, true), c.plan);
}

TEST(DistributeTest, HandsOutWhatIsOfOneSeries) {
  ExpectPlans(
      {
          {"rate(x[5m])", "remote[a, b](rate(x[5m]))"},
          {"abs(-x) * 2 > bool 1", "remote[a, b](abs(-x) * 2 > bool 1)"},
          {"(x > 5)", "(remote[a, b](x > 5))"},
          {"max_over_time(rate(x[5m])[1h:1m])", "remote[a, b](max_over_time(rate(x[5m])[1h:1m]))"},
          {"timestamp(x)", "remote[a, b](timestamp(x))"},
          {"predict_linear(x[5m], 60)", "remote[a, b](predict_linear(x[5m], 60))"},
          {"quantile_over_time(0.9, x[5m])", "remote[a, b](quantile_over_time(0.9, x[5m]))"},
          {"x ^ time()", "remote[a, b](x ^ time())"},
          {"label_replace(x, \"job\", \"$1\", \"pod\", \"(.*)\")",
           "remote[a, b](label_replace(x, \"job\", \"$1\", \"pod\", \"(.*)\"))"},
          {"limit_ratio(0.5, x)", "remote[a, b](limit_ratio(0.5, x))"},
          {"histogram_count(rate(h[5m]))", "remote[a, b](histogram_count(rate(h[5m])))"},
          // The chunks of a selector are smaller than its rows.
          {"x", "x"},
          {"(x)", "(x)"},
          // A label that tells leaves apart is lost.
          {"label_replace(rate(x[5m]), \"cluster\", \"\", \"\", \"\")",
           "remote[a, b](label_replace(rate(x[5m]), \"cluster\", \"\", \"\", \"\"))"},
          {"label_replace(label_replace(rate(x[5m]), \"cluster\", \"\", \"\", \"\"), \"region\", "
           "\"\", \"\", \"\")",
           "label_replace(remote[a, b](label_replace(rate(x[5m]), \"cluster\", \"\", \"\", \"\")), "
           "\"region\", \"\", \"\", \"\")"},
      },
      TwoRegions());
}

TEST(DistributeTest, HandsOutAggregationsOfGroupsBehindOneLeaf) {
  ExpectPlans(
      {
          {"sum by (cluster) (x)", "remote[a, b](sum by (cluster) (x))"},
          {"sum by (job, region) (rate(x[5m]))",
           "remote[a, b](sum by (job, region) (rate(x[5m])))"},
          {"avg without (pod) (x)", "remote[a, b](avg without (pod) (x))"},
          {"stddev without (pod, cluster) (x)", "remote[a, b](stddev without (pod, cluster) (x))"},
          {"quantile by (cluster) (0.9, x)", "remote[a, b](quantile by (cluster) (0.9, x))"},
          {"count_values by (cluster) (\"v\", x)",
           "remote[a, b](count_values by (cluster) (\"v\", x))"},
          {"topk by (cluster) (3, x)", "remote[a, b](topk by (cluster) (3, x))"},
          {"histogram_quantile(0.9, sum by (cluster, le) (rate(x[5m])))",
           "remote[a, b](histogram_quantile(0.9, sum by (cluster, le) (rate(x[5m]))))"},
          {"sum by (cluster) (x) / sum by (cluster) (y)",
           "remote[a, b](sum by (cluster) (x) / sum by (cluster) (y))"},
      },
      TwoRegions());
}

TEST(DistributeTest, SumsAcrossLeavesHere) {
  ExpectPlans(
      {
          {"sum(rate(x[5m]))", "sum(remote[a, b](rate(x[5m])))"},
          {"sum by (job) (rate(x[5m]))", "sum by (job) (remote[a, b](rate(x[5m])))"},
          {"avg without (cluster, region) (rate(x[5m]))",
           "avg without (cluster, region) (remote[a, b](rate(x[5m])))"},
          {"stdvar(rate(x[5m]))", "stdvar(remote[a, b](rate(x[5m])))"},
          {"quantile(0.5, rate(x[5m]))", "quantile(0.5, remote[a, b](rate(x[5m])))"},
          {"histogram_quantile(0.9, sum by (le) (rate(x[5m])))",
           "histogram_quantile(0.9, sum by (le) (remote[a, b](rate(x[5m]))))"},
          {"sum(rate(x[5m])) / sum(rate(y[5m]))",
           "sum(remote[a, b](rate(x[5m]))) / sum(remote[a, b](rate(y[5m])))"},
          {"sum(x)", "sum(x)"},
          // The order of the groups, or of series with several names, is not known.
          {"sum(max by (cluster) (rate(x[5m])))",
           "sum(max by (cluster) (remote[a, b](rate(x[5m]))))"},
          {"sum(rate({__name__=~\"x|y\"}[5m]))", "sum(rate({__name__=~\"x|y\"}[5m]))"},
          {"sum(label_replace(rate(x[5m]), \"job\", \"\", \"\", \"\"))",
           "sum(label_replace(remote[a, b](rate(x[5m])), \"job\", \"\", \"\", \"\"))"},
          {"sum(last_over_time({job=\"x\"}[5m]))",
           "sum(remote[a, b](last_over_time({job=\"x\"}[5m])))"},
          // Leaves would read the buckets too.
          {"histogram_count(sum(rate(h[5m])))", "histogram_count(sum(rate(h[5m])))"},
      },
      TwoRegions());
}

TEST(DistributeTest, PutsExactAggregationsTogether) {
  ExpectPlans(
      {
          {"count(x)", "sum(remote[a, b](count(x)))"},
          {"count by (job) (x)", "sum by (job) (remote[a, b](count by (job) (x)))"},
          {"min without (cluster, region) (x)",
           "min without (cluster, region) (remote[a, b](min without (cluster, region) (x)))"},
          {"max(rate(x[5m]))", "max(remote[a, b](max(rate(x[5m]))))"},
          {"group by (job) (x)", "group by (job) (remote[a, b](group by (job) (x)))"},
          {"topk(3, rate(x[5m]))", "topk(3, remote[a, b](rate(x[5m])))"},
          {"bottomk by (job) (3, x)", "bottomk by (job) (3, x)"},
          {"limitk(2, x)", "limitk(2, remote[a, b](limitk(2, x)))"},
          {"limitk by (job) (2, x)", "limitk by (job) (2, remote[a, b](limitk by (job) (2, x)))"},
          {"sum(topk(3, x))", "sum(topk(3, x))"},
          {"max(abs(sum by (cluster) (x)))", "max(remote[a, b](max(abs(sum by (cluster) (x)))))"},
          // Which series come first is not known.
          {"topk(3, sum by (cluster) (x))", "topk(3, sum by (cluster) (x))"},
          {"topk(scalar(max(x)), rate(y[5m]))",
           "topk(scalar(max(remote[a, b](max(x)))), remote[a, b](rate(y[5m])))"},
      },
      TwoRegions());
}

TEST(DistributeTest, KeepsTheOrderOfInstantQueries) {
  ExpectPlans(
      {
          {"limitk by (job) (3, rate(x[5m])) * 2",
           "limitk by (job) (3, remote[a, b](limitk by (job) (3, rate(x[5m])))) * 2"},
          {"sum by (cluster) (x)", "remote[a, b](sum by (cluster) (x))"},
          {"sum(limitk(3, x))", "sum(limitk(3, remote[a, b](limitk(3, x))))"},
          {"sum(limitk by (job) (3, x))", "sum(limitk by (job) (3, x))"},
          {"topk by (cluster) (3, x) > 1", "remote[a, b](topk by (cluster) (3, x) > 1)"},
      },
      TwoRegions(), /*instant=*/true);
  ExpectPlans(
      {
          {"topk(3, rate(x[5m]))", "topk(3, remote[a, b](rate(x[5m])))"},
          {"topk by (cluster) (3, rate(x[5m]))",
           "topk by (cluster) (3, remote[a, b](rate(x[5m])))"},
          {"sort(rate(x[5m]))", "sort(remote[a, b](rate(x[5m])))"},
          {"sort(max by (cluster) (x))", "sort(max by (cluster) (x))"},
      },
      TwoRegions(), /*instant=*/true, /*own_order=*/true);
}

TEST(DistributeTest, MatchesVectorsBehindOneLeaf) {
  ExpectPlans(
      {
          {"x / y", "remote[a, b](x / y)"},
          {"x / on (cluster, pod) y", "remote[a, b](x / on (cluster, pod) y)"},
          {"x / ignoring (pod) group_left (tier) y",
           "remote[a, b](x / ignoring (pod) group_left (tier) y)"},
          {"x and on (region) y", "remote[a, b](x and on (region) y)"},
          {"x or y", "remote[a, b](x or y)"},
          {"x unless y", "remote[a, b](x unless y)"},
          // Series match those behind other leaves.
          {"rate(x[5m]) / on (pod) rate(y[5m])",
           "remote[a, b](rate(x[5m])) / on (pod) remote[a, b](rate(y[5m]))"},
          {"x and on () y", "x and on () y"},
          {"abs(x) * on () group_left () vector(2)",
           "remote[a, b](abs(x)) * on () group_left () vector(2)"},
          {"rate(x[5m]) or vector(0)", "remote[a, b](rate(x[5m])) or vector(0)"},
          {"abs(x) * scalar(max(y))", "remote[a, b](abs(x)) * scalar(max(remote[a, b](max(y))))"},
          {"abs(x) + fill (0) abs(y)", "remote[a, b](abs(x)) + fill (0) remote[a, b](abs(y))"},
          // The label comes from the other side.
          {"sum by (cluster) (x * on (region, pod) group_left (cluster) y)",
           "sum by (cluster) (x * on (region, pod) group_left (cluster) y)"},
      },
      TwoRegions());
}

TEST(DistributeTest, EvaluatesHereWhatLooksAtAllSeries) {
  ExpectPlans(
      {
          {"absent(x)", "absent(x)"},
          {"absent(rate(x[5m]))", "absent(remote[a, b](rate(x[5m])))"},
          {"absent_over_time(x[5m])", "absent_over_time(x[5m])"},
          {"vector(1)", "vector(1)"},
          {"time()", "time()"},
          {"scalar(sum by (cluster) (x))", "scalar(remote[a, b](sum by (cluster) (x)))"},
          {"max_over_time(sum(rate(x[5m]))[1h:1m])",
           "max_over_time(sum(remote[a, b](rate(x[5m])))[1h:1m])"},
      },
      TwoRegions());
}

TEST(DistributeTest, HandsEverythingToTheOnlyLeafThatHoldsSeries) {
  ExpectPlans(
      {
          {"sum(x{region=\"eu\"})", "remote[a](sum(x{region=\"eu\"}))"},
          {"absent(x{region=\"eu\"})", "remote[a](absent(x{region=\"eu\"}))"},
          {"topk(3, sum by (job) (x{cluster=\"eu2\"}))",
           "remote[a](topk(3, sum by (job) (x{cluster=\"eu2\"})))"},
          {"sum(x{region=\"eu\"}) / sum(x{region=\"us\"})",
           "remote[a](sum(x{region=\"eu\"})) / remote[b](sum(x{region=\"us\"}))"},
          {"sum(x{region=\"asia\"})", "sum(x{region=\"asia\"})"},
          {"abs(x{region=\"asia\"} or y{region=\"us\"})",
           "remote[b](abs(x{region=\"asia\"} or y{region=\"us\"}))"},
      },
      TwoRegions());
}

TEST(DistributeTest, NeverCrossesDeduplication) {
  Distribution pair;
  pair.local_may_hold = HoldsSome({});
  AddLeaf(&pair, "a", {L({{"cluster", "eu1"}, {"replica", "0"}})});
  AddLeaf(&pair, "b", {L({{"cluster", "eu1"}, {"replica", "1"}})});
  AddLeaf(&pair, "c", {L({{"cluster", "us1"}, {"replica", "0"}})});
  EXPECT_EQ(PlanOf("rate(x[5m])", pair), "remote[a, b, c](rate(x[5m]))");
  pair.replica_labels = {"replica"};
  ExpectPlans(
      {
          {"rate(x[5m])", "rate(x[5m])"},
          {"max(x)", "max(x)"},
          {"sum(rate(x{cluster=\"us1\"}[5m]))", "remote[c](sum(rate(x{cluster=\"us1\"}[5m])))"},
      },
      pair);
}

TEST(DistributeTest, LeavesOutWhatItCannotTell) {
  Distribution distribution = TwoRegions();
  // A store that no leaf reads.
  distribution.local_may_hold = HoldsSome({L({{"region", "eu"}})});
  ExpectPlans({{"rate(x[5m])", "rate(x[5m])"},
               {"rate(x{region=\"us\"}[5m])", "remote[b](rate(x{region=\"us\"}[5m]))"}},
              distribution);
  // A leaf that does not say which labels its series have.
  distribution = TwoRegions();
  AddLeaf(&distribution, "c", {});
  distribution.leaves[2].may_hold = [](const auto&, auto, auto) { return true; };
  EXPECT_EQ(PlanOf("rate(x{region=\"us\"}[5m])", distribution), "rate(x{region=\"us\"}[5m])");
  // No label that all have.
  distribution = TwoRegions();
  AddLeaf(&distribution, "c", {L({{"zone", "1"}})});
  EXPECT_EQ(PlanOf("rate(x[5m])", distribution), "rate(x[5m])");
}

TEST(DistributeTest, PartitionLabelsAreThoseThatCount) {
  Distribution distribution = TwoRegions();
  distribution.partition_labels = {"region"};
  ExpectPlans(
      {
          {"sum by (region) (x)", "remote[a, b](sum by (region) (x))"},
          {"sum by (cluster) (rate(x[5m]))", "sum by (cluster) (remote[a, b](rate(x[5m])))"},
      },
      distribution);
  distribution.partition_labels = {"replica"};
  EXPECT_EQ(PlanOf("rate(x[5m])", distribution), "rate(x[5m])");
}

TEST(DistributeTest, AsksLeavesOfTheTimeOnly) {
  Distribution distribution;
  distribution.local_may_hold = HoldsSome({});
  const Sets sets = {L({{"cluster", "eu1"}})};
  AddLeaf(&distribution, "old", sets, 0, kStart - 7'200'000);
  AddLeaf(&distribution, "new", sets, kStart - 86'400'000, INT64_MAX);
  ExpectPlans(
      {
          {"rate(x[5m])", "remote[new](rate(x[5m]))"},
          {"rate(x[3h])", "rate(x[3h])"},
          {"rate(x[5m] offset 3h)", "rate(x[5m] offset 3h)"},
          {"rate(x[5m] offset 30h)", "remote[old](rate(x[5m] offset 1d6h))"},
          {"rate(x[5m] @ 1)", "remote[old](rate(x[5m] @ 1.000))"},
          {"max_over_time(rate(x[5m])[3h:])", "max_over_time(rate(x[5m])[3h:])"},
          {"rate(x[5m]) / rate(x[5m] offset 30h)",
           "remote[new](rate(x[5m])) / remote[old](rate(x[5m] offset 1d6h))"},
      },
      distribution);
  distribution.overlapping_intervals = true;
  ExpectPlans(
      {
          {"rate(x[3h])", "remote[new](rate(x[3h]))"},
          {"rate(x[5m] offset 3h)", "remote[old](rate(x[5m] offset 3h))"},
          {"rate(x[30h])", "rate(x[1d6h])"},
      },
      distribution);
}

TEST(DistributeTest, TakesTreesAsDeepAsTheParserDoes) {
  std::string chain = "rate(x[5m])";
  for (int i = 1; i < kMaxExpressionDepth / 2; ++i) chain += " + sum(x)";
  EXPECT_THAT(PlanOf(chain, TwoRegions()),
              ::testing::StartsWith("remote[a, b](rate(x[5m])) + sum(x) +"));
}

TEST(DistributeTest, SelectorsMustHaveTheEnforcedMatchers) {
  Distribution distribution = TwoRegions();
  distribution.enforced = {model::Matcher::Equal("region", "us")};
  EXPECT_EQ(PlanOf("sum(x)", distribution), "remote[b](sum(x))");
  // Not those of the query on the same label.
  EXPECT_EQ(PlanOf("sum(x{region=\"eu\"})", distribution), "remote[b](sum(x{region=\"eu\"}))");
}

}  // namespace
}  // namespace aevum::promql
