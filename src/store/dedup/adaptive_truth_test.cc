// The algorithms against a process whose truth is known. testing/seeds.h tells how many cases there
// are; the tables go to the output.
#include <cmath>
#include <fstream>
#include <sstream>
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

// The worst cases of testdata/dedup/worse_than_penalty.tsv: they do not become worse unseen.
TEST(WorstCasesTest, AreNoWorseThanListed) {
  std::ifstream list(AEVUM_SOURCE_DIR "/src/store/testdata/dedup/worse_than_penalty.tsv");
  ASSERT_TRUE(list.good());
  std::string line;
  std::getline(list, line);  // names of the columns
  int same = 0;
  while (std::getline(list, line)) {
    SCOPED_TRACE(line);
    std::istringstream words(line);
    std::string population;
    std::uint64_t seed = 0;
    double ours = 0;
    double theirs = 0;
    words >> population >> seed >> ours >> theirs;
    const SimulatedCase c = testing::Simulate(
        seed, population == "designed" ? Population::kDesigned : Population::kHard);
    const Columns penalty = testing::Penalty(c, PenaltyPath::kRaw);
    // Other mathematical libraries may draw another case.
    if (std::abs(MeasureSamples(c, penalty).MeanError() - theirs) > 0.0001) continue;
    ++same;
    const SeriesType type = IsCounter(c) ? SeriesType::kCounter : SeriesType::kGauge;
    EXPECT_LE(MeasureSamples(c, testing::Adaptive(c, type)).MeanError(), ours + 0.0001);
  }
  if (same == 0) GTEST_SKIP() << "random cases differ here from those that are listed";
}

INSTANTIATE_TEST_SUITE_P(Populations, AdaptiveTruthTest,
                         ::testing::Values(Population::kDesigned, Population::kHard), NameOf);

}  // namespace
}  // namespace aevum::store::dedup
