#include "promql/engine/histogram_notes.h"

#include <string>

#include <fmt/core.h>

#include "model/quote.h"

namespace aevum::promql {
namespace {

std::string Named(std::string_view text, std::string_view name) {
  std::string all = fmt::format("{} ", text);
  model::AppendGoQuoted(all, name);
  return all;
}

}  // namespace

void HistogramNotes::Warn(std::string_view text) const {
  annotations_.AddWarning(std::string(text), where_);
}

void HistogramNotes::WarnNamed(std::string_view text) const {
  annotations_.AddWarning(Named(text, name_), where_);
}

void HistogramNotes::MixedFloatsHistograms() const {
  WarnNamed("encountered a mix of histograms and floats for metric name");
}

void HistogramNotes::MixedInAggregation() const {
  Warn("encountered a mix of histograms and floats for aggregation");
}

void HistogramNotes::MixedExponentialCustom() const {
  WarnNamed(
      "vector contains a mix of histograms with exponential and custom buckets schemas for metric "
      "name");
}

void HistogramNotes::NotCounter() const {
  WarnNamed("this native histogram metric is not a counter:");
}

void HistogramNotes::NotGauge() const { WarnNamed("this native histogram metric is not a gauge:"); }

void HistogramNotes::IgnoredInMixedRange() const {
  annotations_.AddInfo(
      Named("ignored histograms in a range containing both floats and histograms for metric name",
            name_),
      where_);
}

void HistogramNotes::IgnoredInAggregation(std::string_view aggregation) const {
  annotations_.AddInfo(fmt::format("ignored histogram in {} aggregation", aggregation), where_);
}

void HistogramNotes::BoundsReconciled(std::string_view operation) const {
  annotations_.AddInfo(
      fmt::format("mismatched custom buckets were reconciled during {}", operation), where_);
}

void HistogramNotes::ResetCollision(std::string_view operation) const {
  Warn(fmt::format("conflicting counter resets during histogram {}", operation));
}

void HistogramNotes::PossibleNonCounter() const {
  if (name_.empty() || name_.ends_with("_total") || name_.ends_with("_sum") ||
      name_.ends_with("_count") || name_.ends_with("_bucket"))
    return;
  annotations_.AddInfo(
      Named("metric might not be a counter, name does not end in _total/_sum/_count/_bucket:",
            name_),
      where_);
}

void HistogramNotes::PossibleNonCounterType(std::string_view type) const {
  if (type == "counter" || type == "histogram") return;
  std::string text =
      "metric might not be a counter, __type__ label is not set to \"counter\" or \"histogram\", "
      "got ";
  model::AppendGoQuoted(text, type);
  annotations_.AddInfo(Named(text + ":", name_), where_);
}

void HistogramNotes::StartOverlap() const {
  annotations_.CountWarning(
      Named("sample has start time that overlaps with previous sample timestamp for metric", name_),
      where_);
}

}  // namespace aevum::promql
