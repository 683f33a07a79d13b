#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <optional>
#include <vector>

#include <fmt/format.h>

#include "base/duration.h"
#include "model/quote.h"
#include "promql/engine/elementwise.h"
#include "promql/functions/bucket_quantile.h"
#include "promql/functions/whole_vectors.h"
#include "promql/printer.h"

namespace aevum::promql {
namespace {

using functions::Bucket;
using functions::BucketQuantile;

constexpr std::string_view kBucketLabel = "le";

// The bound that a value of `le` names; nullopt when it is none.
std::optional<double> ParseBound(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  if (text.starts_with('-')) return std::nullopt;
  double bound = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), bound);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return negative ? -bound : bound;
}

// A row of the input, which is one bucket.
struct BucketRow {
  double upper_bound;
  std::size_t row;
};

// The buckets of each histogram, by its labels.
using Histograms = std::map<model::Labels, std::vector<BucketRow>>;

// Where and by how much counts went down, over all histograms and steps.
struct ForcedInfo {
  BucketQuantile extent;
  TimestampMs first = 0;
  TimestampMs last = 0;
  int samples = 0;

  void Add(const BucketQuantile& one, TimestampMs time) {
    first = samples == 0 ? time : std::min(first, time);
    last = samples == 0 ? time : std::max(last, time);
    ++samples;
    extent.lowest_forced = std::min(extent.lowest_forced, one.lowest_forced);
    extent.highest_forced = std::max(extent.highest_forced, one.highest_forced);
    extent.largest_difference = std::max(extent.largest_difference, one.largest_difference);
  }
};

class HistogramQuantileOperator final : public Operator {
 public:
  HistogramQuantileOperator(QueryState& state, const Grid& grid, const Expr& argument,
                            std::vector<double> quantiles, OperatorPtr source)
      : state_(state),
        grid_(grid),
        argument_(argument),
        quantiles_(std::move(quantiles)),
        source_(std::move(source)) {}

  StatusOr<bool> Next(RowBatch* out) override {
    if (result_ == nullptr) {
      ASSIGN_OR_RETURN(const RowBatch rows, Materialize(*source_, state_, grid_.steps));
      ASSIGN_OR_RETURN(RowBatch result, Quantiles(rows));
      result_ = MakeRowSource(std::move(result), state_.context.budget());
    }
    return result_->Next(out);
  }

 private:
  Histograms Group(const RowBatch& rows) {
    Histograms histograms;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const std::string_view text = rows.labels(i).Get(kBucketLabel);
      const std::optional<double> bound = ParseBound(text);
      if (!bound) {
        if (rows.AnyPresent(i)) WarnOfBound(text);
        continue;
      }
      // A bound that is no number has no place among the others.
      if (std::isnan(*bound)) continue;
      model::LabelsBuilder builder(rows.labels(i));
      histograms[builder.Remove(kBucketLabel).Build()].push_back({*bound, i});
    }
    for (auto& [labels, buckets] : histograms) {
      // So that the sorting at each step finds them in order.
      std::stable_sort(buckets.begin(), buckets.end(), [](const BucketRow& a, const BucketRow& b) {
        return a.upper_bound < b.upper_bound;
      });
    }
    return histograms;
  }

  StatusOr<RowBatch> Quantiles(const RowBatch& rows) {
    RowBatch result;
    result.Reset(grid_.steps, state_.context.budget());
    std::vector<Bucket> present;
    ForcedInfo forced;
    for (const auto& [labels, buckets] : Group(rows)) {
      RETURN_IF_ERROR(state_.context.status());
      RETURN_IF_ERROR(result.Add(WithoutName(labels), "histogram_quantile"));
      const std::size_t row = result.size() - 1;
      for (std::size_t k = 0; k < grid_.steps; ++k) {
        present.clear();
        for (const BucketRow& bucket : buckets) {
          if (rows.present(bucket.row)[k] == 0) continue;
          present.push_back({bucket.upper_bound, rows.values(bucket.row)[k]});
        }
        if (present.empty()) continue;
        const BucketQuantile quantile = functions::QuantileOfBuckets(quantiles_[k], &present);
        result.values(row)[k] = quantile.value;
        result.present(row)[k] = 1;
        if (quantile.forced_monotonic) forced.Add(quantile, grid_.At(k));
      }
      if (!result.AnyPresent(row)) result.RemoveLast();
    }
    if (forced.samples > 0) TellOfForced(forced);
    RETURN_IF_ERROR(MergeEqualLabels(&result, state_));
    return result;
  }

  void WarnOfBound(std::string_view text) {
    std::string warning = "bucket label \"le\" is missing or has a malformed value of ";
    model::AppendGoQuoted(warning, text);
    state_.annotations.AddWarning(std::move(warning), argument_);
  }

  void TellOfForced(const ForcedInfo& forced) {
    const auto second = [](TimestampMs time) { return FormatRfc3339(time - time % 1000); };
    state_.annotations.AddInfo(
        fmt::format("input to histogram_quantile needed to be fixed for monotonicity (see "
                    "https://prometheus.io/docs/prometheus/latest/querying/functions/"
                    "#histogram_quantile), from buckets {} to {}, with a max diff of {:.2g}, over "
                    "{} samples from {} to {}",
                    FormatShort(forced.extent.lowest_forced),
                    FormatShort(forced.extent.highest_forced), forced.extent.largest_difference,
                    forced.samples, second(forced.first), second(forced.last)),
        argument_);
  }

  QueryState& state_;
  const Grid grid_;
  const Expr& argument_;
  const std::vector<double> quantiles_;
  OperatorPtr source_;
  OperatorPtr result_;
};

}  // namespace

StatusOr<OperatorPtr> MakeHistogramQuantile(const Call& call, Planner& planner) {
  ASSIGN_OR_RETURN(std::vector<double> quantiles, planner.Scalar(*call.args[0]));
  planner.WarnOfQuantile(quantiles, *call.args[0]);
  ASSIGN_OR_RETURN(OperatorPtr source, planner.Vector(*call.args[1], "histogram_quantile"));
  return OperatorPtr(std::make_unique<HistogramQuantileOperator>(
      planner.state(), planner.grid(), WithoutParens(*call.args[1]), std::move(quantiles),
      std::move(source)));
}

}  // namespace aevum::promql
