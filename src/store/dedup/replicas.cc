#include "store/dedup/replicas.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <tuple>

namespace aevum::store::dedup {
namespace {

using model::FloatHistogram;

int Rank(double value) {
  if (std::bit_cast<std::uint64_t>(value) == chunk::kStaleNanBits) return 0;
  return std::isnan(value) ? 1 : 2;
}

bool Beats(double a, double b) {
  const int rank_a = Rank(a);
  const int rank_b = Rank(b);
  if (rank_a != rank_b) return rank_a > rank_b;
  if (rank_a == 2 && a != b) return a > b;
  return std::bit_cast<std::uint64_t>(a) > std::bit_cast<std::uint64_t>(b);
}

// Markers of histograms are in the sum.
bool Beats(const FloatHistogram& a, const FloatHistogram& b) {
  if (Rank(a.sum) != Rank(b.sum)) return Rank(a.sum) > Rank(b.sum);
  if (a.count != b.count) return a.count > b.count;
  if (std::bit_cast<std::uint64_t>(a.sum) != std::bit_cast<std::uint64_t>(b.sum)) {
    return Beats(a.sum, b.sum);
  }
  const auto rest = [](const FloatHistogram& h) {
    return std::tie(h.schema, h.zero_threshold, h.zero_count, h.positive_buckets,
                    h.negative_buckets, h.custom_values);
  };
  return rest(a) > rest(b);
}

// Floats or histograms; without start timestamps `starts` is empty.
template <typename Times, typename Values>
struct Lane {
  Times& times;
  Values& values;
  Times& starts;
};

template <typename Values>
using InLane = Lane<const std::vector<TimestampMs>, const Values>;
template <typename Values>
using OutLane = Lane<std::vector<TimestampMs>, Values>;

// The end of a lane from a position on, cut off.
template <typename Values>
Values TakeFrom(std::size_t position, Values* lane) {
  if (position >= lane->size()) return {};
  Values taken(lane->begin() + static_cast<std::ptrdiff_t>(position), lane->end());
  lane->resize(position);
  return taken;
}

// Adds a lane of another chunk. Where it begins after the end of what is there, an append is all.
template <bool kStarts, typename Values>
void UniteLane(InLane<Values> in, std::size_t first, OutLane<Values> out) {
  if (in.times.empty()) return;
  if (out.times.size() == first || out.times.back() < in.times.front()) {
    out.times.insert(out.times.end(), in.times.begin(), in.times.end());
    out.values.insert(out.values.end(), in.values.begin(), in.values.end());
    out.starts.insert(out.starts.end(), in.starts.begin(), in.starts.end());
    return;
  }
  const auto begin = out.times.begin() + static_cast<std::ptrdiff_t>(first);
  const auto overlap = std::lower_bound(begin, out.times.end(), in.times.front());
  const auto keep = static_cast<std::size_t>(overlap - out.times.begin());
  const std::vector<TimestampMs> old_times = TakeFrom(keep, &out.times);
  const Values old_values = TakeFrom(keep, &out.values);
  const std::vector<TimestampMs> old_starts = TakeFrom(keep, &out.starts);
  std::size_t a = 0;
  std::size_t b = 0;
  while (a < old_times.size() || b < in.times.size()) {
    const bool has_a = a < old_times.size();
    const bool has_b = b < in.times.size();
    const bool both = has_a && has_b && old_times[a] == in.times[b];
    const bool take_a = both ? !Beats(in.values[b], old_values[a])
                             : has_a && (!has_b || old_times[a] < in.times[b]);
    out.times.push_back(take_a ? old_times[a] : in.times[b]);
    out.values.push_back(take_a ? old_values[a] : in.values[b]);
    if constexpr (kStarts) out.starts.push_back(take_a ? old_starts[a] : in.starts[b]);
    if (both || take_a) ++a;
    if (both || !take_a) ++b;
  }
}

// Removes floats at times that a histogram has.
void DropCoveredFloats(std::size_t first_float, std::size_t first_histogram, chunk::Columns* out) {
  if (out->histogram_times.size() == first_histogram || out->times.size() == first_float) return;
  const auto begin = out->histogram_times.begin() + static_cast<std::ptrdiff_t>(first_histogram);
  std::size_t kept = first_float;
  for (std::size_t i = first_float; i < out->times.size(); ++i) {
    if (std::binary_search(begin, out->histogram_times.end(), out->times[i])) continue;
    out->times[kept] = out->times[i];
    out->values[kept] = out->values[i];
    if (out->with_starts) out->starts[kept] = out->starts[i];
    ++kept;
  }
  out->times.resize(kept);
  out->values.resize(kept);
  out->FitStarts();
}

template <bool kStarts>
void Unite(std::span<const chunk::Columns> chunks, chunk::Columns* out) {
  const std::size_t first_float = out->times.size();
  const std::size_t first_histogram = out->histogram_times.size();
  for (const chunk::Columns& chunk : chunks) {
    UniteLane<kStarts, std::vector<double>>({chunk.times, chunk.values, chunk.starts}, first_float,
                                            {out->times, out->values, out->starts});
    UniteLane<kStarts, model::HistogramColumn>(
        {chunk.histogram_times, chunk.histograms, chunk.histogram_starts}, first_histogram,
        {out->histogram_times, out->histograms, out->histogram_starts});
  }
  DropCoveredFloats(first_float, first_histogram, out);
}

// Whether a chunk is one more aggregate of what the chunk before it is of.
bool IsPart(std::span<const chunk::ChunkView> chunks, std::size_t i) {
  return i > 0 && chunks[i].aggregate > chunks[i - 1].aggregate &&
         chunks[i].min_time == chunks[i - 1].min_time &&
         chunks[i].max_time == chunks[i - 1].max_time;
}

// The row that a chunk goes on with after about one of its own intervals; the number of rows when
// it overlaps all of them.
std::size_t BestContinued(std::span<const std::vector<std::size_t>> rows,
                          std::span<const chunk::ChunkView> chunks, std::size_t i) {
  const chunk::ChunkView& chunk = chunks[i];
  if (rows.size() == 1 && chunks[rows[0].back()].max_time < chunk.min_time) return 0;
  const std::uint32_t samples = chunk::ClaimedSamples(chunk.encoding, chunk.data);
  const double length = static_cast<double>(chunk.max_time) - static_cast<double>(chunk.min_time);
  const double step = samples > 1 ? length / (samples - 1) : 0;
  std::size_t best = rows.size();
  double least = 0;
  for (std::size_t row = 0; row < rows.size(); ++row) {
    const TimestampMs end = chunks[rows[row].back()].max_time;
    if (end >= chunk.min_time) continue;
    const double distance =
        std::abs(static_cast<double>(chunk.min_time) - static_cast<double>(end) - step);
    if (best < rows.size() && distance >= least) continue;
    best = row;
    least = distance;
  }
  return best;
}

}  // namespace

std::vector<std::vector<std::size_t>> SplitOverlaps(std::span<const chunk::ChunkView> chunks) {
  std::vector<std::vector<std::size_t>> rows;
  std::vector<TimestampMs> ends;
  std::size_t row = 0;
  for (std::size_t i = 0; i < chunks.size(); ++i) {
    const chunk::ChunkView& chunk = chunks[i];
    if (!IsPart(chunks, i)) {
      row = 0;
      while (row < rows.size() && ends[row] >= chunk.min_time) ++row;
      if (row == rows.size()) {
        rows.emplace_back();
        ends.emplace_back();
      }
      ends[row] = chunk.max_time;
    }
    rows[row].push_back(i);
  }
  return rows;
}

std::vector<std::vector<std::size_t>> SplitReplicas(std::span<const chunk::ChunkView> chunks) {
  std::vector<std::vector<std::size_t>> rows;
  unsigned all = 0;
  for (const chunk::ChunkView& chunk : chunks) all |= chunk.replicas;
  for (; all != 0; all &= all - 1) {
    const unsigned replica = all & -all;
    const std::size_t first = rows.size();
    std::size_t last = first;
    for (std::size_t i = 0; i < chunks.size(); ++i) {
      if ((chunks[i].replicas & replica) == 0) continue;
      if (IsPart(chunks, i)) {
        rows[last].push_back(i);
        continue;
      }
      const std::size_t row = BestContinued(std::span(rows).subspan(first), chunks, i) + first;
      if (row == rows.size()) rows.emplace_back();
      rows[row].push_back(i);
      last = row;
    }
  }
  return rows;
}

void Union(std::span<const chunk::Columns> chunks, chunk::Columns* out) {
  out->with_starts ? Unite<true>(chunks, out) : Unite<false>(chunks, out);
}

}  // namespace aevum::store::dedup
