#include "promql/engine/series_decoder.h"

#include "model/histogram_arithmetic.h"

namespace aevum::promql {
namespace {

constexpr std::int64_t kSampleBytes = sizeof(TimestampMs) + sizeof(double);

// Leaves count and sum of each histogram, with what is known of resets: the reference decodes no
// more where only these are asked for, so nothing is said about buckets that don't fit. From the
// last on, since each is compared with the one before it.
void KeepStatistics(model::HistogramColumn* histograms) {
  for (std::size_t i = histograms->size(); i-- > 0;) {
    model::FloatHistogram& histogram = (*histograms)[i];
    if (!chunk::IsStale(histogram.sum) && histogram.reset_hint == model::ResetHint::kUnknown) {
      std::size_t before = i;
      while (before > 0 && chunk::IsStale((*histograms)[before - 1].sum)) --before;
      if (before > 0) {
        histogram.reset_hint = model::DetectReset(histogram, (*histograms)[before - 1])
                                   ? model::ResetHint::kReset
                                   : model::ResetHint::kNoReset;
      }
    }
    histogram.zero_threshold = 0;
    histogram.zero_count = 0;
    histogram.positive_spans.clear();
    histogram.negative_spans.clear();
    histogram.positive_buckets.clear();
    histogram.negative_buckets.clear();
    histogram.custom_values.clear();
  }
}

}  // namespace

Status SeriesDecoder::Decode(const SelectBatch& batch, std::size_t index) {
  columns_.Clear();
  RETURN_IF_ERROR(batch.Decode(index, &columns_));
  columns_.FitStarts();
  if (!columns_.histograms.empty()) RETURN_IF_ERROR(ChargeHistograms());
  if (statistics_only_) KeepStatistics(&columns_.histograms);
  const std::size_t starts = columns_.starts.capacity() + columns_.histogram_starts.capacity();
  const auto held = static_cast<std::int64_t>(columns_.values.capacity()) * kSampleBytes +
                    static_cast<std::int64_t>(starts * sizeof(TimestampMs));
  if (held <= charge_.bytes()) return OkStatus();
  return charge_.Add(held - charge_.bytes(), "decoded samples");
}

Status SeriesDecoder::ChargeHistograms() {
  const std::int64_t held = columns_.histograms.memory_bytes();
  if (held <= histogram_charge_.bytes()) return OkStatus();
  return histogram_charge_.Add(held - histogram_charge_.bytes(), "decoded histograms");
}

}  // namespace aevum::promql
