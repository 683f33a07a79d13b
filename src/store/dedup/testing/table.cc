#include "store/dedup/testing/table.h"

#include <algorithm>
#include <numeric>

#include <fmt/format.h>

namespace aevum::store::dedup::testing {
namespace {

double MeanOf(const std::vector<double>& values) {
  return values.empty() ? 0
                        : std::accumulate(values.begin(), values.end(), 0.0) /
                              static_cast<double>(values.size());
}

}  // namespace

void TableLine::Add(const Measure& measure) {
  errors_.insert(errors_.end(), measure.errors.begin(), measure.errors.end());
  max_errors_.insert(max_errors_.end(), measure.max_errors.begin(), measure.max_errors.end());
  windows_ += measure.windows;
  missing_ += measure.missing;
  count_error_ += measure.count_error;
  false_resets_ += measure.false_resets;
  slots_ += measure.slots;
  covered_ += measure.covered;
  samples_ += measure.samples;
  doubled_ += measure.doubled;
  cases_ += 1;
}

double TableLine::mean() const { return MeanOf(errors_); }
double TableLine::max_mean() const { return MeanOf(max_errors_); }

std::string TableLine::Heading() {
  return "| | mean | p99 | p99.9 | windows missing % | false resets /1k cases | coverage % | "
         "doubled /1k samples | count error % | max_over_time |\n"
         "|---|---|---|---|---|---|---|---|---|---|\n";
}

std::string TableLine::Text(const std::string& name) {
  std::sort(errors_.begin(), errors_.end());
  const auto quantile = [&](double q) {
    return errors_.empty()
               ? 0
               : errors_[static_cast<std::size_t>(q * static_cast<double>(errors_.size() - 1))];
  };
  return fmt::format(
      "| {} | {:.4f} | {:.2f} | {:.2f} | {:.2f} | {:.2f} | {:.1f} | {:.2f} | {:.1f} | {} |\n", name,
      mean(), quantile(0.99), quantile(0.999), missing(), false_resets(), coverage(), doubled(),
      count_error(), max_errors_.empty() ? "" : fmt::format("{:.3f}", max_mean()));
}

}  // namespace aevum::store::dedup::testing
