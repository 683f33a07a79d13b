#include "compaction/histogram_aggregator.h"

#include <algorithm>
#include <iterator>

#include "compaction/window.h"
#include "model/histogram_arithmetic.h"

namespace aevum::compaction {

using model::FloatHistogram;
using model::ResetHint;
using model::Span;

namespace {

// Buckets without a gap between them.
struct Run {
  std::int64_t begin = 0;
  std::int64_t end = 0;
};

std::vector<Run> ToRuns(const std::vector<Span>& spans) {
  std::vector<Run> runs;
  std::int64_t next = 0;
  for (const Span& span : spans) {
    next += span.offset;
    if (span.length > 0) runs.push_back({next, next + span.length});
    next += span.length;
  }
  return runs;
}

std::vector<Span> ToSpans(const std::vector<Run>& runs) {
  std::vector<Span> spans;
  std::int64_t end = 0;
  for (const Run& run : runs) {
    spans.push_back({.offset = static_cast<std::int32_t>(run.begin - end),
                     .length = static_cast<std::uint32_t>(run.end - run.begin)});
    end = run.end;
  }
  return spans;
}

// Adds a bucket that is not there: to the run before it, else to the one behind it, else as one of
// its own. Runs that touch then stay two.
void Insert(std::int64_t bucket, std::vector<Run>* runs) {
  const auto behind =
      std::upper_bound(runs->begin(), runs->end(), bucket,
                       [](std::int64_t value, const Run& run) { return value < run.begin; });
  if (behind != runs->begin() && std::prev(behind)->end == bucket) {
    ++std::prev(behind)->end;
  } else if (behind != runs->end() && behind->begin == bucket + 1) {
    --behind->begin;
  } else {
    runs->insert(behind, {bucket, bucket + 1});
  }
}

// Adds to `*spans`, which hold the same buckets as `before`, those that `after` has besides.
void Widen(const std::vector<Span>& before, const std::vector<Span>& after,
           std::vector<Span>* spans) {
  if (before == after) return;
  std::vector<Run> runs = ToRuns(*spans);
  const std::vector<Run> old = ToRuns(before);
  std::size_t at = 0;
  for (const Run& run : ToRuns(after)) {
    for (std::int64_t bucket = run.begin; bucket < run.end; ++bucket) {
      while (at < old.size() && old[at].end <= bucket) ++at;
      if (at == old.size() || bucket < old[at].begin) Insert(bucket, &runs);
    }
  }
  *spans = ToSpans(runs);
}

}  // namespace

HistogramKind KindOf(const FloatHistogram& histogram) {
  return {.is_gauge = histogram.reset_hint == ResetHint::kGauge,
          .is_custom = histogram.uses_custom_buckets()};
}

void HistogramAggregator::Total::Begin(const FloatHistogram& first) {
  histogram = first;
  positive_spans = first.positive_spans;
  negative_spans = first.negative_spans;
}

void HistogramAggregator::Total::Add(const FloatHistogram& other) {
  const bool same_buckets = histogram.schema == other.schema &&
                            histogram.zero_threshold == other.zero_threshold &&
                            histogram.custom_values == other.custom_values;
  if (same_buckets && histogram.positive_spans == other.positive_spans &&
      histogram.negative_spans == other.negative_spans) {
    model::Add(&histogram, other);
    return;
  }
  before_ = histogram.positive_spans;
  negative_before_ = histogram.negative_spans;
  model::Add(&histogram, other);
  if (same_buckets) {
    Widen(before_, histogram.positive_spans, &positive_spans);
    Widen(negative_before_, histogram.negative_spans, &negative_spans);
  } else {
    positive_spans = histogram.positive_spans;
    negative_spans = histogram.negative_spans;
  }
}

void HistogramAggregator::Total::Emit(TimestampMs time, ResetHint hint, HistogramPart* part) const {
  part->times.push_back(time);
  part->histograms.push_back(histogram);
  FloatHistogram& emitted = part->histograms.back();
  emitted.positive_spans = positive_spans;
  emitted.negative_spans = negative_spans;
  emitted.reset_hint = hint;
}

const FloatHistogram& HistogramAggregator::AtLowestSchema(const FloatHistogram& histogram) {
  if (histogram.schema <= schema_) return histogram;
  reduced_at_ ^= 1;
  reduced_[reduced_at_] = model::AtSchema(histogram, schema_);
  return reduced_[reduced_at_];
}

void HistogramAggregator::Count(const FloatHistogram& histogram, const FloatHistogram& reduced) {
  if (previous_ == nullptr) {
    counter_.Begin(reduced);
  } else if (reduced.reset_hint != ResetHint::kGauge && model::DetectReset(histogram, *previous_)) {
    counter_.Add(reduced);
  } else {
    delta_ = reduced;
    model::Subtract(&delta_, *previous_);
    counter_.Add(delta_);
  }
  previous_ = &reduced;
}

void HistogramAggregator::Aggregate(std::span<const HistogramSample> samples, FloatPart* count,
                                    HistogramPart* sum, HistogramPart* counter) {
  if (samples.empty()) return;
  schema_ = std::min_element(samples.begin(), samples.end(),
                             [](const HistogramSample& a, const HistogramSample& b) {
                               return a.histogram->schema < b.histogram->schema;
                             })
                ->histogram->schema;
  previous_ = nullptr;
  const bool are_gauges = KindOf(*samples.front().histogram).is_gauge;
  for (std::size_t i = 0; i < samples.size();) {
    const TimestampMs end = WindowEnd(samples[i].time, resolution_ms_, samples.back().time);
    const std::size_t first = i;
    do {
      const FloatHistogram& reduced = AtLowestSchema(*samples[i].histogram);
      if (counter != nullptr) Count(*samples[i].histogram, reduced);
      if (sum == nullptr) continue;
      if (i == first) {
        sum_.Begin(reduced);
      } else {
        sum_.Add(reduced);
      }
    } while (++i < samples.size() && samples[i].time <= end);
    if (count != nullptr) count->Add(end, static_cast<double>(i - first));
    if (sum != nullptr) sum_.Emit(end, ResetHint::kGauge, sum);
    if (counter != nullptr)
      counter_.Emit(end, are_gauges ? ResetHint::kGauge : ResetHint::kUnknown, counter);
  }
}

}  // namespace aevum::compaction
