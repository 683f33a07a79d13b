// Replicas that were downsampled each for itself, against a process whose truth is known.
// testing/seeds.h tells how many cases there are; the table goes to the output.
#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "store/dedup/aggregate_rows.h"
#include "store/dedup/counter.h"
#include "store/dedup/penalty.h"
#include "store/dedup/testing/design.h"
#include "store/dedup/testing/downsample.h"
#include "store/dedup/testing/measure.h"
#include "store/dedup/testing/seeds.h"

namespace aevum::store::dedup {
namespace {

using chunk::Columns;
using testing::Design;
using testing::Downsampled;
using testing::Fault;
using testing::Process;
using testing::ProcessKind;
using testing::Random;

constexpr TimestampMs kFiveMinutes = 300'000;
constexpr TimestampMs kHour = 3'600'000;
constexpr TimestampMs kLength = 18 * kHour;

struct Case {
  Process process;
  Design design;
  std::vector<Downsampled> replicas;

  bool counter() const { return process.kind() == ProcessKind::kCounter; }
};

Case Simulate(std::uint64_t seed) {
  Random random(seed);
  const TimestampMs base = testing::Below(random, 2) == 0 ? 30'000 : 60'000;
  Design design = testing::DrawDesign(random, base, kLength / base);
  std::erase_if(design.faults,
                [](Fault fault) { return fault == Fault::kCopies || fault == Fault::kSwap; });
  const auto kind = testing::Chance(random, 0.6) ? ProcessKind::kCounter : ProcessKind::kGauge;
  Case c{.process = Process::Sparse(random, kind,
                                    {.start = design.start, .end = design.end, .interval = base}),
         .design = std::move(design),
         .replicas = {}};
  for (const testing::ReplicaPlan& plan : c.design.plans) {
    const auto windows_per_chunk = static_cast<int>(60 + testing::Below(random, 80));
    c.replicas.push_back(testing::Downsample(testing::SamplesOf(random, c.process, plan),
                                             kFiveMinutes, windows_per_chunk));
  }
  return c;
}

enum class Aggregate : std::uint8_t { kIncrease, kAverage, kMinimum, kMaximum, kCount };

// What the querier reads of one replica for a function.
Columns ValuesOf(const Downsampled& replica, Aggregate aggregate) {
  Columns values;
  switch (aggregate) {
    case Aggregate::kIncrease:
      ApplyCounterResets(replica.counters, &values);
      return values;
    case Aggregate::kAverage:
      values = replica.sum;
      for (std::size_t i = 0; i < values.values.size(); ++i) {
        values.values[i] /= replica.count.values[i];
      }
      return values;
    case Aggregate::kMinimum:
      return replica.min;
    case Aggregate::kMaximum:
      return replica.max;
    case Aggregate::kCount:
      return replica.count;
  }
  return values;
}

enum class Function : std::uint8_t { kAdaptive, kPenalty };

Columns Merge(const Case& c, Aggregate aggregate, Function function) {
  std::vector<Columns> values;
  for (const Downsampled& replica : c.replicas) values.push_back(ValuesOf(replica, aggregate));
  const bool totals = aggregate == Aggregate::kIncrease;
  Columns out;
  if (function == Function::kAdaptive) {
    std::vector<AggregateRow> rows;
    for (std::size_t r = 0; r < values.size(); ++r) {
      rows.push_back({.values = &values[r], .counts = &c.replicas[r].count});
    }
    MergeAggregates(rows, kFiveMinutes, totals ? Totals::kYes : Totals::kNo, &out);
    return out;
  }
  std::vector<Row> rows;
  for (const Columns& columns : values) rows.push_back({.columns = &columns});
  MergePenalty(rows, totals ? Adjust::kCounter : Adjust::kNone, ResetHints::kForgetAtSeams, &out);
  return out;
}

struct Answer {
  std::optional<double> ours;
  double truth = 0;
  double scale = 0;
};

Answer Ask(const Case& c, const Columns& columns, Aggregate aggregate, TimestampMs end,
           double scale) {
  const TimestampMs from = end - kHour;
  switch (aggregate) {
    case Aggregate::kIncrease:
      return {testing::Increase(columns, end, kHour), c.process.Increase(from, end), scale};
    case Aggregate::kAverage:
      return {testing::AverageOverTime(columns, end, kHour), c.process.Average(from, end), scale};
    case Aggregate::kMaximum:
      return {testing::MaxOverTime(columns, end, kHour), c.process.Maximum(from, end), scale};
    case Aggregate::kMinimum:
      return {testing::MinOverTime(columns, end, kHour), c.process.Minimum(from, end), scale};
    case Aggregate::kCount:
      break;
  }
  const std::vector<double> counts = testing::SamplesIn(columns, from, end).values;
  const double due =
      static_cast<double>(c.process.Uptime(from, end)) / static_cast<double>(c.design.finest());
  const std::optional<double> sum =
      counts.empty() ? std::nullopt
                     : std::optional(std::accumulate(counts.begin(), counts.end(), 0.0));
  return {sum, due, due};
}

double ScaleOf(const Case& c) {
  const TimestampMs start = c.design.start;
  const TimestampMs end = c.design.end;
  if (c.counter()) {
    return c.process.Increase(start, end) * static_cast<double>(kHour) /
           static_cast<double>(end - start);
  }
  double sum = 0;
  double squares = 0;
  double n = 0;
  for (TimestampMs time = start; time < end; time += c.design.base, n += 1) {
    sum += c.process.Read(time);
    squares += c.process.Read(time) * c.process.Read(time);
  }
  return std::sqrt(std::max(0.0, squares / n - sum / n * (sum / n)));
}

struct Line {
  std::vector<double> errors;
  double windows = 0;
  double missing = 0;
  int falls = 0;  // of totals

  void Add(const Case& c, Aggregate aggregate, Function function) {
    const Columns columns = Merge(c, aggregate, function);
    const double scale = ScaleOf(c);
    if (scale <= 0) return;
    for (TimestampMs end = c.design.start + kHour; end <= c.design.end; end += kHour / 2) {
      if (2 * c.process.Uptime(end - kHour, end) < kHour) continue;
      const Answer answer = Ask(c, columns, aggregate, end, scale);
      windows += 1;
      if (!answer.ours) {
        missing += 1;
      } else {
        errors.push_back(std::abs(*answer.ours - answer.truth) / answer.scale);
      }
    }
    if (aggregate != Aggregate::kIncrease) return;
    for (std::size_t i = 1; i < columns.values.size(); ++i) {
      falls += columns.values[i] < columns.values[i - 1] ? 1 : 0;
    }
  }
  double mean() const {
    return std::accumulate(errors.begin(), errors.end(), 0.0) / static_cast<double>(errors.size());
  }
  std::string Text(const std::string& name) {
    std::sort(errors.begin(), errors.end());
    const double p99 = errors[errors.size() * 99 / 100];
    return fmt::format("| {} | {:.4f} | {:.2f} | {:.2f} | {} |\n", name, mean(), p99,
                       100 * missing / windows, falls);
  }
};

struct Comparison {
  const char* name;
  Aggregate aggregate;
  Line adaptive, penalty;
};

TEST(AggregateTruthTest, IsNearerToTheTruthThanPenalty) {
  const testing::Seeds seeds = testing::SeedsFromEnvironment(400);
  std::vector<Comparison> table = {{"increase", Aggregate::kIncrease, {}, {}},
                                   {"avg_over_time", Aggregate::kAverage, {}, {}},
                                   {"max_over_time", Aggregate::kMaximum, {}, {}},
                                   {"min_over_time", Aggregate::kMinimum, {}, {}},
                                   {"samples", Aggregate::kCount, {}, {}}};
  for (std::uint64_t seed = seeds.first; seed < seeds.end; ++seed) {
    const Case c = Simulate(seed);
    if (c.design.Has(Fault::kMinuteSkew)) continue;
    for (Comparison& one : table) {
      const bool of_counter = one.aggregate == Aggregate::kIncrease;
      if (of_counter != c.counter() && one.aggregate != Aggregate::kCount) continue;
      one.adaptive.Add(c, one.aggregate, Function::kAdaptive);
      one.penalty.Add(c, one.aggregate, Function::kPenalty);
    }
  }
  std::string text =
      "| | mean | p99 | windows missing % | totals that fall |\n|---|---|---|---|---|\n";
  for (Comparison& one : table) {
    text += one.penalty.Text(fmt::format("{}, penalty", one.name));
    text += one.adaptive.Text(fmt::format("{}, **adaptive**", one.name));
    EXPECT_EQ(one.adaptive.falls, 0) << one.name;
    if (!seeds.many()) continue;
    EXPECT_LT(one.adaptive.mean(), one.penalty.mean()) << one.name;
    EXPECT_LE(one.adaptive.missing, one.penalty.missing) << one.name;
  }
  fmt::print("{}", text);
}

}  // namespace
}  // namespace aevum::store::dedup
