#include "compaction/raw_overlap.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "compaction/penalty_fold.h"
#include "store/dedup/replicas.h"
#include "store/dedup/row_reader.h"

namespace aevum::compaction {
namespace {

using chunk::Columns;
using chunk::Encoding;

bool HasStarts(Encoding encoding) {
  return encoding == Encoding::kXor2 || encoding == Encoding::kHistogramStart ||
         encoding == Encoding::kFloatHistogramStart;
}

Encoding EncodingOf(const SeriesChunk& chunk) {
  return static_cast<Encoding>(chunk.chunk.stored.encoding);
}

// Chunks of one replica that overlap: positions.
struct Joined {
  std::uint32_t replica = 0;
  TimestampMs max_time = 0;
  std::vector<std::size_t> chunks;
};

// In the order of their begins.
std::vector<Joined> JoinReplicas(std::span<const SeriesChunk> chunks) {
  std::vector<Joined> all;
  for (std::size_t i = 0; i < chunks.size(); ++i) {
    const SeriesChunk& next = chunks[i];
    const auto same = std::find_if(all.rbegin(), all.rend(), [&](const Joined& joined) {
      return joined.replica == next.replica && joined.max_time >= next.chunk.min_time;
    });
    if (same == all.rend()) {
      all.push_back({next.replica, next.chunk.max_time, {i}});
    } else {
      same->chunks.push_back(i);
      same->max_time = std::max(same->max_time, next.chunk.max_time);
    }
  }
  return all;
}

// The union of some of the columns, which are used up.
Columns Unite(const std::vector<std::size_t>& positions, std::vector<Columns>* decoded) {
  if (positions.size() == 1) return std::move((*decoded)[positions.front()]);
  std::vector<Columns> some;
  for (const std::size_t i : positions) some.push_back(std::move((*decoded)[i]));
  Columns united;
  united.with_starts = some.front().with_starts;
  store::dedup::Union(some, &united);
  return united;
}

bool HasOnlyIntegers(const model::FloatHistogram& h) {
  const auto integer = [](double count) { return count >= 0 && count == std::floor(count); };
  return integer(h.count) && integer(h.zero_count) &&
         std::all_of(h.positive_buckets.begin(), h.positive_buckets.end(), integer) &&
         std::all_of(h.negative_buckets.begin(), h.negative_buckets.end(), integer);
}

}  // namespace

Status RawOverlapMerger::DecodeAll(std::span<const SeriesChunk> chunks) {
  const bool with_starts = std::any_of(chunks.begin(), chunks.end(), [](const SeriesChunk& chunk) {
    return HasStarts(EncodingOf(chunk));
  });
  if (decoded_.size() < chunks.size()) decoded_.resize(chunks.size());
  integer_times_.clear();
  float_times_.clear();
  for (std::size_t i = 0; i < chunks.size(); ++i) {
    const SeriesChunk& chunk = chunks[i];
    decoded_[i].with_starts = with_starts;
    if (const Status status = DecodeSeriesChunk(EncodingOf(chunk), chunk.chunk.stored.data, chunk,
                                                chunk.chunk.min_time, &decoded_[i]);
        !status.ok()) {
      return Annotate(status,
                      fmt::format("chunk {} to {}", chunk.chunk.min_time, chunk.chunk.max_time));
    }
    NoteHistograms(chunk, decoded_[i]);
  }
  return OkStatus();
}

void RawOverlapMerger::NoteHistograms(const SeriesChunk& chunk, const Columns& columns) {
  const Encoding encoding = EncodingOf(chunk);
  std::vector<TimestampMs>& times =
      encoding == Encoding::kFloatHistogram || encoding == Encoding::kFloatHistogramStart
          ? float_times_
          : integer_times_;
  times.insert(times.end(), columns.histogram_times.begin(), columns.histogram_times.end());
}

std::span<const std::uint8_t> RawOverlapMerger::KindsOfHistograms() {
  const std::size_t count = merged_.histograms.size();
  kinds_.assign(count, integer_times_.empty() ? 1 : 0);
  if (float_times_.empty() || integer_times_.empty()) return kinds_;
  std::sort(integer_times_.begin(), integer_times_.end());
  std::sort(float_times_.begin(), float_times_.end());
  for (std::size_t i = 0; i < count; ++i) {
    const TimestampMs time = merged_.histogram_times[i];
    const auto is_in = [time](const std::vector<TimestampMs>& times) {
      return std::binary_search(times.begin(), times.end(), time);
    };
    // One of two samples at this time remains: which one, its counts may tell.
    const bool both = is_in(integer_times_) && is_in(float_times_);
    kinds_[i] = both ? !HasOnlyIntegers(merged_.histograms[i]) : is_in(float_times_);
  }
  return kinds_;
}

void RawOverlapMerger::MergePenalty(std::span<const SeriesChunk> chunks) {
  const std::vector<Joined> joined = JoinReplicas(chunks);
  std::optional<PenaltyFold> fold;
  for (const Joined& next : joined) {
    Columns columns = Unite(next.chunks, &decoded_);
    if (columns.empty()) continue;
    if (fold) {
      fold->Add(columns);
    } else {
      fold.emplace(std::move(columns));
    }
  }
  if (fold) merged_ = std::move(*fold).Take();
}

Status RawOverlapMerger::MergeAdaptive(std::span<const SeriesChunk> chunks,
                                       const OverlapOptions& options) {
  std::vector<std::uint32_t> replicas;
  for (const SeriesChunk& chunk : chunks) replicas.push_back(chunk.replica);
  std::sort(replicas.begin(), replicas.end());
  replicas.erase(std::unique(replicas.begin(), replicas.end()), replicas.end());
  std::vector<Columns> rows;
  for (const std::uint32_t replica : replicas) {
    std::vector<std::size_t> positions;
    for (std::size_t i = 0; i < chunks.size(); ++i)
      if (chunks[i].replica == replica) positions.push_back(i);
    rows.push_back(Unite(positions, &decoded_));
  }
  if (rows.size() == 1) {
    merged_ = std::move(rows.front());
    return OkStatus();
  }
  std::vector<store::dedup::RowReader> readers;
  readers.reserve(rows.size());
  for (const Columns& row : rows) readers.emplace_back(row);
  return store::dedup::MergeAdaptive(
      readers, {.type = options.type, .range_start = options.range_start}, &merged_);
}

Status RawOverlapMerger::Merge(std::span<const SeriesChunk> chunks, const OverlapOptions& options,
                               std::vector<EncodedChunk>* out) {
  EncodingChoice choice;
  for (const SeriesChunk& chunk : chunks) choice.Include(EncodingOf(chunk));
  RETURN_IF_ERROR(DecodeAll(chunks));
  merged_.Clear();
  merged_.with_starts = decoded_.front().with_starts;
  switch (options.function) {
    case MergeFunction::kOneToOne:
      store::dedup::Union(std::span(decoded_).first(chunks.size()), &merged_);
      break;
    case MergeFunction::kPenalty:
      MergePenalty(chunks);
      break;
    case MergeFunction::kAdaptive:
      RETURN_IF_ERROR(MergeAdaptive(chunks, options));
      break;
  }
  return EncodeSamples(merged_, KindsOfHistograms(), choice, out);
}

}  // namespace aevum::compaction
