// The algorithms against a process whose truth is known. testing/seeds.h tells how many cases there
// are; the tables go to the output.
#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "store/dedup/testing/algorithms.h"
#include "store/dedup/testing/comparison.h"
#include "store/dedup/testing/measure.h"
#include "store/dedup/testing/seeds.h"
#include "store/dedup/testing/simulator.h"
#include "store/dedup/testing/table.h"

namespace aevum::store::dedup {
namespace {

using chunk::Columns;
using testing::Comparison;
using testing::Fault;
using testing::Measure;
using testing::MeasureSamples;
using testing::PenaltyPath;
using testing::Population;
using testing::ProcessKind;
using testing::SimulatedCase;
using testing::TableLine;

bool IsCounter(const SimulatedCase& c) { return c.process.kind() == ProcessKind::kCounter; }

// The cases of one table.
struct Class {
  TableLine adaptive, unknown, penalty, unrolled, united, single;
  Comparison comparison;

  void Add(std::uint64_t seed, const SimulatedCase& c) {
    const Columns ours =
        testing::Adaptive(c, IsCounter(c) ? SeriesType::kCounter : SeriesType::kGauge);
    const Columns theirs = testing::Penalty(c, PenaltyPath::kRaw);
    const Measure our_measure = MeasureSamples(c, ours);
    const Measure their_measure = MeasureSamples(c, theirs);
    adaptive.Add(our_measure);
    penalty.Add(their_measure);
    unknown.Add(MeasureSamples(c, testing::Adaptive(c, SeriesType::kUnknown)));
    if (IsCounter(c)) {
      unrolled.Add(MeasureSamples(c, testing::Penalty(c, PenaltyPath::kUnrolled)));
    }
    united.Add(MeasureSamples(c, testing::UnionOf(c)));
    single.Add(testing::BestSingle(c));
    comparison.Add(seed, c, {ours, our_measure}, {theirs, their_measure});
    if (IsCounter(c) && !c.Has(Fault::kMinuteSkew)) ExpectNoFalseReset(seed, c, our_measure);
  }
  // But where a replica alone has some.
  static void ExpectNoFalseReset(std::uint64_t seed, const SimulatedCase& c, const Measure& ours) {
    if (ours.false_resets == 0) return;
    int alone = 0;
    for (const Columns& replica : c.replicas) alone += MeasureSamples(c, replica).false_resets;
    EXPECT_GT(alone, 0) << "false reset, seed: " << seed;
  }
  void Print(const std::string& name) {
    std::string text =
        fmt::format("{}, {} cases\n{}", name, adaptive.cases(), TableLine::Heading());
    text += penalty.Text("penalty");
    if (unrolled.cases() > 0) text += unrolled.Text("penalty, rate path");
    text += united.Text("union") + single.Text("best single") + adaptive.Text("**adaptive**") +
            unknown.Text("adaptive, type unknown");
    fmt::print("{}{}\n", text, comparison.Text());
  }
  void ExpectBetter() const {
    EXPECT_LT(adaptive.mean(), penalty.mean());
    EXPECT_LE(adaptive.missing(), penalty.missing());
    EXPECT_LT(adaptive.count_error(), penalty.count_error());
    EXPECT_GT(adaptive.coverage(), penalty.coverage());
    EXPECT_LT(adaptive.doubled(), penalty.doubled());
  }
};

class AdaptiveTruthTest : public ::testing::TestWithParam<Population> {};

TEST_P(AdaptiveTruthTest, IsNearerToTheTruthThanPenalty) {
  const testing::Seeds seeds = testing::SeedsFromEnvironment(400);
  Class counters;
  Class gauges;
  Class skewed;
  for (std::uint64_t seed = seeds.first; seed < seeds.end; ++seed) {
    const SimulatedCase c = testing::Simulate(seed, GetParam());
    if (!c.Has(Fault::kMinuteSkew)) {
      (IsCounter(c) ? counters : gauges).Add(seed, c);
    } else if (IsCounter(c)) {
      skewed.Add(seed, c);
    }
  }
  counters.Print("counters");
  gauges.Print("gauges");
  skewed.Print("counters, clocks minutes apart");
  if (!seeds.many()) return;
  counters.ExpectBetter();
  gauges.ExpectBetter();
  EXPECT_LT(skewed.adaptive.false_resets(), skewed.penalty.false_resets());
}

std::string NameOf(const ::testing::TestParamInfo<Population>& info) {
  return info.param == Population::kDesigned ? "Designed" : "Hard";
}

INSTANTIATE_TEST_SUITE_P(Populations, AdaptiveTruthTest,
                         ::testing::Values(Population::kDesigned, Population::kHard), NameOf);

}  // namespace
}  // namespace aevum::store::dedup
