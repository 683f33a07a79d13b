#include "compaction/series_chunk.h"

#include <algorithm>

#include "chunk/aggregate_chunk.h"

namespace aevum::compaction {
namespace {

Status CheckTimes(const std::vector<TimestampMs>& times, TimestampMs first, TimestampMs last) {
  if (times.empty()) return OkStatus();
  bool ascending = true;
  for (std::size_t i = 1; i < times.size(); ++i) ascending &= times[i - 1] < times[i];
  if (!ascending || times.front() < first || times.back() > last)
    return Corruption("samples from {} to {} that are out of order, or outside of {} to {}",
                      times.front(), times.back(), first, last);
  return OkStatus();
}

template <typename Values>
void DropDeleted(std::span<const tsdb::TimeRange> deleted, std::vector<TimestampMs>* times,
                 Values* values, std::vector<TimestampMs>* starts) {
  std::size_t kept = 0;
  for (std::size_t i = 0; i < times->size(); ++i) {
    if (IsDeleted(deleted, (*times)[i])) continue;
    if (kept != i) {
      (*times)[kept] = (*times)[i];
      std::swap((*values)[kept], (*values)[i]);
      if (!starts->empty()) (*starts)[kept] = (*starts)[i];
    }
    ++kept;
  }
  times->resize(kept);
  values->resize(kept);
  if (!starts->empty()) starts->resize(kept);
}

}  // namespace

bool SeriesChunk::IsAggregate() const { return chunk.stored.encoding == chunk::kAggregateEncoding; }

bool IsDeleted(std::span<const tsdb::TimeRange> ranges, TimestampMs time) {
  const auto after =
      std::partition_point(ranges.begin(), ranges.end(),
                           [time](const tsdb::TimeRange& range) { return range.max_time < time; });
  return after != ranges.end() && after->min_time <= time;
}

Status DecodeSeriesChunk(chunk::Encoding encoding, std::string_view data, const SeriesChunk& chunk,
                         TimestampMs first_time, chunk::Columns* out) {
  out->Clear();
  RETURN_IF_ERROR(chunk::Decode(encoding, data, out));
  out->FitStarts();
  RETURN_IF_ERROR(CheckTimes(out->times, first_time, chunk.chunk.max_time));
  RETURN_IF_ERROR(CheckTimes(out->histogram_times, first_time, chunk.chunk.max_time));
  if (!out->histograms.empty() && out->histograms[0].reset_hint != model::ResetHint::kGauge)
    out->histograms[0].reset_hint = model::ResetHint::kUnknown;
  if (chunk.deleted.empty()) return OkStatus();
  DropDeleted(chunk.deleted, &out->times, &out->values, &out->starts);
  DropDeleted(chunk.deleted, &out->histogram_times, &out->histograms, &out->histogram_starts);
  return OkStatus();
}

}  // namespace aevum::compaction
