#include <bit>

#include "encoding/proto_wire.h"
#include "wire/label_codec.h"
#include "wire/query_api.h"

namespace aevum::wire {
namespace {

using encoding::ProtoReader;
using encoding::PutBytesField;
using encoding::PutDoubleField;
using encoding::PutInt64Field;
using encoding::PutTag;
using encoding::PutUvarint;
using encoding::PutVarintField;
using encoding::WireType;
using model::FloatHistogram;
using model::ResetHint;
using model::Span;

constexpr std::int32_t kMinSchema = -4;
constexpr std::int32_t kMaxSchema = 8;

// ---- writing ----

void PutLittle(std::string& out, double value) {
  const auto bits = std::bit_cast<std::uint64_t>(value);
  for (int shift = 0; shift < 64; shift += 8) out += static_cast<char>(bits >> shift);
}

void PutPresentDouble(std::string& out, std::uint32_t field, double value) {
  PutTag(out, field, WireType::kFixed64);
  PutLittle(out, value);
}

void PutDoubles(std::string& out, std::uint32_t field, const std::vector<double>& values) {
  if (values.empty()) return;
  PutTag(out, field, WireType::kBytes);
  PutUvarint(out, values.size() * sizeof(double));
  for (const double value : values) PutLittle(out, value);
}

std::uint64_t ZigZag(std::int64_t value) {
  return static_cast<std::uint64_t>(value) << 1 ^ static_cast<std::uint64_t>(value >> 63);
}

void PutSpans(std::string& out, std::uint32_t field, const std::vector<Span>& spans) {
  for (const Span& span : spans) {
    std::string bytes;
    PutVarintField(bytes, 1, ZigZag(span.offset));
    PutVarintField(bytes, 2, span.length);
    PutBytesField(out, field, bytes);
  }
}

std::string HistogramBytes(TimestampMs time, const FloatHistogram& histogram) {
  std::string out;
  PutPresentDouble(out, 2, histogram.count);
  PutDoubleField(out, 3, histogram.sum);
  PutVarintField(out, 4, ZigZag(histogram.schema));
  PutDoubleField(out, 5, histogram.zero_threshold);
  PutPresentDouble(out, 7, histogram.zero_count);
  PutSpans(out, 8, histogram.negative_spans);
  PutDoubles(out, 10, histogram.negative_buckets);
  PutSpans(out, 11, histogram.positive_spans);
  PutDoubles(out, 13, histogram.positive_buckets);
  PutVarintField(out, 14, static_cast<std::uint64_t>(histogram.reset_hint));
  PutInt64Field(out, 15, time);
  PutDoubles(out, 16, histogram.custom_values);
  return out;
}

std::string SeriesBytes(const QuerySeries& series) {
  std::string out;
  out.reserve(LabelsSize(series.labels) + 18 * series.times.size());
  PutLabels(out, series.labels);
  std::string sample;
  for (std::size_t i = 0; i < series.times.size(); ++i) {
    sample.clear();
    PutDoubleField(sample, 1, series.values[i]);
    PutInt64Field(sample, 2, series.times[i]);
    PutBytesField(out, 2, sample);
  }
  for (std::size_t i = 0; i < series.histograms.size(); ++i)
    PutBytesField(out, 4, HistogramBytes(series.histogram_times[i], series.histograms[i]));
  return out;
}

// ---- reading ----

Status ReadSample(std::string_view bytes, QuerySeries* series) {
  ProtoReader reader(bytes);
  double value = 0;
  TimestampMs time = 0;
  while (reader.Next()) {
    switch (reader.field()) {
      case 1:
        value = reader.Double();
        break;
      case 2:
        time = reader.Int64();
        break;
      default:
        reader.Skip();
    }
  }
  RETURN_IF_ERROR(reader.status());
  series->times.push_back(time);
  series->values.push_back(value);
  return OkStatus();
}

// Repeated numbers come packed, or one by one from peers that do not pack.
Status ReadDoubles(ProtoReader& reader, std::vector<double>* out) {
  if (reader.type() == WireType::kFixed64) {
    out->push_back(reader.Double());
    return OkStatus();
  }
  encoding::ByteReader packed(reader.Bytes());
  out->reserve(out->size() + packed.remaining() / sizeof(double));
  while (!packed.done() && !packed.failed())
    out->push_back(std::bit_cast<double>(packed.ReadLittleU64()));
  return packed.status();
}

// Counts of integers are differences from the bucket before.
Status ReadDeltas(ProtoReader& reader, std::uint64_t* last, std::vector<double>* out) {
  const auto add = [&](std::uint64_t zigzag) {
    *last += (zigzag >> 1) ^ (~(zigzag & 1) + 1);
    out->push_back(static_cast<double>(static_cast<std::int64_t>(*last)));
  };
  if (reader.type() == WireType::kVarint) {
    add(reader.Varint());
    return OkStatus();
  }
  encoding::ByteReader packed(reader.Bytes());
  while (!packed.done() && !packed.failed()) add(packed.ReadUvarint());
  return packed.status();
}

StatusOr<std::int32_t> ReadSint32(std::uint64_t zigzag) {
  if (zigzag > UINT32_MAX) return Corruption("a number of 32 bits is too large: {}", zigzag);
  return static_cast<std::int32_t>(static_cast<std::int64_t>(zigzag >> 1) ^
                                   -static_cast<std::int64_t>(zigzag & 1));
}

Status ReadSpan(std::string_view bytes, std::vector<Span>* spans) {
  ProtoReader reader(bytes);
  Span span;
  while (reader.Next()) {
    switch (reader.field()) {
      case 1: {
        ASSIGN_OR_RETURN(span.offset, ReadSint32(reader.Varint()));
        break;
      }
      case 2: {
        const std::uint64_t length = reader.Varint();
        if (length > UINT32_MAX) return Corruption("a span of {} buckets", length);
        span.length = static_cast<std::uint32_t>(length);
        break;
      }
      default:
        reader.Skip();
    }
  }
  RETURN_IF_ERROR(reader.status());
  if (!spans->empty() && span.offset < 0)
    return Corruption("a span of buckets starts at {}", span.offset);
  spans->push_back(span);
  return OkStatus();
}

// What the arithmetic over histograms relies on.
Status CheckLayout(const FloatHistogram& histogram) {
  const auto described = [](const std::vector<Span>& spans) {
    std::uint64_t buckets = 0;
    for (const Span& span : spans) buckets += span.length;
    return buckets;
  };
  if (described(histogram.positive_spans) != histogram.positive_buckets.size() ||
      described(histogram.negative_spans) != histogram.negative_buckets.size())
    return Corruption("the spans of a histogram do not describe its buckets");
  if (!histogram.uses_custom_buckets() &&
      (histogram.schema < kMinSchema || histogram.schema > kMaxSchema))
    return Corruption("unknown schema {} of a native histogram", histogram.schema);
  return OkStatus();
}

Status ReadHistogramField(ProtoReader& reader, std::uint64_t* positive, std::uint64_t* negative,
                          FloatHistogram* histogram) {
  switch (reader.field()) {
    case 1:
      histogram->count = static_cast<double>(reader.Varint());
      return OkStatus();
    case 2:
      histogram->count = reader.Double();
      return OkStatus();
    case 3:
      histogram->sum = reader.Double();
      return OkStatus();
    case 4: {
      ASSIGN_OR_RETURN(histogram->schema, ReadSint32(reader.Varint()));
      return OkStatus();
    }
    case 5:
      histogram->zero_threshold = reader.Double();
      return OkStatus();
    case 6:
      histogram->zero_count = static_cast<double>(reader.Varint());
      return OkStatus();
    case 7:
      histogram->zero_count = reader.Double();
      return OkStatus();
    case 8:
      return ReadSpan(reader.Bytes(), &histogram->negative_spans);
    case 9:
      return ReadDeltas(reader, negative, &histogram->negative_buckets);
    case 10:
      return ReadDoubles(reader, &histogram->negative_buckets);
    case 11:
      return ReadSpan(reader.Bytes(), &histogram->positive_spans);
    case 12:
      return ReadDeltas(reader, positive, &histogram->positive_buckets);
    case 13:
      return ReadDoubles(reader, &histogram->positive_buckets);
    case 14: {
      const std::uint64_t hint = reader.Varint();
      if (hint > 3) return Corruption("unknown reset hint of a histogram: {}", hint);
      histogram->reset_hint = static_cast<ResetHint>(hint);
      return OkStatus();
    }
    case 16:
      return ReadDoubles(reader, &histogram->custom_values);
    default:
      reader.Skip();
      return OkStatus();
  }
}

Status ReadHistogram(std::string_view bytes, QuerySeries* series) {
  ProtoReader reader(bytes);
  FloatHistogram histogram;
  TimestampMs time = 0;
  std::uint64_t positive = 0;
  std::uint64_t negative = 0;
  while (reader.Next()) {
    if (reader.field() == 15) {
      time = reader.Int64();
    } else {
      RETURN_IF_ERROR(ReadHistogramField(reader, &positive, &negative, &histogram));
    }
  }
  RETURN_IF_ERROR(reader.status());
  RETURN_IF_ERROR(CheckLayout(histogram));
  series->histogram_times.push_back(time);
  series->histograms.push_back(std::move(histogram));
  return OkStatus();
}

Status ReadSeries(std::string_view bytes, std::vector<QuerySeries>* out) {
  ProtoReader reader(bytes);
  LabelCollector labels;
  QuerySeries series;
  while (reader.Next()) {
    switch (reader.field()) {
      case 1:
        RETURN_IF_ERROR(labels.Add(reader.Bytes()));
        break;
      case 2:
        RETURN_IF_ERROR(ReadSample(reader.Bytes(), &series));
        break;
      case 4:
        RETURN_IF_ERROR(ReadHistogram(reader.Bytes(), &series));
        break;
      default:
        reader.Skip();
    }
  }
  RETURN_IF_ERROR(reader.status());
  series.labels = labels.Take();
  out->push_back(std::move(series));
  return OkStatus();
}

Status ReadBatch(std::string_view bytes, std::vector<QuerySeries>* out) {
  ProtoReader reader(bytes);
  while (reader.Next()) {
    if (reader.field() == 1) {
      RETURN_IF_ERROR(ReadSeries(reader.Bytes(), out));
    } else {
      reader.Skip();
    }
  }
  return reader.status();
}

StatusOr<QueryApiStats> ReadStats(std::string_view bytes) {
  ProtoReader reader(bytes);
  QueryApiStats stats;
  while (reader.Next()) {
    switch (reader.field()) {
      case 1:
        stats.samples_total = reader.Int64();
        break;
      case 2:
        stats.peak_samples = reader.Int64();
        break;
      default:
        reader.Skip();
    }
  }
  RETURN_IF_ERROR(reader.status());
  return stats;
}

}  // namespace

std::string EncodeQueryWarning(std::string_view warning) {
  std::string out;
  PutBytesField(out, 1, warning);
  return out;
}

std::string EncodeQueryStats(const QueryApiStats& stats) {
  std::string bytes;
  PutInt64Field(bytes, 1, stats.samples_total);
  PutInt64Field(bytes, 2, stats.peak_samples);
  std::string out;
  PutBytesField(out, 3, bytes);
  return out;
}

std::string EncodeQuerySeries(std::span<const QuerySeries> series, bool as_batch) {
  std::string out;
  if (!as_batch) {
    PutBytesField(out, 2, SeriesBytes(series.front()));
    return out;
  }
  std::string batch;
  for (const QuerySeries& one : series) PutBytesField(batch, 1, SeriesBytes(one));
  PutBytesField(out, 4, batch);
  return out;
}

StatusOr<QueryApiResponse> DecodeQueryResponse(std::string_view bytes) {
  ProtoReader reader(bytes);
  QueryApiResponse response;
  while (reader.Next()) {
    switch (reader.field()) {
      case 1:
        response.warnings = reader.Bytes();
        break;
      case 2:
        RETURN_IF_ERROR(ReadSeries(reader.Bytes(), &response.series));
        break;
      case 3: {
        ASSIGN_OR_RETURN(response.stats, ReadStats(reader.Bytes()));
        break;
      }
      case 4:
        RETURN_IF_ERROR(ReadBatch(reader.Bytes(), &response.series));
        break;
      default:
        reader.Skip();
    }
  }
  RETURN_IF_ERROR(Annotate(reader.status(), "QueryResponse"));
  return response;
}

}  // namespace aevum::wire
