#include "chunk/histogram_encoder.h"

#include <bit>
#include <cmath>

#include "base/check.h"

namespace aevum::chunk {
namespace {

using model::FloatHistogram;
using model::Span;

constexpr std::size_t kBucketsFrom = 2;  // in the numbers, behind count and zero count
constexpr double kTwoTo64 = 18446744073709551616.0;

bool HasStarts(Encoding encoding) {
  return encoding == Encoding::kHistogramStart || encoding == Encoding::kFloatHistogramStart;
}

bool HasFloats(Encoding encoding) {
  return encoding == Encoding::kFloatHistogram || encoding == Encoding::kFloatHistogramStart;
}

// The upper two bits of the flags.
std::uint8_t FlagsOf(model::ResetHint hint) {
  switch (hint) {
    case model::ResetHint::kReset:
      return 0x80;
    case model::ResetHint::kNoReset:
      return 0x40;
    case model::ResetHint::kGauge:
      return 0xc0;
    case model::ResetHint::kUnknown:
      break;
  }
  return 0;
}

std::uint64_t CountBuckets(const std::vector<Span>& spans) {
  std::uint64_t count = 0;
  for (const Span& span : spans) count += span.length;
  return count;
}

void PutZeroThreshold(double threshold, BitWriter& out) {
  if (threshold == 0) return out.Put(0, 8);
  int exponent = 0;
  const double fraction = std::frexp(threshold, &exponent);
  if (fraction == 0.5 && exponent >= -242 && exponent <= 11)
    return out.Put(static_cast<std::uint64_t>(exponent + 243), 8);
  out.Put(255, 8);
  out.Put(std::bit_cast<std::uint64_t>(threshold), 64);
}

void PutSpans(const std::vector<Span>& spans, BitWriter& out) {
  out.PutUnsignedVarbit(spans.size());
  for (const Span& span : spans) {
    out.PutUnsignedVarbit(span.length);
    out.PutVarbit(span.offset);
  }
}

void PutBound(double bound, BitWriter& out) {
  constexpr double kMostThousandths = 33554430;  // which four bytes hold, with one added
  const double thousandths = bound * 1000;
  const bool in_range = thousandths >= 0 && thousandths <= kMostThousandths;
  if (in_range && std::round(thousandths) / 1000 == bound)
    return out.PutUnsignedVarbit(static_cast<std::uint64_t>(std::round(thousandths)) + 1);
  out.Put(0, 1);
  out.Put(std::bit_cast<std::uint64_t>(bound), 64);
}

}  // namespace

HistogramEncoder::HistogramEncoder(Encoding encoding, model::ResetHint hint)
    : floats_(HasFloats(encoding)), has_starts_(HasStarts(encoding)), hint_(hint) {
  AEVUM_CHECK(encoding == Encoding::kHistogram || floats_ || has_starts_);
}

bool HistogramEncoder::Fits(const FloatHistogram& h) const {
  if (samples_ == 0 || IsStale(h.sum)) return true;
  return !stale_ && h.schema == layout_.schema && h.zero_threshold == layout_.zero_threshold &&
         h.positive_spans == layout_.positive_spans && h.negative_spans == layout_.negative_spans &&
         h.custom_values == layout_.custom_values;
}

Status HistogramEncoder::AddNumber(double count) {
  if (floats_) {
    numbers_.push_back(std::bit_cast<std::uint64_t>(count));
    return OkStatus();
  }
  // False for NaN too.
  if (!(count >= 0 && count < kTwoTo64 && count == std::floor(count)))
    return InvalidArgument("a count of an integer histogram that is no integer: {}", count);
  numbers_.push_back(static_cast<std::uint64_t>(count));
  return OkStatus();
}

Status HistogramEncoder::SetNumbers(const FloatHistogram& h) {
  if (CountBuckets(h.positive_spans) != h.positive_buckets.size() ||
      CountBuckets(h.negative_spans) != h.negative_buckets.size()) {
    return InvalidArgument("a histogram whose buckets are not those of its spans: {} and {}",
                           h.positive_buckets.size(), h.negative_buckets.size());
  }
  numbers_.clear();
  RETURN_IF_ERROR(AddNumber(h.count));
  RETURN_IF_ERROR(AddNumber(h.zero_count));
  for (const std::vector<double>* side : {&h.positive_buckets, &h.negative_buckets}) {
    const std::size_t first = numbers_.size();
    for (const double bucket : *side) RETURN_IF_ERROR(AddNumber(bucket));
    if (floats_) continue;
    for (std::size_t i = numbers_.size(); i-- > first + 1;) numbers_[i] -= numbers_[i - 1];
  }
  return OkStatus();
}

void HistogramEncoder::PutLayout(const FloatHistogram& h) {
  layout_.schema = h.schema;
  layout_.zero_threshold = h.zero_threshold;
  layout_.positive_spans = h.positive_spans;
  layout_.negative_spans = h.negative_spans;
  layout_.custom_values = h.custom_values;
  PutZeroThreshold(h.zero_threshold, out_);
  out_.PutVarbit(h.schema);
  PutSpans(h.positive_spans, out_);
  PutSpans(h.negative_spans, out_);
  if (!h.uses_custom_buckets()) return;
  out_.PutUnsignedVarbit(h.custom_values.size());
  for (const double bound : h.custom_values) PutBound(bound, out_);
}

void HistogramEncoder::PutFirst() {
  for (std::size_t i = 0; i < numbers_.size(); ++i) {
    const std::uint64_t number = numbers_[i];
    if (i == kBucketsFrom) out_.Put(sum_.bits(), 64);
    if (floats_) {
      xored_.emplace_back().Start(number);
      out_.Put(number, 64);
      continue;
    }
    integers_.push_back({.value = number, .delta = 0});
    if (i < kBucketsFrom) {
      out_.PutUnsignedVarbit(number);
    } else {
      out_.PutVarbit(static_cast<std::int64_t>(number));
    }
  }
  if (numbers_.size() == kBucketsFrom) out_.Put(sum_.bits(), 64);
}

// Wraps, as the decoder does.
void HistogramEncoder::PutChange(IntegerStream& stream, std::uint64_t next) {
  const std::uint64_t delta = next - stream.value;
  out_.PutVarbit(static_cast<std::int64_t>(delta - stream.delta));
  stream = {.value = next, .delta = delta};
}

void HistogramEncoder::PutNumber(std::size_t index) {
  if (floats_) {
    xored_[index].Put(out_, numbers_[index]);
  } else if (!stale_) {
    PutChange(integers_[index], numbers_[index]);
  } else {
    out_.PutVarbit(0);  // a marker has no counts
  }
}

Status HistogramEncoder::Append(TimestampMs time, const FloatHistogram& h, TimestampMs start) {
  AEVUM_CHECK(samples_ < most_samples() && Fits(h));
  static const FloatHistogram kNothing;
  const bool stale = IsStale(h.sum);
  const FloatHistogram& content = stale ? kNothing : h;
  RETURN_IF_ERROR(SetNumbers(content));
  stale_ = stale;
  const auto sum = std::bit_cast<std::uint64_t>(h.sum);
  const auto now = static_cast<std::uint64_t>(time);
  const std::uint64_t previous = time_.value;
  if (samples_ == 0) {
    PutLayout(content);
    out_.PutVarbit(time);
    time_.value = now;
    sum_.Start(sum);
    PutFirst();
  } else {
    PutChange(time_, now);
    for (std::size_t i = 0; i < kBucketsFrom; ++i) PutNumber(i);
    sum_.Put(out_, sum);
    for (std::size_t i = kBucketsFrom; i < numbers_.size(); ++i) PutNumber(i);
  }
  if (has_starts_) starts_.Write(out_, samples_, now, previous, start);
  ++samples_;
  return OkStatus();
}

std::string HistogramEncoder::Bytes() const {
  const std::uint8_t flags = FlagsOf(hint_);
  const auto upper = static_cast<std::uint8_t>(samples_ >> 8);
  const std::uint8_t header[] = {static_cast<std::uint8_t>(has_starts_ ? upper | flags : upper),
                                 static_cast<std::uint8_t>(samples_),
                                 has_starts_ ? starts_.header() : flags};
  return out_.Bytes({reinterpret_cast<const char*>(header), sizeof header});
}

}  // namespace aevum::chunk
