#include "promql/engine/optimizer.h"

#include <algorithm>
#include <string>
#include <vector>

#include <fmt/core.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include "promql/engine/durations.h"
#include "promql/engine/engine.h"
#include "promql/memory_storage.h"
#include "promql/parser.h"
#include "promql/printer.h"

namespace aevum::promql {
namespace {

// Series come without the label `replica`.
class Source final : public Queryable {
 public:
  StatusOr<std::unique_ptr<SelectStream>> Select(const Context&, const model::Matchers&,
                                                 const SelectHints&) override {
    return Internal("not asked");
  }
  bool MatchesOnLabels(std::string_view label) const override { return label != "replica"; }
};

constexpr ParseOptions kEverything = {.experimental_functions = true,
                                      .duration_expressions = true,
                                      .extended_range_selectors = true,
                                      .fill_modifiers = true};

// The expression, what is the same at every step, what comes more than once.
std::string PlanOf(std::string_view query) {
  auto parsed = Parse(query, kEverything);
  if (!parsed.ok()) return std::string(parsed.status().message());
  ExprPtr expr = *std::move(parsed);
  if (const Status status = ResolveDurations(0, 0, expr.get()); !status.ok())
    return std::string(status.message());
  const PlanNotes notes = Optimize(Source(), &expr);
  std::string plan = ToString(*expr);
  std::vector<std::string> invariant;
  for (const Expr* part : notes.step_invariant) invariant.push_back(ToString(*part));
  std::sort(invariant.begin(), invariant.end());
  if (!invariant.empty()) plan += fmt::format("; once: {}", fmt::join(invariant, ", "));
  std::vector<std::string> shared;
  for (const auto& [part, last] : notes.same_as)
    if (part == last) shared.push_back(ToString(*part));
  std::sort(shared.begin(), shared.end());
  if (!shared.empty()) plan += fmt::format("; shared: {}", fmt::join(shared, ", "));
  return plan;
}

struct Case {
  const char* query;
  const char* plan;
};

TEST(OptimizerTest, Plans) {
  const Case cases[] = {
      // Numbers.
      {"1 + 2 * 3", "7"},
      {"a * (2 - 4)", "a * -2"},
      {"a * -(2)", "a * -2"},
      {"a > bool (1 > bool 2)", "a > bool 0"},
      {"clamp(a, 1 + 1, 2 ^ 3)", "clamp(a, 2, 8)"},
      {"a + time() * (1 + 1)", "a + time() * 2"},
      {"topk(1 + 1, a)", "topk(2, a)"},
      // Matchers that both sides of an operator must meet.
      {R"(a{x="1"} / b)", R"(a{x="1"} / b{x="1"})"},
      {R"(a / b{x=~"1|2",y!="3"})", R"(a{x=~"1|2",y!="3"} / b{x=~"1|2",y!="3"})"},
      {R"(a{x="1"} / b{y="2"})", R"(a{x="1",y="2"} / b{x="1",y="2"})"},
      {R"(a{x="1"} / b{x="1"})", R"(a{x="1"} / b{x="1"})"},
      {R"(rate(a{x="1"}[5m]) / sum by (x) (rate(b[5m])))",
       R"(rate(a{x="1"}[5m]) / sum by (x) (rate(b{x="1"}[5m])))"},
      {R"(sum by (x) (a) / sum by (x, y) (b{x="1",y="2"}))",
       R"(sum by (x) (a{x="1"}) / sum by (x, y) (b{x="1",y="2"}))"},
      {R"(sum without (x) (a) / b{x="1",y="2"})", R"(sum without (x) (a{y="2"}) / b{x="1",y="2"})"},
      {R"(-a{x="1"} + abs(b) * 2)", R"(-a{x="1"} + abs(b) * 2)"},
      {R"(a{x="1"} + (abs(b) * 2))", R"(a{x="1"} + (abs(b) * 2))"},
      {R"((abs(b) * 2) + a{x="1"})", R"((abs(b{x="1"}) * 2) + a{x="1"})"},
      {R"(max_over_time(a[5m:1m]) + b{x="1"})", R"(max_over_time(a{x="1"}[5m:1m]) + b{x="1"})"},
      {R"(histogram_quantile(0.9, a) + b{x="1",le="2"})",
       R"(histogram_quantile(0.9, a{x="1"}) + b{le="2",x="1"})"},
      // Only in labels that are matched.
      {R"(a / on (y) sum by (y) (b{x="1",y="2"}))",
       R"(a{y="2"} / on (y) sum by (y) (b{x="1",y="2"}))"},
      {R"(a and ignoring (x) b{x="1",y="2"})", R"(a{y="2"} and ignoring (x) b{x="1",y="2"})"},
      {R"({__name__=~"a.*",x="1"} / b)", R"({__name__=~"a.*",x="1"} / b{x="1"})"},
      // Only where no error of the matching gets lost: the "one" side may hold duplicates, which
      // are
      // an error unless the other side is empty.
      {R"(a / on (y) b{x="1",y="2"})", R"(a / on (y) b{x="1",y="2"})"},
      {R"(a / ignoring (x) b{x="1",y="2"})", R"(a / ignoring (x) b{x="1",y="2"})"},
      {R"(a{x="1"} / on (x) b)", R"(a{x="1"} / on (x) b)"},
      {R"(a{x="1"} / on (x) sum by (x) (b))", R"(a{x="1"} / on (x) sum by (x) (b{x="1"}))"},
      {R"(a{x="1"} / on (x) sum by (x, y) (b))", R"(a{x="1"} / on (x) sum by (x, y) (b))"},
      {R"(a{x="1"} * on (x) group_left () b)", R"(a{x="1"} * on (x) group_left () b)"},
      {R"(a * on (x) group_left () b{x="1"})", R"(a * on (x) group_left () b{x="1"})"},
      {R"(a * on (x) group_left () max by (x) (b{x="1"}))",
       R"(a{x="1"} * on (x) group_left () max by (x) (b{x="1"}))"},
      {R"(a{x="1"} * on (x) group_right () b)", R"(a{x="1"} * on (x) group_right () b)"},
      {R"(a * on (x) group_right () b{x="1"})", R"(a * on (x) group_right () b{x="1"})"},
      // Set operators have no duplicates; `or` and the left of `unless` keep what does not match.
      {R"(a{x="1"} and on (x) b)", R"(a{x="1"} and on (x) b{x="1"})"},
      {R"(a and on (x) b{x="1"})", R"(a{x="1"} and on (x) b{x="1"})"},
      {R"(a{x="1"} unless b)", R"(a{x="1"} unless b{x="1"})"},
      {R"(a unless b{x="1"})", R"(a unless b{x="1"})"},
      {R"(a{x="1"} or b)", R"(a{x="1"} or b)"},
      // Filled sides keep what does not match.
      {R"(a{x="1"} + fill (0) b)", R"(a{x="1"} + fill (0) b)"},
      // Labels that functions and aggregations change or take away.
      {R"q(label_replace(a, "x", "$1", "y", "(.*)") / b{x="1"})q",
       R"q(label_replace(a, "x", "$1", "y", "(.*)") / b{x="1"})q"},
      {R"(sum by (y) (a) / b{x="1"})", R"(sum by (y) (a) / b{x="1"})"},
      {R"(topk(2, a) / b{x="1"})", R"(topk(2, a) / b{x="1"})"},
      {R"(absent_over_time(a[5m]) / b{x="1"})", R"(absent_over_time(a[5m]) / b{x="1"})"},
      {R"((a + c) / b{x="1"})", R"((a + c) / b{x="1"})"},
      // Labels that series do not come with.
      {R"(a{replica="1"} / b)", R"(a{replica="1"} / b)"},
      // Parts that are fixed in time.
      {"a @ 10", "a @ 10.000; once: a @ 10.000"},
      {"a / b @ 10", "a / b @ 10.000; once: b @ 10.000"},
      {"sum(rate(a[5m] @ end())) / sum(b)",
       "sum(rate(a[5m] @ end())) / sum(b); once: sum(rate(a[5m] @ end()))"},
      {"timestamp(a @ 10)", "timestamp(a @ 10.000); once: a @ 10.000"},
      {"predict_linear(a[5m] @ 10, 60)", "predict_linear(a[5m] @ 10.000, 60)"},
      {"max_over_time(rate(a[5m] @ 10)[1h:1m])",
       "max_over_time(rate(a[5m] @ 10.000)[1h:1m]); once: rate(a[5m] @ 10.000)"},
      {"max_over_time(rate(a[5m])[1h:1m] @ 10)",
       "max_over_time(rate(a[5m])[1h:1m] @ 10.000); once: max_over_time(rate(a[5m])[1h:1m] @ "
       "10.000)"},
      {"vector(time()) + a @ 10", "vector(time()) + a @ 10.000; once: a @ 10.000"},
      // Aggregations that come more than once.
      {"sum(a) / (sum(a) + sum(b))", "sum(a) / (sum(a) + sum(b)); shared: sum(a)"},
      {"max(sum by (x) (a)) - min(sum by (x) (a))",
       "max(sum by (x) (a)) - min(sum by (x) (a)); shared: sum by (x) (a)"},
      {"sum(a) + sum(a offset 5m)", "sum(a) + sum(a offset 5m)"},
  };
  for (const Case& c : cases) EXPECT_EQ(PlanOf(c.query), c.plan) << c.query;
}

// What is evaluated once is so at the place that Prometheus names in annotations: the last.
TEST(OptimizerTest, EvaluatesTheLastOfEqualParts) {
  auto parsed = Parse("sum(a) + sum(a)", {});
  ASSERT_TRUE(parsed.ok());
  ExprPtr expr = *std::move(parsed);
  const PlanNotes notes = Optimize(Source(), &expr);
  const auto& binary = As<BinaryExpr>(*expr);
  EXPECT_EQ(notes.same_as.at(binary.lhs.get()), binary.rhs.get());
  EXPECT_EQ(notes.same_as.at(binary.rhs.get()), binary.rhs.get());
}

std::string AnswerOf(const Engine& engine, Queryable& storage, std::string_view query) {
  const auto result = engine.Range(Context::Background(), storage, query, 0, 600'000, 60'000);
  if (!result.ok()) return result.status().ToString();
  std::string text;
  for (std::size_t i = 0; i < result->rows.size(); ++i) {
    text += result->rows.labels(i).ToString();
    for (std::size_t k = 0; k < result->rows.steps(); ++k) {
      if (result->rows.present(i)[k] != 0)
        text += fmt::format(" {}@{}", result->rows.values(i)[k], k);
    }
    text += "\n";
  }
  return text + fmt::format("{} {}", result->warnings, result->infos);
}

TEST(OptimizerTest, AnswersStayTheSame) {
  MemoryStorage storage;
  for (const char* name : {"a", "b", "c"}) {
    for (const char* x : {"1", "2", "3"}) {
      for (const char* y : {"1", "2"}) {
        for (TimestampMs time = 0; time <= 600'000; time += 15'000) {
          storage.Append(model::Labels::Of({{"__name__", name}, {"x", x}, {"y", y}}), time,
                         static_cast<double>(time % 70'000) * (*name - 'a' + 1) + *x - *y);
        }
      }
    }
  }
  const Engine optimizing{EngineOptions{}};
  const Engine plain{EngineOptions{.optimize = false}};
  const char* const queries[] = {
      R"(a{x="1"} / b)",
      R"(a / b{x=~"1|2",y!="2"})",
      R"(sum by (x) (a) / sum by (x) (b{x="2"}))",
      R"(a{x="1"} / on (x) b)",
      R"(a{x="1"} * on (x) group_left () sum by (x) (b))",
      R"(a and on (x) b{x="1"})",
      R"(a unless b{x="1"})",
      R"(a{x="1"} or b)",
      "rate(a[2m] @ 300) + b",
      "sum(a @ end()) - sum(a)",
      "max_over_time(sum by (x) (a @ 120)[3m:1m])",
      "sum(rate(a[2m])) / (sum(rate(a[2m])) + sum(b))",
      "quantile(2, a) + quantile(2, a)",
      "timestamp(a @ 300)",
      "predict_linear(a[5m] @ 300, 60)",
      "a @ 300 > 100000",
      "absent(a{x=\"7\"} @ 300)",
      // One select for several selectors.
      R"(sum(rate(a{x="1"}[2m])) / sum(rate(a[2m])))",
      R"(rate(a[2m]) - rate(a{y!="1"}[2m]))",
      R"(a or a{x="2"})",
  };
  for (const char* query : queries) {
    const std::string answer = AnswerOf(optimizing, storage, query);
    EXPECT_EQ(answer, AnswerOf(plain, storage, query)) << query;
  }
}

}  // namespace
}  // namespace aevum::promql
