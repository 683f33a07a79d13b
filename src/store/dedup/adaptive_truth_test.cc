// The algorithms against a process whose truth is known. AEVUM_DEDUP_CASES sets the number of
// cases, AEVUM_DEDUP_SEED the first seed; the table goes to the output of the test.
#include <algorithm>
#include <cstdlib>
#include <map>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "store/dedup/adaptive.h"
#include "store/dedup/counter.h"
#include "store/dedup/penalty.h"
#include "store/dedup/replicas.h"
#include "store/dedup/testing/measure.h"
#include "store/dedup/testing/simulator.h"

namespace aevum::store::dedup {
namespace {

using chunk::Columns;
using testing::Fault;
using testing::Measure;
using testing::MeasureSamples;
using testing::Process;
using testing::SimulatedCase;

std::uint64_t Setting(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

Columns Adaptive(const SimulatedCase& c, SeriesType type) {
  std::vector<RowReader> rows;
  for (const Columns& replica : c.replicas) rows.emplace_back(replica);
  Columns out;
  EXPECT_TRUE(MergeAdaptive(rows, {.type = type, .range_start = c.start}, &out).ok());
  return out;
}

// With the resets of each replica unrolled before, as Thanos does it for rate.
Columns Penalty(const SimulatedCase& c, bool unroll) {
  std::vector<Columns> unrolled;
  for (const Columns& replica : c.replicas) {
    if (unroll) {
      ApplyCounterResets(std::span(&replica, 1), &unrolled.emplace_back());
    } else {
      unrolled.push_back(replica);
    }
  }
  std::vector<Row> rows;
  for (const Columns& columns : unrolled) rows.push_back({.columns = &columns});
  Columns out;
  MergePenalty(rows, unroll ? Adjust::kCounter : Adjust::kNone, ResetHints::kKeep, &out);
  return out;
}

Columns UnionOf(const SimulatedCase& c) {
  Columns out;
  Union(c.replicas, &out);
  return out;
}

Measure BestSingle(const SimulatedCase& c) {
  Measure best;
  for (std::size_t i = 0; i < c.replicas.size(); ++i) {
    Measure one = MeasureSamples(c, c.replicas[i]);
    const auto key = [](const Measure& m) { return std::pair(m.missing, m.MeanError()); };
    if (i == 0 || key(one) < key(best)) best = std::move(one);
  }
  return best;
}

// Sums over cases.
struct Total {
  std::vector<double> errors;
  double windows = 0, missing = 0, count_error = 0, false_resets = 0, slots = 0, covered = 0;
  double samples = 0, doubled = 0, cases = 0;

  void Add(const Measure& m) {
    errors.insert(errors.end(), m.errors.begin(), m.errors.end());
    windows += m.windows;
    missing += m.missing;
    count_error += m.count_error;
    false_resets += m.false_resets;
    slots += m.slots;
    covered += m.covered;
    samples += m.samples;
    doubled += m.doubled;
    cases += 1;
  }
  double mean() const {
    double sum = 0;
    for (const double error : errors) sum += error;
    return errors.empty() ? 0 : sum / static_cast<double>(errors.size());
  }
  double coverage() const { return 100 * covered / slots; }
  double doubled_per_thousand() const { return 1000 * doubled / samples; }
  std::string Line(const std::string& name) {
    std::sort(errors.begin(), errors.end());
    const auto quantile = [&](double q) {
      return errors.empty()
                 ? 0
                 : errors[static_cast<std::size_t>(q * static_cast<double>(errors.size() - 1))];
    };
    return fmt::format(
        "| {} | {:.4f} | {:.2f} | {:.2f} | {:.2f} | {:.2f} | {:.1f} | {:.2f} | {:.1f} |\n", name,
        mean(), quantile(0.99), quantile(0.999), 100 * missing / windows,
        1000 * false_resets / cases, coverage(), doubled_per_thousand(),
        100 * count_error / windows);
  }
};

// What differs between the two beyond a hundredth of the scale.
struct Comparison {
  int better = 0, worse = 0, equal = 0;
  std::map<std::string, int> worse_by_fault;
  int worse_by_one_percent = 0, worse_by_five = 0;
  // Windows that are worse by more than a hundredth of the scale: where we show one replica, whole,
  // and where we change from one to another.
  int windows_worse = 0, windows_of_one_replica = 0, windows_far_worse = 0;
  std::vector<std::string> listed;

  void Add(std::uint64_t seed, const SimulatedCase& c, const Measure& ours, const Measure& other) {
    for (std::size_t i = 0; i < ours.each.size(); ++i) {
      const Measure::Window& window = ours.each[i];
      if (!window.error || !other.each[i].error) continue;
      const double more = *window.error - *other.each[i].error;
      windows_worse += more > 0.01 ? 1 : 0;
      windows_of_one_replica += more > 0.01 && window.one_replica ? 1 : 0;
      windows_far_worse += more > 0.5 ? 1 : 0;
    }
    const double difference = ours.MeanError() - other.MeanError();
    if (difference < 0) ++better;
    if (difference == 0) ++equal;
    if (difference <= 0) return;
    ++worse;
    if (difference <= 0.01) return;
    ++worse_by_one_percent;
    std::string faults;
    for (const Fault fault : c.faults) {
      ++worse_by_fault[NameOf(fault)];
      faults += (faults.empty() ? "" : ", ") + NameOf(fault);
    }
    worse_by_five += difference > 0.05 ? 1 : 0;
    listed.push_back(
        fmt::format("seed {}: {:.4f} against {:.4f}, missing windows {} against {} ({})\n", seed,
                    ours.MeanError(), other.MeanError(), ours.missing, other.missing, faults));
  }
  std::string Text() const {
    std::string text = fmt::format(
        "better {}, equal {}, worse {}, by more than 1 % of the scale {}, by more than 5 % {}\n",
        better, equal, worse, worse_by_one_percent, worse_by_five);
    text += fmt::format(
        "windows worse by more than 1 % {}, of them one replica as it is {}; worse "
        "by more than 50 % {}\n",
        windows_worse, windows_of_one_replica, windows_far_worse);
    for (const auto& [fault, count] : worse_by_fault)
      text += fmt::format("  {}: {}\n", fault, count);
    for (const std::string& one : listed) text += "  " + one;
    return text;
  }
};

struct Class {
  Total adaptive, unknown, penalty, unrolled, united, single;
  Comparison comparison;

  void Add(std::uint64_t seed, const SimulatedCase& c) {
    const bool counter = c.process.kind() == Process::Kind::kCounter;
    const Measure ours =
        MeasureSamples(c, Adaptive(c, counter ? SeriesType::kCounter : SeriesType::kGauge));
    const Measure theirs = MeasureSamples(c, Penalty(c, /*unroll=*/false));
    adaptive.Add(ours);
    penalty.Add(theirs);
    unknown.Add(MeasureSamples(c, Adaptive(c, SeriesType::kUnknown)));
    if (counter) unrolled.Add(MeasureSamples(c, Penalty(c, /*unroll=*/true)));
    united.Add(MeasureSamples(c, UnionOf(c)));
    single.Add(BestSingle(c));
    comparison.Add(seed, c, ours, theirs);
  }
  void Print(const std::string& name) {
    std::string text = fmt::format(
        "{}, {} cases\n| | mean | p99 | p99.9 | missing % | false resets /1k cases | "
        "coverage % | doubled /1k | count % |\n",
        name, adaptive.cases);
    text += penalty.Line("penalty");
    if (unrolled.cases > 0) text += unrolled.Line("penalty, rate path");
    text += united.Line("union") + single.Line("best single") + adaptive.Line("adaptive") +
            unknown.Line("adaptive, type unknown");
    fmt::print("{}{}\n", text, comparison.Text());
  }
};

TEST(AdaptiveTruthTest, IsNearerToTheTruthThanPenalty) {
  const std::uint64_t cases = Setting("AEVUM_DEDUP_CASES", 300);
  const std::uint64_t first = Setting("AEVUM_DEDUP_SEED", 1);
  Class counters;
  Class gauges;
  Class skewed;
  for (std::uint64_t seed = first; seed < first + cases; ++seed) {
    const SimulatedCase c = testing::Simulate(seed);
    const bool counter = c.process.kind() == Process::Kind::kCounter;
    if (!c.Has(Fault::kMinuteSkew)) {
      (counter ? counters : gauges).Add(seed, c);
    } else if (counter) {
      skewed.Add(seed, c);
    }
    if (!counter || c.Has(Fault::kMinuteSkew)) continue;
    // False resets only where a replica alone has some.
    int alone = 0;
    for (const Columns& replica : c.replicas) alone += MeasureSamples(c, replica).false_resets;
    if (alone > 0) continue;
    EXPECT_EQ(MeasureSamples(c, Adaptive(c, SeriesType::kCounter)).false_resets, 0) << seed;
  }
  counters.Print("counters");
  gauges.Print("gauges");
  skewed.Print("counters, clocks minutes apart");
  for (Class* one : {&counters, &gauges}) {
    EXPECT_LT(one->adaptive.mean(), one->penalty.mean());
    EXPECT_LT(one->adaptive.missing, one->penalty.missing);
    EXPECT_LT(one->adaptive.count_error, one->penalty.count_error);
    EXPECT_GT(one->adaptive.coverage(), one->penalty.coverage());
    EXPECT_LT(one->adaptive.doubled_per_thousand(), one->penalty.doubled_per_thousand());
  }
  EXPECT_LT(skewed.adaptive.false_resets, skewed.penalty.false_resets);
}

}  // namespace
}  // namespace aevum::store::dedup
