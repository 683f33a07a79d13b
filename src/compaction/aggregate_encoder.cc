#include "compaction/aggregate_encoder.h"

#include <algorithm>
#include <array>
#include <initializer_list>
#include <optional>
#include <span>
#include <utility>

#include "chunk/aggregate_chunk.h"
#include "compaction/histogram_run.h"

namespace aevum::compaction {
namespace {

using chunk::Encoding;
using model::ResetHint;

// Positions in AggregateParts.
enum Position : std::uint8_t { kCount, kSum, kMin, kMax, kCounter };

Status Append(AggregateChunk chunk, std::vector<AggregateChunk>* out) {
  if (!out->empty() && chunk.min_time <= out->back().max_time) {
    return Corruption("windows are not in the order of time: {} behind {}", chunk.min_time,
                      out->back().max_time);
  }
  out->push_back(std::move(chunk));
  return OkStatus();
}

// What the windows of the parts cover; nothing when there are none.
struct Cover {
  TimestampMs min_time = kMaxTime;
  TimestampMs max_time = kMinTime;

  void Include(std::span<const TimestampMs> times) {
    if (times.empty()) return;
    min_time = std::min(min_time, times.front());
    max_time = std::max(max_time, times.back());
  }
  bool empty() const { return min_time > max_time; }
};

// The run of a part, from one of its histograms up to where it can't go on.
class PartRun {
 public:
  PartRun(const HistogramPart& part, ResetHint hint) : part_(part), hint_(hint) { Begin(); }

  // The times at which a new chunk has to begin, from the second one on.
  std::vector<TimestampMs> Cuts() {
    std::vector<TimestampMs> cuts;
    for (; at_ < part_.times.size(); ++at_) {
      if (Add()) continue;
      cuts.push_back(part_.times[at_]);
      Begin();
      Add();
    }
    return cuts;
  }
  // Adds all up to `last`, inclusive. False when one does not fit.
  bool AddUpTo(TimestampMs last, Cover* cover) {
    const std::size_t from = at_;
    for (; at_ < part_.times.size() && part_.times[at_] <= last; ++at_)
      if (!Add()) return false;
    cover->Include(std::span(part_.times).subspan(from, at_ - from));
    return true;
  }
  // The data of what was added; empty when there is nothing.
  StatusOr<std::string> Take() {
    if (run_->samples() == 0) return std::string();
    StatusOr<std::string> data = run_->TakeChunk();
    Begin();
    return data;
  }

 private:
  void Begin() { run_.emplace(Encoding::kFloatHistogram, hint_); }
  bool Add() {
    return run_->samples() < kMostWindows && run_->Add(part_.times[at_], part_.histograms[at_]);
  }

  const HistogramPart& part_;
  const ResetHint hint_;
  std::size_t at_ = 0;
  std::optional<HistogramRun> run_;
};

ResetHint CounterHint(const HistogramParts& parts) {
  return parts.are_gauges ? ResetHint::kGauge : ResetHint::kNoReset;
}

// The last time of each chunk.
std::vector<TimestampMs> FindEnds(const HistogramParts& parts) {
  std::vector<TimestampMs> cuts = PartRun(parts.sum, ResetHint::kGauge).Cuts();
  const std::vector<TimestampMs> others = PartRun(parts.counter, CounterHint(parts)).Cuts();
  cuts.insert(cuts.end(), others.begin(), others.end());
  for (std::size_t i = kMostWindows; i < parts.count.times.size(); i += kMostWindows)
    cuts.push_back(parts.count.times[i]);
  std::sort(cuts.begin(), cuts.end());
  cuts.erase(std::unique(cuts.begin(), cuts.end()), cuts.end());
  for (TimestampMs& cut : cuts) --cut;
  cuts.push_back(kMaxTime);
  return cuts;
}

}  // namespace

tsdb::WrittenChunk AggregateChunk::View() const {
  return {min_time, max_time, {chunk::kAggregateEncoding, data}};
}

std::string AggregateEncoder::EncodeFloats(const FloatPart& part, std::size_t from,
                                           std::size_t to) {
  if (from == to) return {};
  encoder_.Reset();
  encoder_.Append(std::span(part.times).subspan(from, to - from),
                  std::span(part.values).subspan(from, to - from));
  return encoder_.Bytes();
}

Status AggregateEncoder::Encode(const FloatParts& parts, std::vector<AggregateChunk>* out) {
  const std::array<const FloatPart*, 5> all = {&parts.count, &parts.sum, &parts.min, &parts.max,
                                               &parts.counter};
  Cover cover;
  std::array<std::string, 5> data;
  chunk::AggregateParts joined;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const FloatPart& part = *all[i];
    if (part.times.size() > kMostWindows + 2)
      return Corruption("too many windows for a chunk: {}", part.times.size());
    // The first sample of a counter belongs to no window.
    const bool is_counter = i == kCounter && !part.times.empty();
    cover.Include(std::span(part.times).subspan(is_counter ? 1 : 0));
    data[i] = EncodeFloats(part, 0, part.times.size());
    if (!data[i].empty()) joined[i] = {Encoding::kXor, data[i]};
  }
  if (cover.empty()) return OkStatus();
  return Append(
      {cover.min_time, cover.max_time, static_cast<std::uint32_t>(parts.count.times.size()),
       chunk::JoinAggregateParts(joined)},
      out);
}

Status AggregateEncoder::Encode(const HistogramParts& parts, std::vector<AggregateChunk>* out) {
  PartRun sum(parts.sum, ResetHint::kGauge);
  PartRun counter(parts.counter, CounterHint(parts));
  std::size_t from = 0;
  for (const TimestampMs last : FindEnds(parts)) {
    Cover cover;
    const std::vector<TimestampMs>& times = parts.count.times;
    std::size_t to = from;
    while (to < times.size() && times[to] <= last) ++to;
    cover.Include(std::span(times).subspan(from, to - from));
    if (!sum.AddUpTo(last, &cover) || !counter.AddUpTo(last, &cover))
      return Corruption("histograms of windows up to {} can't be put together", last);
    if (cover.empty()) continue;
    ASSIGN_OR_RETURN(const std::string sum_data, sum.Take());
    ASSIGN_OR_RETURN(const std::string counter_data, counter.Take());
    const std::string count_data = EncodeFloats(parts.count, from, to);
    chunk::AggregateParts joined;
    if (!count_data.empty()) joined[kCount] = {Encoding::kXor, count_data};
    if (!sum_data.empty()) joined[kSum] = {Encoding::kFloatHistogram, sum_data};
    if (!counter_data.empty()) joined[kCounter] = {Encoding::kFloatHistogram, counter_data};
    RETURN_IF_ERROR(Append({cover.min_time, cover.max_time, static_cast<std::uint32_t>(to - from),
                            chunk::JoinAggregateParts(joined)},
                           out));
    from = to;
  }
  return OkStatus();
}

}  // namespace aevum::compaction
