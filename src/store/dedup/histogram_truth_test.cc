// Native histograms of several replicas against what was observed. testing/seeds.h tells how
// many cases there are; the table goes to the output.
#include <array>
#include <numeric>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "store/dedup/adaptive.h"
#include "store/dedup/penalty.h"
#include "store/dedup/testing/histogram_measure.h"
#include "store/dedup/testing/seeds.h"

namespace aevum::store::dedup {
namespace {

using chunk::Columns;
using testing::Fault;
using testing::HistogramCase;
using testing::HistogramKind;
using testing::HistogramMeasure;
using testing::MeasureHistograms;

Columns Adaptive(const HistogramCase& c) {
  std::vector<RowReader> rows;
  for (const Columns& replica : c.replicas) rows.emplace_back(replica);
  Columns out;
  const AdaptiveOptions options{.range_start = c.design.start};
  EXPECT_TRUE(MergeAdaptive(rows, options, &out).ok());
  return out;
}

Columns Penalty(const HistogramCase& c) {
  std::vector<Row> rows;
  for (const Columns& columns : c.replicas) rows.push_back({.columns = &columns});
  Columns out;
  MergePenalty(rows, Adjust::kNone, ResetHints::kForgetAtSeams, &out);
  return out;
}

struct Line {
  std::vector<double> counts, buckets, quantiles;
  double cases = 0, windows = 0, missing = 0, false_resets = 0, wrong_hints = 0, changes = 0;

  void Add(const HistogramMeasure& m) {
    counts.insert(counts.end(), m.count_errors.begin(), m.count_errors.end());
    buckets.insert(buckets.end(), m.bucket_errors.begin(), m.bucket_errors.end());
    quantiles.insert(quantiles.end(), m.quantile_errors.begin(), m.quantile_errors.end());
    cases += 1;
    windows += m.windows;
    missing += m.missing;
    false_resets += m.false_resets;
    wrong_hints += m.wrong_hints;
    changes += m.extra_changes;
  }
  static double Mean(const std::vector<double>& values) {
    return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
  }
  std::string Text(const std::string& name) const {
    return fmt::format("| {} | {:.4f} | {:.4f} | {:.4f} | {:.2f} | {:.2f} | {:.2f} | {:.2f} |\n",
                       name, Mean(counts), Mean(buckets), Mean(quantiles), 100 * missing / windows,
                       1000 * false_resets / cases, 1000 * wrong_hints / cases,
                       1000 * changes / cases);
  }
};

int FalseResetsAlone(const HistogramCase& c) {
  int alone = 0;
  for (const Columns& replica : c.replicas) alone += MeasureHistograms(c, replica).false_resets;
  return alone;
}

TEST(HistogramTruthTest, IsNearerToTheTruthThanPenalty) {
  const testing::Seeds seeds = testing::SeedsFromEnvironment(800);
  std::array<Line, testing::kHistogramKinds> adaptive;
  std::array<Line, testing::kHistogramKinds> penalty;
  for (std::uint64_t seed = seeds.first; seed < seeds.end; ++seed) {
    SCOPED_TRACE(seed);
    const HistogramCase c = testing::SimulateHistogram(seed);
    if (c.design.Has(Fault::kMinuteSkew)) continue;
    const auto kind = static_cast<std::size_t>(c.process.kind());
    const HistogramMeasure ours = MeasureHistograms(c, Adaptive(c));
    adaptive[kind].Add(ours);
    penalty[kind].Add(MeasureHistograms(c, Penalty(c)));
    EXPECT_EQ(ours.wrong_hints, 0);
    if (ours.false_resets > 0) {
      EXPECT_GT(FalseResetsAlone(c), 0);
    }
  }
  std::string text =
      "| | count | buckets | quantile | windows missing % | false resets /1k cases | wrong hints "
      "/1k "
      "cases | extra changes of kind /1k cases |\n|---|---|---|---|---|---|---|---|\n";
  for (std::size_t k = 0; k < testing::kHistogramKinds; ++k) {
    const std::string name = NameOf(static_cast<HistogramKind>(k));
    text += penalty[k].Text(name + ", penalty") + adaptive[k].Text(name + ", **adaptive**");
    if (!seeds.many()) continue;
    EXPECT_LT(Line::Mean(adaptive[k].counts), Line::Mean(penalty[k].counts)) << name;
    EXPECT_LT(Line::Mean(adaptive[k].buckets), Line::Mean(penalty[k].buckets)) << name;
    EXPECT_LE(adaptive[k].missing, penalty[k].missing) << name;
  }
  fmt::print("{}", text);
}

}  // namespace
}  // namespace aevum::store::dedup
