#include "store/dedup/testing/histogram_case.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>

#include "model/histogram_arithmetic.h"

namespace aevum::store::dedup::testing {
namespace {

using chunk::Columns;
using model::FloatHistogram;
using model::ResetHint;

constexpr TimestampMs kIntervals = 160;
constexpr TimestampMs kGridPerInterval = 4;
constexpr std::size_t kBuckets = 16;
constexpr std::int32_t kSchema = 2;
constexpr std::int32_t kFirstBucket = -3;
// As many samples as Prometheus puts into a chunk; the first of a chunk has no hint.
constexpr int kChunk = 120;

FloatHistogram Marker() {
  FloatHistogram marker;
  marker.sum = std::bit_cast<double>(chunk::kStaleNanBits);
  return marker;
}

// Gives each sample the hint that a reader of Prometheus's chunks gets.
class Hints {
 public:
  void Add(FloatHistogram histogram, bool gauge, Columns* out) {
    const bool first = in_chunk_++ % kChunk == 0;
    histogram.reset_hint = ResetHint::kUnknown;
    if (gauge) {
      histogram.reset_hint = ResetHint::kGauge;
    } else if (any_ && model::DetectReset(histogram, last_)) {
      histogram.reset_hint = ResetHint::kReset;
    } else if (any_ && !first) {
      histogram.reset_hint = ResetHint::kNoReset;
    }
    any_ = true;
    last_ = histogram;
    last_.reset_hint = ResetHint::kUnknown;
    out->histograms.push_back(std::move(histogram));
  }
  // After a marker or a float a chunk begins.
  void Interrupt() {
    any_ = false;
    in_chunk_ = 0;
  }

 private:
  FloatHistogram last_;
  bool any_ = false;
  int in_chunk_ = 0;
};

Columns SamplesOf(Random& random, const HistogramProcess& process, const ReplicaPlan& plan) {
  Columns columns;
  Hints hints;
  Scrape(random, process.process(), plan, [&](TimestampMs time, std::optional<TimestampMs> read) {
    if (process.IsFloat(read.value_or(time))) {
      columns.times.push_back(time);
      columns.values.push_back(read ? process.Read(*read).count
                                    : std::bit_cast<double>(chunk::kStaleNanBits));
      return;
    }
    columns.histogram_times.push_back(time);
    if (read) {
      hints.Add(process.Read(*read), process.is_gauge(), &columns);
    } else {
      columns.histograms.push_back(Marker());
      hints.Interrupt();
    }
  });
  return columns;
}

// The zero bucket, and the others at the finest schema.
FloatHistogram Make(const std::vector<double>& buckets) {
  FloatHistogram h;
  h.schema = kSchema;
  h.zero_threshold = 0x1p-20;
  h.zero_count = buckets[0];
  h.count = buckets[0];
  h.positive_spans = {{.offset = kFirstBucket, .length = kBuckets - 1}};
  for (std::size_t b = 1; b < kBuckets; ++b) {
    const auto exponent = static_cast<double>(b) + kFirstBucket;
    h.positive_buckets.push_back(buckets[b]);
    h.count += buckets[b];
    h.sum += buckets[b] * std::exp2(exponent / (1 << kSchema));
  }
  model::Compact(&h);
  return h;
}

}  // namespace

std::string NameOf(HistogramKind kind) {
  constexpr std::array<const char*, kHistogramKinds> kNames = {"integer", "float", "gauge",
                                                               "mixed"};
  return kNames[static_cast<std::size_t>(kind)];
}

HistogramProcess::HistogramProcess(Random& random, HistogramKind kind, const Process::Span& span)
    : kind_(kind),
      span_(span),
      grid_(span.interval / kGridPerInterval),
      process_(Process::Sparse(
          random, kind == HistogramKind::kGauge ? ProcessKind::kGauge : ProcessKind::kCounter,
          span)) {
  const auto somewhere = [&] { return span.start + Below(random, span.end - span.start); };
  if (kind == HistogramKind::kMixed) float_until_ = somewhere();
  if (Chance(random, 0.3)) coarser_from_ = somewhere();
  is_gauge() ? AddGauge(random) : AddCounts(random);
}

// Observations lie around a middle that wanders.
void HistogramProcess::AddCounts(Random& random) {
  const bool whole = kind_ != HistogramKind::kFloat;
  Buckets buckets(kBuckets, 0);
  double middle = Uniform(random, 4, 12);
  for (TimestampMs time = span_.start; time <= span_.end + grid_; time += grid_) {
    points_.push_back(buckets);
    middle = std::clamp(middle + 0.2 * Normal(random), 1.0, 14.0);
    const double before = process_.Increase(span_.start, time);
    const double after = process_.Increase(span_.start, time + grid_);
    double left = whole ? std::floor(after) - std::floor(before) : after - before;
    constexpr int kDraws = 12;
    for (int draw = kDraws; draw > 0 && left > 0; --draw) {
      const double part = whole ? std::ceil(left / draw) : left / draw;
      const double at = std::clamp(middle + 2 * Normal(random), 0.0, kBuckets - 1.0);
      buckets[static_cast<std::size_t>(at)] += part;
      left -= part;
    }
  }
}

void HistogramProcess::AddGauge(Random& random) {
  Buckets buckets(kBuckets, 0);
  for (double& bucket : buckets) bucket = std::floor(Uniform(random, 0, 100));
  for (TimestampMs time = span_.start; time <= span_.end + grid_; time += grid_) {
    points_.push_back(buckets);
    for (double& bucket : buckets) {
      bucket = std::max(0.0, bucket + std::round(2 * Normal(random)));
    }
  }
}

HistogramProcess::Buckets HistogramProcess::At(TimestampMs time) const {
  const TimestampMs at = std::clamp(time, span_.start, span_.end) - span_.start;
  const auto i = static_cast<std::size_t>(at / grid_);
  const double part = static_cast<double>(at % grid_) / static_cast<double>(grid_);
  Buckets buckets = points_[i];
  for (std::size_t b = 0; b < kBuckets; ++b) {
    buckets[b] += part * (points_[i + 1][b] - buckets[b]);
    if (kind_ != HistogramKind::kFloat) buckets[b] = std::floor(buckets[b]);
  }
  return buckets;
}

FloatHistogram HistogramProcess::Read(TimestampMs time) const {
  Buckets buckets = At(time);
  TimestampMs began = span_.start;
  for (const Down& down : process_.downs()) {
    if (down.to <= time) began = down.to;
  }
  if (began > span_.start && !is_gauge()) {
    const Buckets before = At(began);
    for (std::size_t b = 0; b < kBuckets; ++b) buckets[b] -= before[b];
  }
  const FloatHistogram histogram = Make(buckets);
  const bool coarser = began <= coarser_from_ && coarser_from_ <= time;
  return coarser ? model::AtSchema(histogram, kSchema - 1) : histogram;
}

FloatHistogram HistogramProcess::Truth(TimestampMs from, TimestampMs to) const {
  Buckets buckets = At(to);
  if (!is_gauge()) {
    const Buckets before = At(from);
    for (std::size_t b = 0; b < kBuckets; ++b) buckets[b] -= before[b];
    return Make(buckets);
  }
  double n = 1;
  for (TimestampMs time = from; time < to; time += grid_) {
    if (!process_.Up(time)) continue;
    const Buckets here = At(time);
    for (std::size_t b = 0; b < kBuckets; ++b) buckets[b] += here[b];
    n += 1;
  }
  for (double& bucket : buckets) bucket /= n;
  return Make(buckets);
}

HistogramCase SimulateHistogram(std::uint64_t seed) {
  Random random(seed);
  const TimestampMs base = DrawInterval(random);
  Design design = DrawDesign(random, base, kIntervals);
  // Rows that share samples or exchange them are the same for all kinds of values.
  std::erase_if(design.faults,
                [](Fault fault) { return fault == Fault::kCopies || fault == Fault::kSwap; });
  const auto kind = static_cast<HistogramKind>(Below(random, kHistogramKinds));
  const Process::Span span{.start = design.start, .end = design.end, .interval = base};
  HistogramCase c{.process = HistogramProcess(random, kind, span),
                  .design = std::move(design),
                  .replicas = {},
                  .windows = {}};
  for (const ReplicaPlan& plan : c.design.plans) {
    c.replicas.push_back(SamplesOf(random, c.process, plan));
  }
  const auto coarser = static_cast<TimestampMs>(std::max(1.0, c.design.change_factor));
  const TimestampMs range = 8 * base * coarser;
  for (TimestampMs end = span.start + range; end <= span.end; end += 4 * base) {
    if (2 * c.process.process().Uptime(end - range, end) < range) continue;
    HistogramCase::Window window{
        .from = end - range, .end = end, .truth = c.process.Truth(end - range, end)};
    c.scale += window.truth.count;
    c.windows.push_back(std::move(window));
  }
  if (!c.windows.empty()) c.scale /= static_cast<double>(c.windows.size());
  return c;
}

}  // namespace aevum::store::dedup::testing
