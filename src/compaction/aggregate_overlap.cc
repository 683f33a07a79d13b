#include "compaction/aggregate_overlap.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "chunk/aggregate_chunk.h"
#include "chunk/xor.h"
#include "compaction/histogram_run.h"
#include "store/dedup/aggregate_rows.h"
#include "store/dedup/counter.h"
#include "store/dedup/penalty.h"

namespace aevum::compaction {
namespace {

using chunk::Columns;
using chunk::Encoding;

constexpr std::size_t kCount = 0;
constexpr std::size_t kCounter = 4;
constexpr std::size_t kParts = 5;

// One chunk, or one row of a replica: its aggregates.
struct Decoded {
  std::array<Columns, kParts> parts;
  // The second sample at the time of the last one of the counter: its value before the seam.
  std::optional<double> raw_last;
};

// The counter of floats ends with a second sample at the same time, and begins before the first
// window.
Status DecodeCounter(const chunk::AggregatePart& part, const SeriesChunk& chunk, Decoded* out) {
  Columns& columns = out->parts[kCounter];
  RETURN_IF_ERROR(chunk::Decode(part.encoding, part.data, &columns));
  std::vector<TimestampMs>& times = columns.times;
  if (times.size() > 1 && times[times.size() - 2] == times.back()) {
    out->raw_last = columns.values.back();
    times.pop_back();
    columns.values.pop_back();
  }
  for (const std::vector<TimestampMs>* lane : {&times, &columns.histogram_times}) {
    if (std::adjacent_find(lane->begin(), lane->end(), std::greater_equal<>()) != lane->end() ||
        (!lane->empty() && lane->back() > chunk.chunk.max_time))
      return Corruption("a counter whose samples are out of order");
  }
  return OkStatus();
}

Status DecodeAggregate(const SeriesChunk& chunk, Decoded* out) {
  ASSIGN_OR_RETURN(const chunk::AggregateParts parts,
                   chunk::SplitAggregateChunk(chunk.chunk.stored.data));
  for (std::size_t i = 0; i < kParts; ++i) {
    if (parts[i].encoding == Encoding::kNone) continue;
    if (i == kCounter && chunk.deleted.empty()) {
      RETURN_IF_ERROR(DecodeCounter(parts[i], chunk, out));
      continue;
    }
    if (i == kCounter) {
      // Without the windows that are deleted; what is left of the first sample and the last says
      // nothing then.
      SeriesChunk all = chunk;
      all.deleted = {};
      RETURN_IF_ERROR(DecodeCounter(parts[i], all, out));
      Columns kept;
      Columns& columns = out->parts[kCounter];
      for (std::size_t k = 0; k < columns.times.size(); ++k) {
        if (IsDeleted(chunk.deleted, columns.times[k])) continue;
        kept.times.push_back(columns.times[k]);
        kept.values.push_back(columns.values[k]);
      }
      for (std::size_t k = 0; k < columns.histogram_times.size(); ++k) {
        if (IsDeleted(chunk.deleted, columns.histogram_times[k])) continue;
        kept.histogram_times.push_back(columns.histogram_times[k]);
        kept.histograms.push_back(columns.histograms[k]);
      }
      columns = std::move(kept);
      continue;
    }
    RETURN_IF_ERROR(DecodeSeriesChunk(parts[i].encoding, parts[i].data, chunk, chunk.chunk.min_time,
                                      &out->parts[i]));
  }
  return OkStatus();
}

// Writes merged aggregates as chunks. The windows are those of the count.
class AggregateEncoder {
 public:
  AggregateEncoder(const std::array<Columns, kParts>& parts, std::optional<double> raw_last,
                   std::vector<EncodedChunk>* out)
      : parts_(parts), raw_last_(raw_last), out_(*out) {}

  // With kFollow what a part has between two chunks goes into the later one, else it is left out.
  enum class Between : std::uint8_t { kFollow, kLeaveOut };

  Status Run(Between between) {
    const std::vector<TimestampMs>& windows = parts_[kCount].times;
    if (windows.empty()) return OkStatus();
    std::size_t first = 0;
    while (first < windows.size()) {
      const std::size_t end = EndOfChunk(first);
      const TimestampMs from = between == Between::kFollow ? after_last_ : windows[first];
      RETURN_IF_ERROR(WriteChunk(first, end, from));
      after_last_ = windows[end - 1] + (windows[end - 1] < kMaxTime ? 1 : 0);
      first = end;
    }
    return OkStatus();
  }

 private:
  // A chunk ends before a window whose histograms do not fit to those before it.
  std::size_t EndOfChunk(std::size_t first) const {
    const std::vector<TimestampMs>& windows = parts_[kCount].times;
    std::size_t end = std::min(windows.size(), first + kMostChunkSamples);
    for (const Columns& part : parts_) {
      if (part.histogram_times.empty()) continue;
      HistogramRun run(Encoding::kFloatHistogram);
      const auto begin = std::lower_bound(part.histogram_times.begin(), part.histogram_times.end(),
                                          windows[first]);
      auto i = static_cast<std::size_t>(begin - part.histogram_times.begin());
      for (; i < part.histogram_times.size() && part.histogram_times[i] <= windows[end - 1]; ++i) {
        if (run.Add(part.histogram_times[i], part.histograms[i])) continue;
        const auto at = std::lower_bound(windows.begin(), windows.end(), part.histogram_times[i]);
        end = std::max(first + 1, static_cast<std::size_t>(at - windows.begin()));
        break;
      }
    }
    return end;
  }

  Status WriteChunk(std::size_t first, std::size_t end, TimestampMs from) {
    const TimestampMs min_time = parts_[kCount].times[first];
    const TimestampMs max_time = parts_[kCount].times[end - 1];
    std::array<std::string, kParts> bytes;
    chunk::AggregateParts parts;
    for (std::size_t i = 0; i < kParts; ++i) {
      ASSIGN_OR_RETURN(parts[i].encoding, EncodePart(i, from, max_time, &bytes[i]));
      parts[i].data = bytes[i];
    }
    out_.push_back(
        {min_time, max_time, chunk::kAggregateEncoding, chunk::JoinAggregateParts(parts)});
    return OkStatus();
  }

  StatusOr<Encoding> EncodePart(std::size_t part, TimestampMs from, TimestampMs to,
                                std::string* bytes) {
    const Columns& columns = parts_[part];
    const auto range = [&](const std::vector<TimestampMs>& times) {
      const auto begin = std::lower_bound(times.begin(), times.end(), from);
      const auto end = std::upper_bound(begin, times.end(), to);
      return std::pair(static_cast<std::size_t>(begin - times.begin()),
                       static_cast<std::size_t>(end - times.begin()));
    };
    if (!columns.histogram_times.empty()) {
      HistogramRun run(Encoding::kFloatHistogram);
      const auto [first, end] = range(columns.histogram_times);
      for (std::size_t i = first; i < end; ++i) {
        if (!run.Add(columns.histogram_times[i], columns.histograms[i]))
          return Corruption("histograms of one window do not fit together, at {}",
                            columns.histogram_times[i]);
      }
      if (first == end) return Encoding::kNone;
      ASSIGN_OR_RETURN(*bytes, run.TakeChunk());
      return Encoding::kFloatHistogram;
    }
    const auto [first, end] = range(columns.times);
    if (first == end) return Encoding::kNone;
    chunk::XorEncoder encoder;
    encoder.Append(std::span(columns.times).subspan(first, end - first),
                   std::span(columns.values).subspan(first, end - first));
    if (part == kCounter) {
      const bool last = end == columns.times.size();
      encoder.Append(columns.times[end - 1],
                     last && raw_last_ ? *raw_last_ : columns.values[end - 1]);
    }
    *bytes = encoder.Bytes();
    return Encoding::kXor;
  }

  const std::array<Columns, kParts>& parts_;
  const std::optional<double> raw_last_;
  std::vector<EncodedChunk>& out_;
  TimestampMs after_last_ = kMinTime;
};

// The chunk that begins first comes last, as in Thanos.
Status MergePenalty(const std::vector<Decoded>& decoded, std::vector<EncodedChunk>* out) {
  std::array<Columns, kParts> merged;
  for (std::size_t part = 0; part < kParts; ++part) {
    std::vector<store::dedup::Row> rows;
    for (std::size_t i = 1; i <= decoded.size(); ++i) {
      const Columns& columns = decoded[i % decoded.size()].parts[part];
      if (!columns.empty()) rows.push_back({.columns = &columns});
    }
    store::dedup::MergePenalty(rows, store::dedup::Adjust::kNone,
                               store::dedup::ResetHints::kForgetAtSeams, &merged[part]);
  }
  return AggregateEncoder(merged, std::nullopt, out).Run(AggregateEncoder::Between::kLeaveOut);
}

// The chunks of one replica that do not overlap: positions.
std::vector<std::vector<std::size_t>> SplitRows(std::span<const SeriesChunk> chunks) {
  std::vector<std::vector<std::size_t>> rows;
  for (std::size_t i = 0; i < chunks.size(); ++i) {
    const auto row = std::find_if(rows.begin(), rows.end(), [&](const auto& positions) {
      const SeriesChunk& last = chunks[positions.back()];
      return last.replica == chunks[i].replica && !last.overlaps(chunks[i]);
    });
    if (row == rows.end()) {
      rows.push_back({i});
    } else {
      row->push_back(i);
    }
  }
  return rows;
}

void AppendTo(const Columns& from, Columns* to) {
  to->times.insert(to->times.end(), from.times.begin(), from.times.end());
  to->values.insert(to->values.end(), from.values.begin(), from.values.end());
  to->histogram_times.insert(to->histogram_times.end(), from.histogram_times.begin(),
                             from.histogram_times.end());
  to->histograms.insert(to->histograms.end(), from.histograms.begin(), from.histograms.end());
}

// The aggregates of one row; the counter as one that never falls.
Decoded JoinRow(const std::vector<std::size_t>& positions, std::vector<Decoded>* decoded) {
  Decoded row;
  std::vector<Columns> counters;
  for (const std::size_t i : positions) {
    Decoded& chunk = (*decoded)[i];
    for (std::size_t part = 0; part < kCounter; ++part)
      AppendTo(chunk.parts[part], &row.parts[part]);
    Columns& counter = chunk.parts[kCounter];
    row.raw_last = chunk.raw_last;
    // As the seam is told of in the chunk.
    if (chunk.raw_last && !counter.times.empty()) {
      counter.times.push_back(counter.times.back());
      counter.values.push_back(*chunk.raw_last);
    }
    counters.push_back(std::move(counter));
  }
  store::dedup::ApplyCounterResets(counters, &row.parts[kCounter]);
  return row;
}

Status MergeByWindows(std::span<const SeriesChunk> chunks, TimestampMs window,
                      std::vector<Decoded>* decoded, std::vector<EncodedChunk>* out) {
  std::vector<Decoded> rows;
  for (const std::vector<std::size_t>& positions : SplitRows(chunks))
    rows.push_back(JoinRow(positions, decoded));
  std::array<Columns, kParts> merged;
  for (std::size_t part = 0; part < kParts; ++part) {
    std::vector<store::dedup::AggregateRow> of_part;
    for (const Decoded& row : rows)
      of_part.push_back({.values = &row.parts[part], .counts = &row.parts[kCount]});
    const auto totals = part == kCounter ? store::dedup::Totals::kYes : store::dedup::Totals::kNo;
    store::dedup::MergeAggregates(of_part, window, totals, &merged[part]);
  }
  // What the next chunk goes on from: of replicas that reach to the end the smaller value, for a
  // greater one would look like a reset.
  std::optional<double> raw_last;
  const std::vector<TimestampMs>& times = merged[kCounter].times;
  for (const Decoded& row : rows) {
    const std::vector<TimestampMs>& own = row.parts[kCounter].times;
    if (!row.raw_last || times.empty() || own.empty() || own.back() != times.back()) continue;
    raw_last = raw_last ? std::min(*raw_last, *row.raw_last) : *row.raw_last;
  }
  return AggregateEncoder(merged, raw_last, out).Run(AggregateEncoder::Between::kFollow);
}

}  // namespace

Status MergeAggregateChunks(std::span<const SeriesChunk> chunks, MergeFunction function,
                            TimestampMs window, std::vector<EncodedChunk>* out) {
  std::vector<Decoded> decoded(chunks.size());
  for (std::size_t i = 0; i < chunks.size(); ++i) {
    const tsdb::WrittenChunk& chunk = chunks[i].chunk;
    RETURN_IF_ERROR(Annotate(DecodeAggregate(chunks[i], &decoded[i]),
                             fmt::format("chunk {} to {}", chunk.min_time, chunk.max_time)));
  }
  if (function == MergeFunction::kPenalty && chunks.size() > 1) return MergePenalty(decoded, out);
  return MergeByWindows(chunks, window, &decoded, out);
}

}  // namespace aevum::compaction
