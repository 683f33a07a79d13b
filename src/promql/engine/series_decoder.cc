#include "promql/engine/series_decoder.h"

#include <utility>
#include <vector>

#include "model/histogram_arithmetic.h"

namespace aevum::promql {
namespace {

constexpr std::int64_t kSampleBytes = sizeof(TimestampMs) + sizeof(double);

// Leaves count and sum of each histogram, with what is known of resets: the reference decodes no
// more where only these are asked for, so nothing is said about buckets that don't fit.
void KeepStatistics(std::vector<model::FloatHistogram>* histograms) {
  model::FloatHistogram last;
  bool any = false;
  for (model::FloatHistogram& histogram : *histograms) {
    model::FloatHistogram kept;
    kept.reset_hint = histogram.reset_hint;
    kept.schema = histogram.schema;
    kept.count = histogram.count;
    kept.sum = histogram.sum;
    if (chunk::IsStale(histogram.sum)) {
      histogram = std::move(kept);
      continue;
    }
    if (any && kept.reset_hint == model::ResetHint::kUnknown) {
      kept.reset_hint = model::DetectReset(histogram, last) ? model::ResetHint::kReset
                                                            : model::ResetHint::kNoReset;
    }
    last = std::exchange(histogram, std::move(kept));
    any = true;
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
  std::int64_t held = 0;
  for (const model::FloatHistogram& histogram : columns_.histograms)
    held += model::SizeBytes(histogram);
  if (held <= histogram_charge_.bytes()) return OkStatus();
  return histogram_charge_.Add(held - histogram_charge_.bytes(), "decoded histograms");
}

}  // namespace aevum::promql
