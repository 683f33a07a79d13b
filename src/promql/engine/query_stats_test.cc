// What a query says of its work: samples of steps, times, plans.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "promql/engine/engine.h"
#include "promql/memory_storage.h"

namespace aevum::promql {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// The series of Prometheus's own test of these numbers: one, three, and one of histograms, with a
// sample every 10 s.
MemoryStorage Series() {
  MemoryStorage storage;
  for (int i = 0; i <= 100; ++i) {
    const TimestampMs time = i * 10'000;
    storage.Append(model::Labels::Of({{"__name__", "one"}}), time, i + 1);
    for (const char* a : {"1", "2", "3"})
      storage.Append(model::Labels::Of({{"__name__", "three"}, {"a", a}}), time, i + 1);
    model::FloatHistogram histogram{.schema = 1, .count = 5.0 + 10 * i, .sum = 20.0 + 5 * i};
    histogram.positive_spans = {{.offset = 0, .length = 4}};
    histogram.positive_buckets = {1.0 + i, 2.0 + 2 * i, 1.0 + 3 * i, 1.0 + 4 * i};
    storage.AppendHistogram(model::Labels::Of({{"__name__", "hist"}}), time, histogram);
  }
  return storage;
}

constexpr ParseOptions kEverything = {.experimental_functions = true};

class QueryStatsTest : public ::testing::Test {
 protected:
  StatusOr<QueryResult> Range(std::string_view query, TimestampMs start, TimestampMs end,
                              std::int64_t step, QueryOptions options) {
    return engine_.Range(Context::Background(), storage_, query, start, end, step, options);
  }
  std::vector<std::int64_t> Steps(std::string_view query, TimestampMs start, TimestampMs end,
                                  std::int64_t step) {
    return Steps(engine_, query, start, end, step);
  }
  std::vector<std::int64_t> Steps(const Engine& engine, std::string_view query, TimestampMs start,
                                  TimestampMs end, std::int64_t step) {
    const QueryOptions options{.count_samples = true};
    const Context context = Context::Background();
    const auto result = step == 0
                            ? engine.Instant(context, storage_, query, start, options)
                            : engine.Range(context, storage_, query, start, end, step, options);
    EXPECT_TRUE(result.ok()) << result.status();
    return result.ok() ? result->stats.step_samples : std::vector<std::int64_t>();
  }
  PlanNode Analyze(std::string_view query) {
    const auto result = Range(query, 201'000, 221'000, 10'000, {.analyze = true});
    EXPECT_TRUE(result.ok()) << result.status();
    EXPECT_TRUE(result->stats.step_samples.empty());
    return result->analysis.value_or(PlanNode());
  }

  MemoryStorage storage_ = Series();
  Engine engine_{EngineOptions{.parse = kEverything}};
  Engine plain_engine_{EngineOptions{.parse = kEverything, .optimize = false}};
};

TEST_F(QueryStatsTest, CountsSamplesOfStepsAsPrometheus) {
  struct Case {
    std::string query;
    TimestampMs start;
    TimestampMs end;
    std::int64_t step;
    std::vector<std::int64_t> samples;
    bool comes_twice = false;  // a part of it, which is evaluated once
  };
  const Case cases[] = {
      {"\"text\"", 21'000, 0, 0, {0}},
      {"1", 21'000, 0, 0, {0}},
      {"one", 21'000, 0, 0, {1}},
      {"hist", 21'000, 0, 0, {13}},
      {"timestamp(one)", 21'000, 0, 0, {1}},
      {"timestamp(hist)", 21'000, 0, 0, {1}},
      {"one offset 10s", 21'000, 0, 0, {1}},
      {"one @ 15", 21'000, 0, 0, {1}},
      {"three{a=\"1\"}[20s] @ 19", 21'000, 0, 0, {2}},
      {"three", 21'000, 0, 0, {3}},
      {"one[60s]", 201'000, 0, 0, {6}},
      {"hist[60s]", 201'000, 0, 0, {78}},
      {"max_over_time(one[60s])[20s:5s]", 201'000, 0, 0, {24}},
      {"max_over_time(one[61s])[20s:5s]", 201'000, 0, 0, {26}},
      {"max_over_time(hist[60s])[20s:5s]", 201'000, 0, 0, {312}},
      {"one[60s] @ 30", 201'000, 0, 0, {4}},
      {"hist[60s] @ 30", 201'000, 0, 0, {52}},
      {"sum(max_over_time(three[60s] @ 30))", 201'000, 0, 0, {12}},
      {"one[60s] offset 10s", 201'000, 0, 0, {6}},
      {"max_over_time(one[60s])", 201'000, 0, 0, {6}},
      {"absent_over_time(one[60s])", 201'000, 0, 0, {6}},
      {"max_over_time(three[60s])", 201'000, 0, 0, {18}},
      {"one[60s:5s]", 201'000, 0, 0, {12}},
      {"one[60s:5s] offset 10s", 201'000, 0, 0, {12}},
      {"max_over_time(three[60s:5s])", 201'000, 0, 0, {36}},
      {"sum(max_over_time(three[60s:5s])) + sum(max_over_time(three[60s:5s]))",
       201'000,
       0,
       0,
       {72},
       true},
      {"three{a=\"1\"}", 201'000, 220'000, 5'000, {1, 1, 1, 1}},
      {"hist", 204'000, 223'000, 5'000, {13, 13, 13, 13}},
      {"timestamp(one)", 201'000, 220'000, 5'000, {1, 1, 1, 1}},
      {"timestamp(hist)", 201'000, 220'000, 5'000, {1, 1, 1, 1}},
      {"sum(max_over_time(three[60s:5s])) + sum(max_over_time(one[60s:5s]))",
       201'000,
       220'000,
       5'000,
       {48, 48, 48, 48}},
      {"sum_over_time(one[30s:30s])", 90'000, 0, 0, {1}},
      {"max_over_time(one[30s:2m])", 240'000, 0, 0, {1}},
      {"max_over_time(one[30s:10s])", 201'000, 231'000, 30'000, {3, 3}},
      {"max_over_time(one[20s:10s])", 201'000, 261'000, 10'000, {2, 2, 2, 2, 2, 2, 2}},
      {"max_over_time(one[30s:10s])", 201'000, 261'000, 60'000, {3, 3}},
      {"histogram_count(max_over_time(hist[20s:10s]))", 201'000, 0, 0, {26}},
      {"avg_over_time(hist[2m:1m])", 120'000, 240'000, 60'000, {26, 26, 26}},
      {"max_over_time(three[60s:10s])", 200'000, 400'000, 30'000, {18, 18, 18, 18, 18, 18, 18}},
      {"predict_linear(one[60s] @ 100, 60)", 100'000, 300'000, 100'000, {6, 6, 6}},
      {"sum_over_time(three[20s:10s] @ 200)", 250'000, 0, 0, {6}},
      {"sum_over_time(three[1m:10s] @ 200 offset 1m)", 300'000, 0, 0, {18}},
      {"sum_over_time(max_over_time(three[60s] @ 300)[5m:1m] @ 600)[10m:2m]", 800'000, 0, 0, {75}},
      {"rate(sum_over_time(one[30s])[1m:30s])", 240'000, 0, 0, {2}},
      // And where the data ends.
      {"three", 1'290'000, 1'310'000, 10'000, {3, 0, 0}},
      {"scalar(one) + quantile(scalar(one), three)", 21'000, 0, 0, {5}},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.query);
    EXPECT_EQ(Steps(plain_engine_, c.query, c.start, c.end, c.step), c.samples);
    storage_.set_batch_size(1);
    EXPECT_EQ(Steps(plain_engine_, c.query, c.start, c.end, c.step), c.samples);
    storage_.set_batch_size(64);
    if (c.comes_twice) continue;
    EXPECT_EQ(Steps(c.query, c.start, c.end, c.step), c.samples);
  }
}

TEST_F(QueryStatsTest, WhatIsEvaluatedOnceCountsForEachStepButNotTwice) {
  const auto steps = [this](std::string_view query) {
    return Steps(query, 201'000, 221'000, 10'000);
  };
  EXPECT_THAT(steps("one @ 100 + on () sum(three)"), ElementsAre(4, 4, 4));
  EXPECT_THAT(steps("sum(rate(three[1m] @ 100))"), ElementsAre(18, 18, 18));
  EXPECT_THAT(steps("sum(three) + sum(three)"), ElementsAre(3, 3, 3));
  EXPECT_THAT(steps("three{a=\"1\"} + three"), ElementsAre(2, 2, 2));
}

TEST_F(QueryStatsTest, CountsNothingUnlessAsked) {
  const auto result = Range("sum(three)", 0, 10'000, 1'000, {});
  ASSERT_TRUE(result.ok());
  EXPECT_TRUE(result->stats.step_samples.empty());
  EXPECT_FALSE(result->analysis.has_value());
  EXPECT_GT(result->stats.evaluation.count(), 0);
  EXPECT_GT(result->stats.preparation.count(), 0);
}

TEST_F(QueryStatsTest, CountsAreChargedToTheBudget) {
  const auto ask = [&](std::int64_t bytes, bool count) {
    const Context context =
        Context::Background().WithBudget(std::make_shared<MemoryBudget>("query", bytes, nullptr));
    return engine_.Range(context, storage_, "1", 0, 9'999, 1, {.count_samples = count});
  };
  const auto plain = ask(MemoryBudget::kUnlimited, false);
  ASSERT_TRUE(plain.ok()) << plain.status();
  // Counts take 16 bytes a step.
  const std::int64_t too_little = plain->stats.peak_bytes + 150'000;
  EXPECT_TRUE(ask(too_little, false).ok());
  EXPECT_EQ(ask(too_little, true).status().code(), StatusCode::kResourceExhausted);
  EXPECT_TRUE(ask(too_little + 20'000, true).ok());
}

// The tree as lines, children behind their parents with a deeper indent.
void Print(const PlanNode& node, int depth, std::string* out) {
  *out += std::string(static_cast<std::size_t>(2 * depth), ' ') + node.name + "\n";
  for (const PlanNode& child : node.children) Print(child, depth + 1, out);
}

std::string Plan(std::string_view query, bool range = true) {
  const Engine engine(EngineOptions{.parse = kEverything});
  MemoryStorage source;
  const auto plan =
      range ? engine.ExplainRange(Context::Background(), source, query, 0, 60'000, 10'000)
            : engine.Explain(Context::Background(), source, query, 0);
  if (!plan.ok()) return std::string(plan.status().message());
  std::string out;
  Print(*plan, 0, &out);
  return out;
}

TEST(PlanTest, ShowsWhatTheEngineDoes) {
  EXPECT_EQ(Plan("sum by (job) (rate(x{a=\"b\"}[5m] offset 1m))"),
            "[aggregation] sum by (job), holds a row a group\n"
            "  [window] rate(x{a=\"b\"}[5m] offset 1m), streams\n");
  EXPECT_EQ(Plan("topk without (a) (2 * 3, {a=\"b\"} > 1)"),
            "[aggregation] topk without (a), holds all rows\n"
            "  [arithmetic] >, streams\n"
            "    [selector] {a=\"b\"}, streams\n"
            "    [scalar] 1\n"
            "  [scalar] 6\n");
  EXPECT_EQ(Plan("a + on (b) group_left (c) (-(+d))"),
            "[matching] + on (b) group_left (c), holds all rows\n"
            "  [selector] a, streams\n"
            "  [unary] -, streams\n"
            "    [selector] d, streams\n");
  EXPECT_EQ(Plan("quantile_over_time(scalar(q), abs({x=\"y\"})[1h:1m])"),
            "[window] quantile_over_time([1h:1m]), holds all rows\n"
            "  [function] abs, holds all rows\n"
            "    [selector] {x=\"y\"}, streams\n"
            "  [scalar] scalar()\n"
            "    [selector] q, streams\n");
  EXPECT_EQ(Plan("label_replace(timestamp(a), \"x\", \"y\", \"z\", \"(\")"),
            "[function] label_replace, holds all rows\n"
            "  [selector] timestamp(a), streams\n"
            "  [string] \"x\"\n"
            "  [string] \"y\"\n"
            "  [string] \"z\"\n"
            "  [string] \"(\"\n");
  EXPECT_EQ(Plan("histogram_quantile(0.9, limit_ratio(0.5, h) or absent(h) or vector(time()))"),
            "[function] histogram_quantile, holds all rows\n"
            "  [scalar] 0.9\n"
            "  [matching] or, holds all rows\n"
            "    [matching] or, holds all rows\n"
            "      [aggregation] limit_ratio, streams\n"
            "        [selector] h, streams\n"
            "        [scalar] 0.5\n"
            "      [function] absent, holds one row\n"
            "        [selector] h, streams\n"
            "    [function] vector, holds one row\n"
            "      [scalar] time()\n");
  EXPECT_EQ(Plan("x[5m]", false), "[samples] x[5m], holds all rows\n");
  EXPECT_EQ(Plan("x[5m:] @ end()", false),
            "[subquery] [5m:] @ end(), holds all rows\n  [selector] x, streams\n");
  EXPECT_EQ(Plan("\"s\"", false), "[string] \"s\"\n");
}

TEST(PlanTest, ShowsWhatTheOptimiserFound) {
  EXPECT_EQ(Plan("sum(a @ 0) + b{x=\"y\"} * c"),
            "[matching] +, holds all rows\n"
            "  [aggregation] sum, holds a row a group, once for all steps\n"
            "    [selector] a @ 0.000, streams\n"
            "  [matching] *, holds all rows\n"
            "    [selector] b{x=\"y\"}, streams\n"
            "    [selector] c{x=\"y\"}, streams\n");
  EXPECT_EQ(Plan("sum(a) / count(b) + sum(a)"),
            "[matching] +, holds all rows\n"
            "  [matching] /, holds all rows\n"
            "    [aggregation] sum, holds a row a group, taken from its equal\n"
            "    [aggregation] count, holds a row a group\n"
            "      [selector] b, streams\n"
            "  [aggregation] sum, holds a row a group\n"
            "    [selector] a, streams\n");
  // A single step is a single step.
  EXPECT_EQ(Plan("sum(a @ 0)", false),
            "[aggregation] sum, holds a row a group\n  [selector] a @ 0.000, streams\n");
}

TEST(PlanTest, RefusesWhatCanNotBeEvaluated) {
  EXPECT_THAT(Plan("up +"), HasSubstr("1:5: parse error"));
  EXPECT_THAT(Plan("up[5m]"), HasSubstr("invalid expression type"));
  MemoryStorage source;
  EXPECT_THAT(
      std::string(
          Engine({}).ExplainRange(Context::Background(), source, "up", 1, 0, 1).status().message()),
      HasSubstr("end timestamp"));
}

TEST(PlanTest, TakesTreesAsDeepAsTheParserDoes) {
  std::string chain = "a";
  for (int i = 1; i < kMaxExpressionDepth; ++i) chain += "+a";
  MemoryStorage source;
  const auto plan = Engine({}).Explain(Context::Background(), source, chain, 0);
  ASSERT_TRUE(plan.ok()) << plan.status();
  int depth = 1;
  for (const PlanNode* node = &*plan; !node->children.empty(); node = node->children.data())
    ++depth;
  EXPECT_EQ(depth, kMaxExpressionDepth);
}

TEST_F(QueryStatsTest, MeasuresOperators) {
  const PlanNode sum = Analyze("sum by (b) (three) + sum by (b) (max_over_time(one[30s]))");
  EXPECT_EQ(sum.name, "[matching] +, holds all rows");
  EXPECT_EQ(sum.series, 1);
  EXPECT_EQ(sum.total_samples, 9 + 9);
  EXPECT_EQ(sum.peak_samples, 9);
  EXPECT_GT(sum.execution_time.count(), 0);
  ASSERT_EQ(sum.children.size(), 2U);
  const PlanNode& left = sum.children[0];
  EXPECT_EQ(left.series, 1);
  EXPECT_EQ(left.total_samples, 9);
  ASSERT_EQ(left.children.size(), 1U);
  EXPECT_EQ(left.children[0].name, "[selector] three, streams");
  EXPECT_EQ(left.children[0].series, 3);
  EXPECT_EQ(left.children[0].total_samples, 9);
  EXPECT_GE(left.execution_time, left.children[0].execution_time);
  EXPECT_GE(sum.execution_time, left.execution_time);
  const PlanNode& window = sum.children[1].children[0];
  EXPECT_EQ(window.series, 1);
  EXPECT_EQ(window.total_samples, 9);
}

TEST_F(QueryStatsTest, MeasuresPartsThatAreEvaluatedOnce) {
  const PlanNode sum = Analyze("sum(three @ 100) + sum(one) * sum(one)");
  ASSERT_EQ(sum.children.size(), 2U);
  EXPECT_EQ(sum.children[0].series, 1);
  EXPECT_EQ(sum.children[0].total_samples, 3);
  const PlanNode& product = sum.children[1];
  EXPECT_EQ(product.total_samples, 3);
  EXPECT_EQ(product.children[0].series, 1);
  EXPECT_TRUE(product.children[0].children.empty());
  EXPECT_EQ(product.children[1].children[0].series, 1);
  EXPECT_EQ(sum.total_samples, 6);
}

TEST_F(QueryStatsTest, MeasuresSubqueriesAndScalars) {
  const PlanNode window = Analyze("quantile_over_time(scalar(one), sum(three)[20s:10s])");
  EXPECT_EQ(window.total_samples, 3 * 2 + 3);  // two values of the subquery, and one
  ASSERT_EQ(window.children.size(), 2U);
  EXPECT_EQ(window.children[0].name, "[aggregation] sum, holds a row a group");
  EXPECT_EQ(window.children[0].total_samples, 3 * 4);  // at 190, 200, 210 and 220 s
  EXPECT_EQ(window.children[1].total_samples, 3);
  EXPECT_GT(window.children[1].execution_time.count(), 0);

  const auto bare = engine_.Instant(Context::Background(), storage_, "(three[20s:10s])", 201'000,
                                    {.count_samples = true, .analyze = true});
  ASSERT_TRUE(bare.ok());
  EXPECT_THAT(bare->stats.step_samples, ElementsAre(6));
  EXPECT_EQ(bare->analysis->total_samples, 6);
  EXPECT_EQ(bare->analysis->children[0].total_samples, 6);
  EXPECT_GT(bare->analysis->execution_time.count(), 0);
}

TEST_F(QueryStatsTest, AnAnswerIsTheSameWhenMeasured) {
  for (const char* query : {"sum by (a) (rate(three[1m]))", "-one", "topk(2, three)", "hist + hist",
                            "max_over_time(hist[1m:10s])", "1 + scalar(one)"}) {
    SCOPED_TRACE(query);
    const auto plain = Range(query, 200'000, 260'000, 7'000, {});
    const auto measured =
        Range(query, 200'000, 260'000, 7'000, {.count_samples = true, .analyze = true});
    ASSERT_TRUE(plain.ok());
    ASSERT_TRUE(measured.ok());
    ASSERT_EQ(plain->rows.size(), measured->rows.size());
    for (std::size_t i = 0; i < plain->rows.size(); ++i) {
      EXPECT_EQ(plain->rows.labels(i), measured->rows.labels(i));
      for (std::size_t k = 0; k < plain->rows.steps(); ++k) {
        EXPECT_EQ(plain->rows.values(i)[k], measured->rows.values(i)[k]);
        EXPECT_EQ(plain->rows.Holds(i, k), measured->rows.Holds(i, k));
      }
    }
  }
}

}  // namespace
}  // namespace aevum::promql
