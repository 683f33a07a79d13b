#include "compaction/histogram_run.h"

#include <algorithm>
#include <utility>

#include "chunk/histogram_encoder.h"

namespace aevum::compaction {
namespace {

using model::FloatHistogram;
using model::ResetHint;
using model::Span;

// The index of each bucket. False when spans and counts are not of one another, or an index has
// more than 32 bits.
bool IndicesOf(const std::vector<Span>& spans, std::size_t counts,
               std::vector<std::int64_t>* indices) {
  indices->clear();
  std::int64_t next = 0;
  for (const Span& span : spans) {
    next += span.offset;
    if (span.length > counts - indices->size()) return false;
    for (std::uint32_t i = 0; i < span.length; ++i) indices->push_back(next++);
    if (next > INT32_MAX || next < INT32_MIN) return false;
  }
  return indices->size() == counts;
}

// Spans of ascending indices: a new one at each gap.
std::vector<Span> SpansOf(const std::vector<std::int64_t>& indices) {
  std::vector<Span> spans;
  std::int64_t end = 0;  // behind the last span
  for (const std::int64_t index : indices) {
    if (spans.empty() || index != end)
      spans.push_back({.offset = static_cast<std::int32_t>(index - end), .length = 0});
    ++spans.back().length;
    end = index + 1;
  }
  return spans;
}

// The counts of a histogram in a layout that has all of its buckets.
void Spread(const std::vector<Span>& from, const std::vector<double>& counts,
            const std::vector<Span>& to, std::size_t size, std::vector<double>* out) {
  std::vector<std::int64_t> own;
  std::vector<std::int64_t> all;
  out->assign(size, 0);
  if (!IndicesOf(from, counts.size(), &own) || !IndicesOf(to, size, &all)) return;
  std::size_t at = 0;
  for (std::size_t i = 0; i < own.size(); ++i) {
    while (all[at] != own[i]) ++at;
    (*out)[at] = counts[i];
  }
}

}  // namespace

void HistogramRun::Begin(const FloatHistogram& h) {
  hint_ = h.reset_hint == ResetHint::kGauge                   ? ResetHint::kGauge
          : after_reset_ || h.reset_hint == ResetHint::kReset ? ResetHint::kReset
                                                              : begin_;
  first_.schema = h.schema;
  first_.zero_threshold = h.zero_threshold;
  first_.custom_values = h.custom_values;
  positive_ = {h.positive_spans, h.positive_buckets};
  negative_ = {h.negative_spans, h.negative_buckets};
}

bool HistogramRun::JoinSide(const std::vector<Span>& spans, const std::vector<double>& counts,
                            const Side& side, JoinedSide* joined) const {
  joined->counts.clear();
  joined->all.clear();
  joined->adds = joined->lacks = false;
  if (spans == side.spans) {
    if (counts.size() != side.counts.size()) return false;
    for (std::size_t i = 0; !IsGauge() && i < counts.size(); ++i)
      if (counts[i] < side.counts[i]) return false;
    joined->counts = counts;
    return true;
  }
  std::vector<std::int64_t> ours;
  std::vector<std::int64_t> theirs;
  if (!IndicesOf(side.spans, side.counts.size(), &ours) ||
      !IndicesOf(spans, counts.size(), &theirs)) {
    return false;
  }
  std::size_t a = 0;
  std::size_t b = 0;
  while (a < ours.size() || b < theirs.size()) {
    const bool has_a = a < ours.size() && (b == theirs.size() || ours[a] <= theirs[b]);
    const bool has_b = b < theirs.size() && (a == ours.size() || theirs[b] <= ours[a]);
    const double now = has_b ? counts[b] : 0;
    if (has_a && !IsGauge() && now < side.counts[a]) return false;
    joined->all.push_back(has_a ? ours[a] : theirs[b]);
    joined->counts.push_back(now);
    joined->adds = joined->adds || !has_a;
    joined->lacks = joined->lacks || !has_b;
    a += has_a ? 1 : 0;
    b += has_b ? 1 : 0;
  }
  return true;
}

bool HistogramRun::Joins(const FloatHistogram& h) {
  JoinedSide positive;
  JoinedSide negative;
  if (!JoinSide(h.positive_spans, h.positive_buckets, positive_, &positive) ||
      !JoinSide(h.negative_spans, h.negative_buckets, negative_, &negative)) {
    return false;
  }
  // The layout stays as long as it has room. The new one is that of the histogram, whose spans may
  // touch; only where it lacks buckets of the chunk spans are made anew.
  if (positive.adds || negative.adds) {
    const bool any_lacks = IsGauge() && (positive.lacks || negative.lacks);
    const auto widen = [&](const std::vector<Span>& own, const JoinedSide& joined, Side* side) {
      const bool same = joined.all.empty();
      side->spans = joined.lacks || (any_lacks && !same) ? SpansOf(joined.all) : own;
    };
    widen(h.positive_spans, positive, &positive_);
    widen(h.negative_spans, negative, &negative_);
  }
  positive_.counts = std::move(positive.counts);
  negative_.counts = std::move(negative.counts);
  return true;
}

bool HistogramRun::Add(TimestampMs time, const FloatHistogram& h, TimestampMs start) {
  const bool stale = chunk::IsStale(h.sum);
  if (samples_.empty()) {
    Begin(h);
  } else if (IsGauge() != (h.reset_hint == ResetHint::kGauge)) {
    return false;
  } else if (!stale) {
    if (stale_) return false;
    const bool same_kind = h.schema == first_.schema && h.zero_threshold == first_.zero_threshold &&
                           h.custom_values == first_.custom_values;
    const bool falls = !IsGauge() && (h.reset_hint == ResetHint::kReset || h.count < count_ ||
                                      h.zero_count < zero_count_);
    if (!same_kind || falls || !Joins(h)) {
      after_reset_ = !IsGauge();
      return false;
    }
  }
  after_reset_ = false;
  stale_ = stale;
  count_ = h.count;
  zero_count_ = h.zero_count;
  samples_.push_back({time, &h, start});
  return true;
}

StatusOr<std::string> HistogramRun::TakeChunk() {
  chunk::HistogramEncoder encoder(encoding_, hint_);
  FloatHistogram spread = first_;
  spread.positive_spans = positive_.spans;
  spread.negative_spans = negative_.spans;
  for (const Sample& sample : std::exchange(samples_, {})) {
    const FloatHistogram& h = *sample.histogram;
    const FloatHistogram* written = &h;
    if (!chunk::IsStale(h.sum) &&
        (h.positive_spans != positive_.spans || h.negative_spans != negative_.spans)) {
      spread.count = h.count;
      spread.zero_count = h.zero_count;
      spread.sum = h.sum;
      Spread(h.positive_spans, h.positive_buckets, positive_.spans, positive_.counts.size(),
             &spread.positive_buckets);
      Spread(h.negative_spans, h.negative_buckets, negative_.spans, negative_.counts.size(),
             &spread.negative_buckets);
      written = &spread;
    }
    const Status status = encoder.Append(sample.time, *written, sample.start);
    if (!status.ok()) return Corruption("a histogram at {}: {}", sample.time, status.message());
  }
  return encoder.Bytes();
}

}  // namespace aevum::compaction
