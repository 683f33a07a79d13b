#include "store/aggregates.h"

#include <algorithm>
#include <array>

namespace aevum::store {
namespace {

using chunk::Aggregate;
using chunk::ChunkView;

Aggregate PartOf(wire::Aggr aggregate) {
  switch (aggregate) {
    case wire::Aggr::kRaw:
      return Aggregate::kRaw;
    case wire::Aggr::kCount:
      return Aggregate::kCount;
    case wire::Aggr::kSum:
      return Aggregate::kSum;
    case wire::Aggr::kMin:
      return Aggregate::kMin;
    case wire::Aggr::kMax:
      return Aggregate::kMax;
    case wire::Aggr::kCounter:
      return Aggregate::kCounter;
  }
  return Aggregate::kRaw;
}

StatusOr<ChunkView> Find(std::span<const ChunkView> parts, wire::Aggr aggregate) {
  const auto it = std::find_if(parts.begin(), parts.end(), [&](const ChunkView& part) {
    return part.aggregate == PartOf(aggregate);
  });
  if (it == parts.end()) {
    return Corruption("the chunk has no aggregate of number {}", static_cast<int>(aggregate));
  }
  return *it;
}

void Divide(model::FloatHistogram* histogram, double by) {
  histogram->zero_count /= by;
  histogram->count /= by;
  histogram->sum /= by;
  for (double& bucket : histogram->positive_buckets) bucket /= by;
  for (double& bucket : histogram->negative_buckets) bucket /= by;
}

Status DecodeAverage(std::span<const ChunkView> parts, chunk::Columns* out) {
  ASSIGN_OR_RETURN(const ChunkView sum_chunk, Find(parts, wire::Aggr::kSum));
  ASSIGN_OR_RETURN(const ChunkView count_chunk, Find(parts, wire::Aggr::kCount));
  chunk::Columns sum;
  chunk::Columns count;
  RETURN_IF_ERROR(chunk::Decode(sum_chunk.encoding, sum_chunk.data, &sum));
  RETURN_IF_ERROR(chunk::Decode(count_chunk.encoding, count_chunk.data, &count));
  // Counts are floats, of histograms too.
  const bool histograms = !sum.histogram_times.empty();
  const std::vector<TimestampMs>& times = histograms ? sum.histogram_times : sum.times;
  if (times != count.times || (histograms && !sum.times.empty())) {
    return Corruption("times of the sum and count aggregates differ, sizes: {} and {}",
                      times.size(), count.times.size());
  }
  for (std::size_t i = 0; i < times.size(); ++i) {
    if (histograms) {
      out->histogram_times.push_back(times[i]);
      out->histograms.push_back(std::move(sum.histograms[i]));
      Divide(&out->histograms.back(), count.values[i]);
    } else {
      out->times.push_back(times[i]);
      out->values.push_back(sum.values[i] / count.values[i]);
    }
  }
  out->FitStarts();
  return OkStatus();
}

}  // namespace

std::vector<wire::Aggr> AggregatesOf(std::string_view function) {
  using wire::Aggr;
  if (function == "min" || function.starts_with("min_")) return {Aggr::kMin};
  if (function == "max" || function.starts_with("max_")) return {Aggr::kMax};
  if (function == "count" || function.starts_with("count_")) return {Aggr::kCount};
  // The sum over series needs the samples themselves, so only sum_over_time reads sums.
  if (function.starts_with("sum_")) return {Aggr::kSum};
  constexpr std::array kCounters = {"increase", "rate", "irate", "resets", "xincrease", "xrate"};
  if (std::find(kCounters.begin(), kCounters.end(), function) != kCounters.end()) {
    return {Aggr::kCounter};
  }
  return {Aggr::kCount, Aggr::kSum};
}

std::int64_t ResolutionFor(std::int64_t max_resolution_ms, std::int64_t range_ms,
                           std::string_view function) {
  constexpr std::array kNeedTwo = {
      "rate",           "irate",        "increase",
      "delta",          "idelta",       "deriv",
      "predict_linear", "holt_winters", "double_exponential_smoothing"};
  const bool two = std::find(kNeedTwo.begin(), kNeedTwo.end(), function) != kNeedTwo.end();
  return range_ms > 0 && two ? std::min(max_resolution_ms, range_ms / 2) : max_resolution_ms;
}

Status DecodeParts(std::span<const ChunkView> parts, std::span<const wire::Aggr> wanted,
                   chunk::Columns* out) {
  if (parts.front().aggregate == Aggregate::kRaw) {
    return chunk::Decode(parts.front().encoding, parts.front().data, out);
  }
  if (wanted.size() > 1) return DecodeAverage(parts, out);
  ASSIGN_OR_RETURN(const ChunkView part, Find(parts, wanted.front()));
  return chunk::Decode(part.encoding, part.data, out);
}

std::size_t PartsEnd(std::span<const ChunkView> chunks, std::size_t first) {
  std::size_t end = first + 1;
  while (end < chunks.size() && chunks[end].aggregate > chunks[end - 1].aggregate &&
         chunks[end].min_time == chunks[first].min_time &&
         chunks[end].max_time == chunks[first].max_time) {
    ++end;
  }
  return end;
}

}  // namespace aevum::store
