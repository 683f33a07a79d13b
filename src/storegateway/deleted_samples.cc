#include "storegateway/deleted_samples.h"

#include <algorithm>
#include <string>
#include <utility>

#include "chunk/histogram_encoder.h"
#include "chunk/xor.h"

namespace aevum::storegateway {
namespace {

using block::Tombstone;
using chunk::Aggregate;
using chunk::ChunkView;
using chunk::Encoding;
using Intervals = std::vector<std::pair<TimestampMs, TimestampMs>>;  // both inclusive

bool IsHistogram(Encoding encoding) {
  return encoding != Encoding::kXor && encoding != Encoding::kXor2;
}

// Whether an interval touches [first, last].
bool Touches(const Intervals& intervals, TimestampMs first, TimestampMs last) {
  return std::any_of(intervals.begin(), intervals.end(), [&](const auto& interval) {
    return interval.first <= last && interval.second >= first;
  });
}

bool Covers(const Intervals& intervals, TimestampMs first, TimestampMs last) {
  return std::any_of(intervals.begin(), intervals.end(), [&](const auto& interval) {
    return interval.first <= first && interval.second >= last;
  });
}

// Encodes the samples of one chunk that are not hidden.
class ChunkCutter {
 public:
  explicit ChunkCutter(std::int64_t resolution_ms) : resolution_ms_(resolution_ms) {}

  // Sets `data` to what is left, empty when nothing is, and the times of a raw chunk to those of
  // the samples left.
  Status Cut(const Intervals& intervals, ChunkView* view, std::string* data) {
    columns_.Clear();
    columns_.with_starts = true;
    RETURN_IF_ERROR(chunk::Decode(view->encoding, view->data, &columns_));
    columns_.FitStarts();
    data->clear();
    return IsHistogram(view->encoding) ? CutHistograms(intervals, view, data)
                                       : CutFloats(intervals, view, data);
  }

 private:
  bool IsHidden(const Intervals& intervals, Aggregate aggregate, TimestampMs time) const {
    if (aggregate == Aggregate::kRaw || resolution_ms_ <= 0) return Touches(intervals, time, time);
    // A window that its chunk cut short ends sooner; it is taken to be as long as the others.
    const TimestampMs rest = time % resolution_ms_;
    const TimestampMs begin = time - (rest < 0 ? rest + resolution_ms_ : rest);
    return Touches(intervals, begin, time);
  }

  static void SetTimes(TimestampMs time, bool first, ChunkView* view) {
    // The parts of an aggregate chunk are found by their times.
    if (view->aggregate != Aggregate::kRaw) return;
    if (first) view->min_time = time;
    view->max_time = time;
  }

  Status CutFloats(const Intervals& intervals, ChunkView* view, std::string* data) {
    chunk::XorEncoder encoder;
    const std::size_t count = columns_.times.size();
    TimestampMs last = 0;
    bool hides_last = false;
    for (std::size_t i = 0; i < count; ++i) {
      const TimestampMs time = columns_.times[i];
      hides_last = IsHidden(intervals, view->aggregate, time);
      if (hides_last) continue;
      SetTimes(time, encoder.samples() == 0, view);
      encoder.Append(time, columns_.values[i]);
      last = time;
    }
    if (encoder.samples() == 0) return OkStatus();
    // By the last value of a counter a reader sees whether the next chunk begins with a reset.
    if (view->aggregate == Aggregate::kCounter && hides_last)
      encoder.Append(last, columns_.values.back());
    view->encoding = Encoding::kXor;
    *data = encoder.Bytes();
    return OkStatus();
  }

  Status CutHistograms(const Intervals& intervals, ChunkView* view, std::string* data) {
    const std::size_t count = columns_.histogram_times.size();
    std::size_t first = 0;
    while (first < count && IsHidden(intervals, view->aggregate, columns_.histogram_times[first]))
      ++first;
    if (first == count) return OkStatus();
    const model::ResetHint hint = columns_.histograms[first].reset_hint;
    // "No reset" was said of the sample before, which may be gone.
    const bool keeps_hint = first == 0 || hint == model::ResetHint::kGauge;
    chunk::HistogramEncoder encoder(view->encoding, keeps_hint ? hint : model::ResetHint::kUnknown);
    for (std::size_t i = first; i < count; ++i) {
      const TimestampMs time = columns_.histogram_times[i];
      if (IsHidden(intervals, view->aggregate, time)) continue;
      if (!encoder.Fits(columns_.histograms[i]))
        return Corruption("histograms of one chunk have different buckets");
      SetTimes(time, encoder.samples() == 0, view);
      const Status status =
          encoder.Append(time, columns_.histograms[i], columns_.histogram_starts[i]);
      if (!status.ok()) return Corruption("{}", status.message());
    }
    *data = encoder.Bytes();
    return OkStatus();
  }

  const std::int64_t resolution_ms_;
  chunk::Columns columns_;
};

class HidingStream final : public store::SeriesStream {
 public:
  HidingStream(std::unique_ptr<store::SeriesStream> stream, std::vector<Tombstone> tombstones,
               std::int64_t resolution_ms)
      : stream_(std::move(stream)), tombstones_(std::move(tombstones)), cutter_(resolution_ms) {}

  StatusOr<bool> Next(wire::SeriesBatch* batch) override {
    while (true) {
      ASSIGN_OR_RETURN(const bool more, stream_->Next(batch));
      RETURN_IF_ERROR(Hide(batch));
      if (!more || !batch->empty()) return more;
    }
  }

 private:
  Intervals IntervalsOf(const model::Labels& labels) const {
    Intervals intervals;
    for (const Tombstone& tombstone : tombstones_) {
      if (model::MatchesAll(tombstone.matchers, labels))
        intervals.emplace_back(tombstone.min_time, tombstone.max_time);
    }
    return intervals;
  }

  Status Hide(wire::SeriesBatch* batch) {
    std::vector<ChunkView> chunks;
    std::vector<wire::SeriesBatch::Series> kept;
    chunks.reserve(batch->chunks.size());
    kept.reserve(batch->series.size());
    for (wire::SeriesBatch::Series& series : batch->series) {
      const auto own = batch->ChunksOf(series);
      const Intervals intervals = own.empty() ? Intervals() : IntervalsOf(series.labels);
      const std::size_t first = chunks.size();
      for (const ChunkView& view : own) RETURN_IF_ERROR(AddChunk(intervals, view, batch, &chunks));
      if (!own.empty() && chunks.size() == first) continue;
      series.first_chunk = static_cast<std::uint32_t>(first);
      series.chunk_count = static_cast<std::uint32_t>(chunks.size() - first);
      kept.push_back(std::move(series));
    }
    batch->series = std::move(kept);
    batch->chunks = std::move(chunks);
    return OkStatus();
  }

  // Adds what is left of a chunk.
  Status AddChunk(const Intervals& intervals, ChunkView view, wire::SeriesBatch* batch,
                  std::vector<ChunkView>* chunks) {
    if (Covers(intervals, view.min_time, view.max_time)) return OkStatus();
    // A window begins before the time that stands for it.
    const TimestampMs before = view.aggregate == Aggregate::kRaw ? 0 : kLongestWindowMs;
    const TimestampMs begin = view.min_time < kMinTime + before ? kMinTime : view.min_time - before;
    if (!Touches(intervals, begin, view.max_time)) {
      chunks->push_back(view);
      return OkStatus();
    }
    std::string data;
    RETURN_IF_ERROR(cutter_.Cut(intervals, &view, &data));
    if (data.empty()) return OkStatus();
    const auto owner = std::make_shared<const std::string>(std::move(data));
    view.data = *owner;
    batch->owners.push_back(owner);
    chunks->push_back(view);
    return OkStatus();
  }

  static constexpr TimestampMs kLongestWindowMs = 3'600'000;

  const std::unique_ptr<store::SeriesStream> stream_;
  const std::vector<Tombstone> tombstones_;
  ChunkCutter cutter_;
};

}  // namespace

std::vector<Tombstone> TombstonesOf(const block::Tombstones& tombstones, const block::Meta& meta) {
  std::vector<Tombstone> touching;
  const model::Labels external = meta.ExternalLabels();
  for (const auto& [id, tombstone] : tombstones) {
    if (tombstone->min_time > meta.max_time || tombstone->max_time < meta.min_time) continue;
    Tombstone left = *tombstone;
    bool excluded = false;
    std::erase_if(left.matchers, [&](const model::Matcher& matcher) {
      const std::string_view value = external.Get(matcher.name());
      if (value.empty()) return false;
      excluded = excluded || !matcher.Matches(value);
      return true;
    });
    if (!excluded) touching.push_back(std::move(left));
  }
  return touching;
}

std::unique_ptr<store::SeriesStream> HideDeleted(std::unique_ptr<store::SeriesStream> stream,
                                                 std::vector<Tombstone> tombstones,
                                                 std::int64_t resolution_ms) {
  if (tombstones.empty()) return stream;
  return std::make_unique<HidingStream>(std::move(stream), std::move(tombstones), resolution_ms);
}

}  // namespace aevum::storegateway
