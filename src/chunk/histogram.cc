#include "chunk/histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <utility>
#include <vector>

#include "chunk/bit_reader.h"
#include "chunk/bit_writer.h"
#include "chunk/start_time.h"

namespace aevum::chunk {
namespace {

using model::FloatHistogram;
using model::ResetHint;
using model::Span;

constexpr std::int32_t kMinSchema = -4;
constexpr std::int32_t kMaxSchema = 8;
constexpr std::size_t kHeaderBytes = 3;
// Every sample repeats the layout, which the chunk has once; so many times the size of the chunk.
constexpr std::size_t kMaxLayoutCopies = 1024;

struct Header {
  unsigned samples;
  ResetHint hint;
  StartTimeReader start_times;
};

Header ReadHeader(Encoding encoding, std::string_view data) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(data[i]); };
  const bool start_times =
      encoding == Encoding::kHistogramStart || encoding == Encoding::kFloatHistogramStart;
  const std::uint8_t flags = start_times ? byte(0) : byte(2);
  return {.samples = ClaimedSamples(encoding, data),
          .hint = flags >> 6 == 3 ? ResetHint::kGauge : ResetHint::kUnknown,
          .start_times = StartTimeReader(start_times ? byte(2) : std::uint8_t{0})};
}

// ---- layout ----

double ReadZeroThreshold(BitReader& reader) {
  const auto byte = static_cast<int>(reader.Read(8));
  if (byte == 0) return 0;
  if (byte == 255) return std::bit_cast<double>(reader.Read(64));
  return std::ldexp(0.5, byte - 243);
}

double ReadCustomBound(BitReader& reader) {
  const std::uint64_t thousandths = reader.ReadUnsignedVarbit();
  if (thousandths == 0) return std::bit_cast<double>(reader.Read(64));
  return static_cast<double>(thousandths - 1) / 1000;
}

// The number of their buckets, or an error. A bucket takes a bit at least.
StatusOr<std::size_t> ReadSpans(BitReader& reader, std::vector<Span>* spans) {
  const std::uint64_t count = reader.ReadUnsignedVarbit();
  if (count > reader.bits_left() / 2) return Corruption("more spans than the chunk can hold");
  spans->reserve(count);
  std::uint64_t buckets = 0;
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::uint64_t length = reader.ReadUnsignedVarbit();
    const std::int64_t offset = reader.ReadVarbit();
    if (length > reader.bits_left() || (buckets += length) > reader.bits_left())
      return Corruption("more buckets than the chunk can hold");
    if (offset < INT32_MIN || offset > INT32_MAX || (i > 0 && offset < 0))
      return Corruption("a span of buckets starts at {}", offset);
    spans->push_back({.offset = static_cast<std::int32_t>(offset),
                      .length = static_cast<std::uint32_t>(length)});
  }
  return buckets;
}

// What all samples of a chunk share, in a histogram with buckets that are 0.
Status ReadLayout(BitReader& reader, FloatHistogram* layout) {
  layout->zero_threshold = ReadZeroThreshold(reader);
  const std::int64_t schema = reader.ReadVarbit();
  if (schema > kMaxSchema && schema <= 52)
    return Unimplemented("native histograms of schema {} can't be read by this version", schema);
  if (schema != model::kCustomBucketsSchema && (schema < kMinSchema || schema > kMaxSchema))
    return Corruption("unknown schema {} of a native histogram", schema);
  layout->schema = static_cast<std::int32_t>(schema);
  ASSIGN_OR_RETURN(const std::size_t positive, ReadSpans(reader, &layout->positive_spans));
  ASSIGN_OR_RETURN(const std::size_t negative, ReadSpans(reader, &layout->negative_spans));
  if (layout->uses_custom_buckets()) {
    const std::uint64_t count = reader.ReadUnsignedVarbit();
    if (count > reader.bits_left() / 5) return Corruption("more bounds than the chunk can hold");
    layout->custom_values.reserve(count);
    for (std::uint64_t i = 0; i < count; ++i)
      layout->custom_values.push_back(ReadCustomBound(reader));
  }
  if (positive + negative > reader.bits_left() || reader.failed())
    return Corruption("more buckets than the chunk can hold");
  layout->positive_buckets.resize(positive);
  layout->negative_buckets.resize(negative);
  return OkStatus();
}

// ---- counts ----

// Integer counts: each the difference of its difference from the same bucket of the sample before;
// buckets besides as differences from the bucket to their left.
class IntegerCounts {
 public:
  explicit IntegerCounts(std::size_t buckets) : buckets_(buckets), deltas_(buckets) {}

  void ReadFirst(BitReader& reader) {
    count_ = reader.ReadUnsignedVarbit();
    zero_count_ = reader.ReadUnsignedVarbit();
    sum_ = reader.Read(64);
    auto bucket = buckets_.begin();
    reader.ReadVarbits(buckets_.size(), [&](std::int64_t value) { *bucket++ = Unsigned(value); });
  }

  bool ReadNext(BitReader& reader) {
    count_ += count_delta_ += Unsigned(reader.ReadVarbit());
    zero_count_ += zero_delta_ += Unsigned(reader.ReadVarbit());
    if (!ReadXored(reader, &window_, &sum_)) return false;
    if (sum_ == kStaleNanBits) return true;
    std::uint64_t* bucket = buckets_.data();
    std::uint64_t* delta = deltas_.data();
    reader.ReadVarbits(buckets_.size(),
                       [&](std::int64_t value) { *bucket++ += *delta++ += Unsigned(value); });
    return true;
  }

  double sum() const { return std::bit_cast<double>(sum_); }

  // Into a histogram that has the layout.
  void Set(FloatHistogram* h) const {
    h->count = static_cast<double>(count_);
    h->zero_count = static_cast<double>(zero_count_);
    h->sum = sum();
    const std::uint64_t* bucket = buckets_.data();
    for (std::vector<double>* side : {&h->positive_buckets, &h->negative_buckets}) {
      std::uint64_t current = 0;
      for (double& value : *side)
        value = static_cast<double>(static_cast<std::int64_t>(current += *bucket++));
    }
  }

 private:
  // Damaged chunks may wrap.
  static std::uint64_t Unsigned(std::int64_t value) { return static_cast<std::uint64_t>(value); }

  std::uint64_t count_ = 0, count_delta_ = 0;
  std::uint64_t zero_count_ = 0, zero_delta_ = 0;
  std::uint64_t sum_ = 0;
  XorWindow window_;
  std::vector<std::uint64_t> buckets_;  // positive ones, then negative ones
  std::vector<std::uint64_t> deltas_;
};

// Float counts: each an XOR stream of its own.
class FloatCounts {
 public:
  explicit FloatCounts(std::size_t buckets) : buckets_(buckets) {}

  void ReadFirst(BitReader& reader) {
    for (Stream* stream : {&count_, &zero_count_, &sum_}) stream->bits = reader.Read(64);
    for (Stream& bucket : buckets_) bucket.bits = reader.Read(64);
  }

  bool ReadNext(BitReader& reader) {
    for (Stream* stream : {&count_, &zero_count_, &sum_}) {
      if (!ReadXored(reader, &stream->window, &stream->bits)) return false;
    }
    if (sum_.bits == kStaleNanBits) return true;
    for (Stream& bucket : buckets_) {
      if (!ReadXored(reader, &bucket.window, &bucket.bits)) return false;
    }
    return true;
  }

  double sum() const { return sum_.value(); }

  // Into a histogram that has the layout.
  void Set(FloatHistogram* h) const {
    h->count = count_.value();
    h->zero_count = zero_count_.value();
    h->sum = sum_.value();
    const Stream* bucket = buckets_.data();
    for (std::vector<double>* side : {&h->positive_buckets, &h->negative_buckets}) {
      for (double& value : *side) value = (bucket++)->value();
    }
  }

 private:
  struct Stream {
    std::uint64_t bits = 0;
    XorWindow window;
    double value() const { return std::bit_cast<double>(bits); }
  };

  Stream count_, zero_count_, sum_;
  std::vector<Stream> buckets_;  // positive ones, then negative ones
};

// Reads sample `index` without a start timestamp; false when an XOR window is damaged.
template <typename Counts>
bool ReadSample(BitReader& reader, unsigned index, std::uint64_t* time, std::uint64_t* delta,
                Counts* counts) {
  if (index == 0) {
    *time = static_cast<std::uint64_t>(reader.ReadVarbit());
    counts->ReadFirst(reader);
    return true;
  }
  *time += *delta += static_cast<std::uint64_t>(reader.ReadVarbit());
  return counts->ReadNext(reader);
}

// Adds a sample. The memory of an earlier one is used again.
template <typename Counts>
void AddSample(const FloatHistogram& layout, const Counts& counts,
               model::HistogramColumn* histograms) {
  if (IsStale(counts.sum())) {
    histograms->emplace_back().sum = counts.sum();
    return;
  }
  FloatHistogram& h = histograms->AddUnset();
  h.reset_hint = layout.reset_hint;
  h.schema = layout.schema;
  h.zero_threshold = layout.zero_threshold;
  h.positive_spans = layout.positive_spans;
  h.negative_spans = layout.negative_spans;
  h.custom_values = layout.custom_values;
  h.positive_buckets.resize(layout.positive_buckets.size());
  h.negative_buckets.resize(layout.negative_buckets.size());
  counts.Set(&h);
  if (h.uses_custom_buckets()) h.zero_count = 0;  // they have no zero bucket
}

template <typename Counts>
Status DecodeSamples(BitReader& reader, Header header, Columns* out) {
  FloatHistogram layout;
  layout.reset_hint = header.hint;
  RETURN_IF_ERROR(ReadLayout(reader, &layout));
  const std::size_t buckets = layout.positive_buckets.size() + layout.negative_buckets.size();
  const std::size_t layout_words =
      layout.positive_spans.size() + layout.negative_spans.size() + layout.custom_values.size();
  if (layout_words * 8 * header.samples > kMaxLayoutCopies * (reader.bits_left() / 8 + 64))
    return Corruption("a layout of {} words is too large for {} samples", layout_words,
                      header.samples);
  Counts counts(buckets);
  std::uint64_t time = 0;
  std::uint64_t delta = 0;
  for (unsigned i = 0; i < header.samples; ++i) {
    const std::uint64_t previous = time;
    if (!ReadSample(reader, i, &time, &delta, &counts))
      return Corruption("an XOR window beyond 64 bits");
    header.start_times.Read(reader, i, time, previous);
    if (reader.failed())
      return Corruption("histogram chunk ends at sample {} of {}", i, header.samples);
    out->histogram_times.push_back(static_cast<TimestampMs>(time));
    if (out->with_starts) out->histogram_starts.push_back(header.start_times.start());
    AddSample(layout, counts, &out->histograms);
    if (i == 0 && header.hint != ResetHint::kGauge) layout.reset_hint = ResetHint::kNoReset;
  }
  return OkStatus();
}

// Bits [from, to) of `data`.
void CopyBits(std::string_view data, std::size_t from, std::size_t to, BitWriter& out) {
  BitReader reader(data.substr(from / 8));
  if (from % 8 != 0) reader.Read(from % 8);
  for (; from < to; from += 64) {
    const auto count = static_cast<unsigned>(std::min<std::size_t>(64, to - from));
    out.Put(reader.Read(count), count);
  }
}

template <typename Counts>
Status CopySamples(std::string_view body, Header header, BitWriter& out) {
  BitReader reader(body);
  FloatHistogram layout;
  RETURN_IF_ERROR(ReadLayout(reader, &layout));
  Counts counts(layout.positive_buckets.size() + layout.negative_buckets.size());
  std::size_t copied = 0;
  std::uint64_t time = 0;
  std::uint64_t delta = 0;
  for (unsigned i = 0; i < header.samples; ++i) {
    const std::uint64_t previous = time;
    const bool read = ReadSample(reader, i, &time, &delta, &counts);
    if (!read) return Corruption("an XOR window beyond 64 bits");
    const std::size_t end = reader.position();
    CopyBits(body, copied, end, out);
    header.start_times.Read(reader, i, time, previous);
    if (reader.failed())
      return Corruption("histogram chunk ends at sample {} of {}", i, header.samples);
    copied = reader.position();
  }
  return OkStatus();
}

}  // namespace

StatusOr<std::string> StripStartTimes(Encoding encoding, std::string_view data) {
  if (data.size() < kHeaderBytes) return Corruption("a histogram chunk of {} bytes", data.size());
  const Header header = ReadHeader(encoding, data);
  const auto flags = static_cast<std::uint8_t>(static_cast<std::uint8_t>(data[0]) & 0xc0);
  const std::string plain = {static_cast<char>(header.samples >> 8),
                             static_cast<char>(header.samples), static_cast<char>(flags)};
  if (header.samples == 0) return plain;
  const std::string_view body = data.substr(kHeaderBytes);
  BitWriter out;
  RETURN_IF_ERROR(encoding == Encoding::kFloatHistogramStart
                      ? CopySamples<FloatCounts>(body, header, out)
                      : CopySamples<IntegerCounts>(body, header, out));
  return out.Bytes(plain);
}

Status DecodeHistogram(Encoding encoding, std::string_view data, Columns* out) {
  if (data.size() < kHeaderBytes) return Corruption("a histogram chunk of {} bytes", data.size());
  const Header header = ReadHeader(encoding, data);
  if (header.samples == 0) return OkStatus();
  BitReader reader(data.substr(kHeaderBytes));
  const std::size_t before = out->histograms.size();
  const bool floats =
      encoding == Encoding::kFloatHistogram || encoding == Encoding::kFloatHistogramStart;
  Status status = floats ? DecodeSamples<FloatCounts>(reader, header, out)
                         : DecodeSamples<IntegerCounts>(reader, header, out);
  if (!status.ok()) {
    out->histogram_times.resize(before);
    out->histograms.resize(before);
  }
  return status;
}

}  // namespace aevum::chunk
