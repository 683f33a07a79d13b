// Queries made to take all the time or all the memory: each ends within its deadline, with an
// answer or an error that says why, within its budget, and the engine works after it.
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include <fmt/core.h>
#include <gtest/gtest.h>

#include "base/memory_budget.h"
#include "promql/engine/engine.h"
#include "promql/memory_storage.h"

namespace aevum::promql {
namespace {

using namespace std::chrono_literals;

constexpr std::int64_t kBudget = 64 << 20;
constexpr auto kTimeout = 2s;
constexpr auto kGrace = 90s;  // sanitizers are slow, and so are neighbours
constexpr std::int64_t kMinute = 60'000;
constexpr std::int64_t kYear = 365 * 24 * 60 * kMinute;
constexpr TimestampMs kEnd = kYear;
constexpr std::size_t kMany = 2000;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kMeasuresMemory = false;  // what sanitizers keep is not the engine's
#else
constexpr bool kMeasuresMemory = true;
#endif

model::FloatHistogram HistogramOf(double count) {
  model::FloatHistogram histogram;
  histogram.count = count;
  histogram.sum = count;
  histogram.positive_spans = {{0, 20}};
  histogram.positive_buckets.assign(20, count / 20);
  return histogram;
}

std::unique_ptr<MemoryStorage> MakeStorage() {
  auto storage = std::make_unique<MemoryStorage>();
  for (std::size_t i = 0; i < kMany; ++i) {
    const std::string instance = fmt::format("i{:04}", i);
    const auto many = model::Labels::Of({{model::kMetricName, "many"}, {"instance", instance}});
    for (std::int64_t k = 0; k < 120; ++k)
      storage->Append(many, kEnd - k * kMinute, 0.001 * static_cast<double>(i * 131 + k * 17));
    // A sample at a minute of its own.
    const auto sparse = model::Labels::Of({{model::kMetricName, "sparse"}, {"instance", instance}});
    storage->Append(sparse, kEnd - static_cast<std::int64_t>(i) * kMinute, 1);
  }
  for (const char* place : {"a", "b"}) {
    const auto year = model::Labels::Of({{model::kMetricName, "year_total"}, {"place", place}});
    for (TimestampMs time = 0; time <= kEnd; time += 5 * kMinute)
      storage->Append(year, time, static_cast<double>(time / kMinute % 10));
  }
  const auto histograms = model::Labels::Of({{model::kMetricName, "histograms"}});
  for (std::int64_t k = 0; k < 5000; ++k)
    storage->AppendHistogram(histograms, k * 100 * kMinute, HistogramOf(static_cast<double>(k)));
  return storage;
}

std::string Repeat(std::string_view text, std::size_t times) {
  std::string all;
  for (std::size_t i = 0; i < times; ++i) all += text;
  return all;
}

std::string Nested(std::string_view before, std::string_view inner, std::string_view after,
                   std::size_t times) {
  return Repeat(before, times) + std::string(inner) + Repeat(after, times);
}

std::string Words(std::size_t count, std::string_view end) {
  std::string words;
  for (std::size_t i = 0; i < count; ++i)
    words += fmt::format("{}word{:05}{}", i == 0 ? "" : "|", i, end);
  return words;
}

struct Hostile {
  std::string_view name;
  std::string query;
  std::int64_t back_ms = 0;  // a range query over so long, or 0
  std::int64_t step_ms = kMinute;
  std::int64_t budget = kBudget;
};

Hostile Cases(std::size_t index) {
  const Hostile cases[] = {
      {"TenThousandParentheses", Nested("(", "many", ")", 10'000)},
      {"DeepParentheses", Nested("(", "many", ")", 990)},
      {"DeepNegation", Nested("-(", "many", ")", 490)},
      {"DeepAggregation", Nested("sum(", "many", ")", 990)},
      {"TenThousandSums", "many" + Repeat(" + 1", 10'000)},
      {"DeepScalars", "many" + Repeat(" + 1", 1'400)},
      {"Subqueries", "max_over_time(max_over_time(max_over_time(many[1h:1ms])[1h:1ms])[1h:1ms])"},
      {"RateOfSubqueries", "rate(sum_over_time(rate(many[1h:1ms])[1h:1ms])[1h:1ms])"},
      {"SubqueryOverAYear", "max_over_time(many[1y:1ms])"},
      {"ScalarsOfASubquery",
       "max_over_time(vector(" + Nested("(1 + ", "time()", ")", 500) + ")[1h:1ms])"},
      {"AbsentInASubquery", "sum_over_time(absent(none)[10h:1ms])"},
      {"CountValues", "count_values(\"value\", many)", 120 * kMinute},
      {"CountValuesOfTime", "count_values(\"value\", many * time())", 120 * kMinute},
      {"DoublingLabels", Repeat("label_replace(", 40) +
                             "label_replace(many, \"a\", \"$1\", \"instance\", \"(.*)\")" +
                             Repeat(", \"a\", \"$1$1\", \"a\", \"(.*)\")", 40)},
      {"MultiplyingLabels",
       Repeat("label_replace(", 3) + "label_replace(many, \"a\", \"$1\", \"instance\", \"(.*)\")" +
           Repeat(", \"a\", \"" + Repeat("$1", 20'000) + "\", \"a\", \"(.*)\")", 3)},
      {"JoinedLabels",
       Repeat("label_join(", 3) + "many" +
           Repeat(", \"a\", \",\"" + Repeat(", \"instance\", \"a\"", 2'000) + ")", 3)},
      {"ManyToMany", "many * on () group_left () many"},
      {"ManyToManySparse",
       "last_over_time(sparse[1m]) * on () group_left () last_over_time(sparse[1m])",
       static_cast<std::int64_t>(kMany) * kMinute, kMinute, 4 * kBudget},
      {"SetsOfOneSignature", "many and on () many or on () many unless on () none", 120 * kMinute,
       10'000},
      {"QuantileOverAYear", "quantile_over_time(0.9, year_total[1y])", kYear, 5 * kMinute},
      {"SumOverAYear", "sum_over_time(year_total[1y])", kYear, 5 * kMinute},
      {"DeviationOverAYear", "stddev_over_time(year_total[1y])", kYear, 5 * kMinute},
      {"SlopeOverAYear", "deriv(year_total[1y])", kYear, 5 * kMinute},
      {"ResetsOverAYear", "rate(year_total[1y])", kYear, 5 * kMinute},
      {"HistogramsOverAYear", "sum_over_time(histograms[1y])", kYear, 5 * kMinute},
      {"RateOfHistogramsOverAYear", "rate(histograms[1y])", kYear, 5 * kMinute},
      {"Words", "many{instance=~\"" + Words(50'000, "") + "\"}"},
      {"WordsWithPatterns", "many{instance=~\"" + Words(50'000, ".*x") + "\"}"},
      {"ThousandOrs", "many" + Repeat(" or many", 1000), 120 * kMinute},
      {"ThousandSums", "sum(many)" + Repeat(" + sum(many offset 1m)", 1000), 120 * kMinute},
      {"TopOfAll", "topk(1000, many)", 120 * kMinute, 10'000},
      {"AllSamples", "{__name__=~\".+\"}[1y]"},
      {"SubqueryItself", "many[2h:1s]"},
  };
  return index < std::size(cases) ? cases[index] : Hostile{};
}

std::size_t Count() {
  std::size_t count = 0;
  while (!Cases(count).name.empty()) ++count;
  return count;
}

// Bytes of memory that the process holds now, and at most since MarkPeak.
std::int64_t MemoryLine(std::string_view key) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(key)) return std::stoll(line.substr(key.size() + 1)) * 1024;
  }
  return 0;
}
void MarkPeak() { std::ofstream("/proc/self/clear_refs") << "5"; }

class HostileTest : public ::testing::TestWithParam<std::size_t> {
 protected:
  static void SetUpTestSuite() { storage_ = MakeStorage().release(); }
  static void TearDownTestSuite() {
    delete storage_;
    storage_ = nullptr;
  }
  static MemoryStorage* storage_;
};
MemoryStorage* HostileTest::storage_ = nullptr;

TEST_P(HostileTest, EndsInTimeAndMemory) {
  const Hostile hostile = Cases(GetParam());
  const Engine engine{EngineOptions{.threads = 3}};
  const auto budget = std::make_shared<MemoryBudget>("query", hostile.budget);
  const auto start = std::chrono::steady_clock::now();
  MarkPeak();
  const std::int64_t before = MemoryLine("VmRSS:");
  Status status;
  {
    const Context context = Context::Background().WithTimeout(kTimeout).WithBudget(budget);
    const auto result = hostile.back_ms == 0
                            ? engine.Instant(context, *storage_, hostile.query, kEnd)
                            : engine.Range(context, *storage_, hostile.query,
                                           kEnd - hostile.back_ms, kEnd, hostile.step_ms);
    status = result.status();
  }
  const auto took = std::chrono::steady_clock::now() - start;
  const std::int64_t grown = MemoryLine("VmHWM:") - before;
  std::printf(
      "%.2f s, budget %lld MiB, grown %lld MiB: %s\n", std::chrono::duration<double>(took).count(),
      static_cast<long long>(budget->peak_bytes() >> 20), static_cast<long long>(grown >> 20),
      std::string(status.message().substr(0, 200)).c_str());
  EXPECT_LT(took, kTimeout + kGrace);
  switch (status.code()) {
    case StatusCode::kOk:
    case StatusCode::kInvalidArgument:
    case StatusCode::kFailedPrecondition:
    case StatusCode::kResourceExhausted:
    case StatusCode::kDeadlineExceeded:
      break;
    default:
      ADD_FAILURE() << status;
  }
  EXPECT_EQ(budget->used_bytes(), 0);
  EXPECT_LE(budget->peak_bytes(), hostile.budget);
  EXPECT_TRUE(!kMeasuresMemory || grown < 2 * hostile.budget) << grown;

  const auto after = engine.Instant(Context::Background(), *storage_, "count(many)", kEnd);
  ASSERT_TRUE(after.ok()) << after.status();
  ASSERT_EQ(after->rows.size(), 1U);
  EXPECT_EQ(after->rows.values(0)[0], static_cast<double>(kMany));
}

INSTANTIATE_TEST_SUITE_P(Queries, HostileTest, ::testing::Range<std::size_t>(0, Count()),
                         [](const ::testing::TestParamInfo<std::size_t>& index) {
                           return std::string(Cases(index.param).name);
                         });

}  // namespace
}  // namespace aevum::promql
