#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include <fmt/core.h>
#include <gtest/gtest.h>

#include "promql/engine/engine.h"
#include "promql/function_table.h"
#include "promql/memory_storage.h"
#include "query_generator.h"
#include "shrinking.h"
#include "slow_evaluator.h"
#include "test_data.h"

namespace aevum::promql::differential {
namespace {

constexpr int kQueriesOfData = 500;  // then other data is made
constexpr int kShownDifferences = 10;

std::uint64_t NumberFromEnvironment(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

// ---- answers ----

bool Same(double a, double b) {
  if (std::isnan(a) || std::isnan(b)) return std::isnan(a) && std::isnan(b);
  return std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b);
}

Answer AnswerOf(const QueryResult& result) {
  Answer answer{.type = result.type, .text = result.text};
  if (result.type == ValueType::kScalar) {
    answer.series.push_back({{}, {result.scalar}});
    return answer;
  }
  for (std::size_t i = 0; i < result.rows.size(); ++i) {
    Series series{result.rows.labels(i), {}};
    for (std::size_t k = 0; k < result.rows.steps(); ++k) {
      series.values.emplace_back();
      if (result.rows.present(i)[k] != 0) series.values.back() = result.rows.values(i)[k];
    }
    answer.series.push_back(std::move(series));
  }
  for (const QueryResult::Range& range : result.ranges) {
    StoredSeries series{range.labels, {}};
    for (std::size_t i = 0; i < range.times.size(); ++i)
      series.points.push_back({range.times[i], range.values[i]});
    answer.ranges.push_back(std::move(series));
  }
  return answer;
}

bool IsEmpty(const Answer& answer) {
  return answer.series.empty() && answer.ranges.empty() && answer.type != ValueType::kString;
}

std::string Shown(const std::optional<double>& value) {
  return value ? fmt::format("{:.17g}", *value) : "nothing";
}

// ---- comparison: a text that says what is different, or "" ----

std::string CompareSeries(const Series& slow, const Series& fast) {
  for (std::size_t k = 0; k < slow.values.size(); ++k) {
    const auto& a = slow.values[k];
    const auto& b = fast.values[k];
    if (a.has_value() == b.has_value() && (!a || Same(*a, *b))) continue;
    return fmt::format("{} at step {}: expected {}, the engine has {}", slow.labels.ToString(), k,
                       Shown(a), Shown(b));
  }
  return "";
}

template <typename T>
std::map<model::Labels, const T*> ByLabels(const std::vector<T>& all) {
  std::map<model::Labels, const T*> index;
  for (const T& one : all) index[one.labels] = &one;
  return index;
}

std::string CompareMatrices(const Matrix& slow, const Matrix& fast) {
  const auto expected = ByLabels(slow);
  const auto actual = ByLabels(fast);
  if (actual.size() != fast.size()) return "the engine gives labels twice";
  for (const auto& [labels, series] : expected) {
    const auto it = actual.find(labels);
    if (it == actual.end()) return fmt::format("{} is missing", labels.ToString());
    if (std::string text = CompareSeries(*series, *it->second); !text.empty()) return text;
  }
  for (const auto& [labels, series] : actual)
    if (!expected.contains(labels)) return fmt::format("{} is too much", labels.ToString());
  return "";
}

std::string CompareRanges(const std::vector<StoredSeries>& slow,
                          const std::vector<StoredSeries>& fast) {
  if (slow.size() != fast.size())
    return fmt::format("expected {} series, the engine has {}", slow.size(), fast.size());
  for (std::size_t i = 0; i < slow.size(); ++i) {
    if (slow[i].labels != fast[i].labels)
      return fmt::format("expected {}, the engine has {}", slow[i].labels.ToString(),
                         fast[i].labels.ToString());
    const auto& a = slow[i].points;
    const auto& b = fast[i].points;
    bool same = a.size() == b.size();
    for (std::size_t j = 0; same && j < a.size(); ++j)
      same = a[j].time == b[j].time && Same(a[j].value, b[j].value);
    if (!same) return fmt::format("the samples of {} differ", slow[i].labels.ToString());
  }
  return "";
}

// Where the query itself sorts. Which of equal values is first is not compared.
std::string CompareOrder(const Expr& expr, const Matrix& slow, const Matrix& fast) {
  const Expr& inner = WithoutParens(expr);
  bool by_value = false;
  bool by_labels = false;
  if (inner.kind == ExprKind::kCall) {
    const std::string_view name = As<Call>(inner).function->name;
    by_labels = name.starts_with("sort");
    by_value = name == "sort" || name == "sort_desc";
  } else if (inner.kind == ExprKind::kAggregate) {
    const AggregateOp op = As<AggregateExpr>(inner).op;
    by_value = op == AggregateOp::kTopk || op == AggregateOp::kBottomk;
  }
  for (std::size_t i = 0; i < slow.size(); ++i) {
    if ((by_labels && slow[i].labels != fast[i].labels) ||
        (by_value && !Same(*slow[i].values[0], *fast[i].values[0])))
      return fmt::format("the order differs at element {}", i);
  }
  return "";
}

// ---- one query, both ways ----

class Comparison {
 public:
  explicit Comparison(std::uint64_t data_seed)
      : data_(MakeTestData(data_seed)), engine_({.parse = kParseOptions}) {
    for (const StoredSeries& series : data_)
      for (const Point& point : series.points)
        storage_.Append(series.labels, point.time, point.value);
  }

  enum class Kind : std::uint8_t { kAnswer, kEmpty, kError };
  Kind kind() const { return kind_; }

  // What is different, or "".
  std::string Run(const Query& query) {
    const StatusOr<ExprPtr> expr = Parse(query.text, kParseOptions);
    if (!expr.ok()) return expr.status().ToString();
    const bool instant = query.instant;
    if (!instant && TypeOf(**expr) == ValueType::kMatrix) return "";
    SlowEvaluator evaluator(data_);
    const StatusOr<Answer> slow = instant
                                      ? evaluator.Instant(**expr, query.start)
                                      : evaluator.Range(**expr, query.start, query.end, query.step);
    const Context context = Context::Background();
    const StatusOr<QueryResult> fast =
        instant ? engine_.Instant(context, storage_, query.text, query.start)
                : engine_.Range(context, storage_, query.text, query.start, query.end, query.step);
    kind_ = !slow.ok() ? Kind::kError : IsEmpty(*slow) ? Kind::kEmpty : Kind::kAnswer;
    if (slow.ok() && fast.ok()) return Compare(**expr, instant, *slow, AnswerOf(*fast));
    if (slow.ok()) return fmt::format("the engine fails: {}", fast.status().ToString());
    if (fast.ok()) return fmt::format("expected an error: {}", slow.status().ToString());
    if (slow.status().code() != fast.status().code())
      return fmt::format("expected {}, the engine has {}", slow.status().ToString(),
                         fast.status().ToString());
    return "";
  }

  void SetBatchSize(std::size_t size) { storage_.set_batch_size(size); }

 private:
  static std::string Compare(const Expr& expr, bool instant, const Answer& slow,
                             const Answer& fast) {
    if (slow.type != fast.type) return "the types differ";
    if (slow.text != fast.text) return "the strings differ";
    std::string text = CompareMatrices(slow.series, fast.series);
    if (text.empty()) text = CompareRanges(slow.ranges, fast.ranges);
    if (text.empty() && instant) text = CompareOrder(expr, slow.series, fast.series);
    return text;
  }

  const Data data_;
  MemoryStorage storage_;
  const Engine engine_;
  Kind kind_ = Kind::kAnswer;
};

TEST(DifferentialTest, EngineAnswersAsTheSlowEvaluator) {
  const std::uint64_t seed = NumberFromEnvironment("AEVUM_DIFFERENTIAL_SEED", 1);
  const auto queries =
      static_cast<int>(NumberFromEnvironment("AEVUM_DIFFERENTIAL_QUERIES", kQueriesOfData));
  QueryGenerator generator(seed);
  std::optional<Comparison> comparison;
  std::map<Comparison::Kind, int> kinds;
  int differences = 0;
  for (int i = 0; i < queries; ++i) {
    const std::uint64_t data_seed = seed + static_cast<std::uint64_t>(i / kQueriesOfData);
    if (i % kQueriesOfData == 0) comparison.emplace(data_seed);
    comparison->SetBatchSize(i % 3 == 0 ? 1 : 64);
    Query query = generator.Next();
    const std::string difference = comparison->Run(query);
    ++kinds[comparison->kind()];
    if (difference.empty() || ++differences > kShownDifferences) continue;
    const std::string original = query.ToString();
    query.text = Shrink(query.text, [&](const std::string& text) {
      Query smaller = query;
      smaller.text = text;
      return !comparison->Run(smaller).empty();
    });
    ADD_FAILURE() << "query " << i << " of seed " << seed << ", data of seed " << data_seed << "\n"
                  << original << "\n  " << difference << "\nsmaller: " << query.ToString() << "\n  "
                  << comparison->Run(query);
  }
  const int answers = kinds[Comparison::Kind::kAnswer];
  std::printf("seed %llu: %d queries, %d with an answer, %d empty, %d errors, %d differences\n",
              static_cast<unsigned long long>(seed), queries, answers,
              kinds[Comparison::Kind::kEmpty], kinds[Comparison::Kind::kError], differences);
  EXPECT_EQ(differences, 0);
  EXPECT_GT(answers, queries / 2) << "most queries should find something";
}

}  // namespace
}  // namespace aevum::promql::differential
