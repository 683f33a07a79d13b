// The hot message. SeriesResponse { series = 1 | warning = 2 | hints = 3 | batch = 4 },
// Series { labels = 1, chunks = 2 }, SeriesBatch { series = 1 },
// AggrChunk { min_time = 1, max_time = 2, raw = 3, count = 4, sum = 5, min = 6, max = 7, counter =
// 8 }, Chunk { type = 1, data = 2, hash = 3 }.
#include <algorithm>

#include "encoding/proto_wire.h"
#include "wire/label_codec.h"
#include "wire/store_api.h"

namespace aevum::wire {
namespace {

using chunk::Aggregate;
using chunk::ChunkView;
using chunk::Encoding;
using encoding::BytesFieldSize;
using encoding::Int64FieldSize;
using encoding::ProtoReader;
using encoding::PutBytesField;
using encoding::PutInt64Field;
using encoding::PutTag;
using encoding::PutUvarint;
using encoding::WireType;

constexpr std::uint64_t kLastEncodingType =
    static_cast<std::uint64_t>(Encoding::kFloatHistogramStart) - 1;
constexpr std::uint32_t kFirstPart = 3;  // the field of AggrChunk::raw; the other parts follow

// The StoreAPI numbers encodings from XOR = 0, chunk files from XOR = 1. It has no numbers of its
// own for those with start timestamps; Aevum goes on counting.
StatusOr<Encoding> EncodingOf(std::uint64_t type) {
  if (type > kLastEncodingType)
    return Corruption("unsupported chunk encoding of the StoreAPI: {}", type);
  return static_cast<Encoding>(type + 1);
}

Status ReadChunk(std::string_view bytes, ChunkView* chunk) {
  ProtoReader reader(bytes);
  std::uint64_t type = 0;
  while (reader.Next()) {
    switch (reader.field()) {
      case 1:
        type = reader.Varint();
        break;
      case 2:
        chunk->data = reader.Bytes();
        break;
      default:
        reader.Skip();
    }
  }
  RETURN_IF_ERROR(reader.status());
  ASSIGN_OR_RETURN(chunk->encoding, EncodingOf(type));
  return OkStatus();
}

// One AggrChunk: a view for each of its parts.
Status ReadAggregateChunk(std::string_view bytes, std::vector<ChunkView>* chunks) {
  ProtoReader reader(bytes);
  const std::size_t first = chunks->size();
  TimestampMs min_time = 0;
  TimestampMs max_time = 0;
  while (reader.Next()) {
    const std::uint32_t field = reader.field();
    if (field == 1) {
      min_time = reader.Int64();
    } else if (field == 2) {
      max_time = reader.Int64();
    } else if (field >= kFirstPart && field < kFirstPart + 6) {
      ChunkView part;
      RETURN_IF_ERROR(ReadChunk(reader.Bytes(), &part));
      part.aggregate = static_cast<Aggregate>(field - kFirstPart);
      chunks->push_back(part);
    } else {
      reader.Skip();
    }
  }
  for (std::size_t i = first; i < chunks->size(); ++i) {
    (*chunks)[i].min_time = min_time;
    (*chunks)[i].max_time = max_time;
  }
  return reader.status();
}

Status ReadSeries(std::string_view bytes, LabelCollector* labels, SeriesBatch* out) {
  ProtoReader reader(bytes);
  SeriesBatch::Series series;
  series.first_chunk = static_cast<std::uint32_t>(out->chunks.size());
  while (reader.Next()) {
    switch (reader.field()) {
      case 1:
        RETURN_IF_ERROR(labels->Add(reader.Bytes()));
        break;
      case 2:
        RETURN_IF_ERROR(ReadAggregateChunk(reader.Bytes(), &out->chunks));
        break;
      default:
        reader.Skip();
    }
  }
  RETURN_IF_ERROR(reader.status());
  series.labels = labels->Take();
  series.chunk_count = static_cast<std::uint32_t>(out->chunks.size()) - series.first_chunk;
  out->series.push_back(std::move(series));
  return OkStatus();
}

Status ReadBatch(std::string_view bytes, LabelCollector* labels, SeriesBatch* out) {
  ProtoReader reader(bytes);
  while (reader.Next()) {
    if (reader.field() == 1) {
      RETURN_IF_ERROR(ReadSeries(reader.Bytes(), labels, out));
    } else {
      reader.Skip();
    }
  }
  return reader.status();
}

Status ReadResponse(std::string_view bytes, SeriesBatch* out, std::string* hints) {
  ProtoReader reader(bytes);
  LabelCollector labels;
  while (reader.Next()) {
    switch (reader.field()) {
      case 1:
        RETURN_IF_ERROR(ReadSeries(reader.Bytes(), &labels, out));
        break;
      case 2:
        out->warnings.emplace_back(reader.Bytes());
        break;
      case 3: {
        const std::string_view any = reader.Bytes();
        if (hints != nullptr) hints->append(any);
        break;
      }
      case 4:
        RETURN_IF_ERROR(ReadBatch(reader.Bytes(), &labels, out));
        break;
      default:
        reader.Skip();
    }
  }
  return reader.status();
}

// ---- writing: sizes first, so that each byte is written once ----

std::size_t ChunkSize(const ChunkView& chunk) {
  return (chunk.encoding == Encoding::kXor ? 0 : 2) + BytesFieldSize(chunk.data.size());
}

// The parts of one AggrChunk: the run of views with the same bounds and ascending aggregates.
std::size_t RunLength(std::span<const ChunkView> chunks) {
  std::size_t n = 1;
  while (n < chunks.size() && chunks[n].min_time == chunks[0].min_time &&
         chunks[n].max_time == chunks[0].max_time &&
         chunks[n].aggregate > chunks[n - 1].aggregate) {
    ++n;
  }
  return n;
}

std::size_t AggregateChunkSize(std::span<const ChunkView> run) {
  std::size_t size = Int64FieldSize(run[0].min_time) + Int64FieldSize(run[0].max_time);
  for (const ChunkView& part : run) size += BytesFieldSize(ChunkSize(part));
  return size;
}

std::size_t SeriesSize(const SeriesBatch& batch, const SeriesBatch::Series& series) {
  std::size_t size = LabelsSize(series.labels);
  for (auto chunks = batch.ChunksOf(series); !chunks.empty();) {
    const std::size_t n = RunLength(chunks);
    size += BytesFieldSize(AggregateChunkSize(chunks.first(n)));
    chunks = chunks.subspan(n);
  }
  return size;
}

void PutHeader(std::string& out, std::uint32_t field, std::size_t size) {
  PutTag(out, field, WireType::kBytes);
  PutUvarint(out, size);
}

void PutAggregateChunk(std::string& out, std::span<const ChunkView> run) {
  PutHeader(out, 2, AggregateChunkSize(run));
  PutInt64Field(out, 1, run[0].min_time);
  PutInt64Field(out, 2, run[0].max_time);
  for (const ChunkView& part : run) {
    PutHeader(out, kFirstPart + static_cast<std::uint32_t>(part.aggregate), ChunkSize(part));
    encoding::PutVarintField(out, 1, static_cast<std::uint64_t>(part.encoding) - 1);
    PutBytesField(out, 2, part.data);
  }
}

void PutSeries(std::string& out, const SeriesBatch& batch, const SeriesBatch::Series& series,
               std::size_t size) {
  PutHeader(out, 1, size);
  PutLabels(out, series.labels);
  for (auto chunks = batch.ChunksOf(series); !chunks.empty();) {
    const std::size_t n = RunLength(chunks);
    PutAggregateChunk(out, chunks.first(n));
    chunks = chunks.subspan(n);
  }
}

}  // namespace

Status DecodeSeriesResponse(const SharedBytes& message, SeriesBatch* out, std::string* hints) {
  const std::size_t series = out->series.size();
  const std::size_t chunks = out->chunks.size();
  const std::size_t warnings = out->warnings.size();
  if (Status status = ReadResponse(message.view, out, hints); !status.ok()) {
    out->series.resize(series);
    out->chunks.resize(chunks);
    out->warnings.resize(warnings);
    return Corruption("SeriesResponse: {}", status.message());
  }
  if (out->chunks.size() > chunks) out->owners.push_back(message.owner);
  return OkStatus();
}

std::string EncodeSeriesResponse(const SeriesBatch& batch, std::size_t first, std::size_t last,
                                 bool as_batch) {
  std::size_t inner = 0;
  std::vector<std::size_t> sizes;
  sizes.reserve(last - first);
  for (std::size_t i = first; i < last; ++i) {
    sizes.push_back(SeriesSize(batch, batch.series[i]));
    inner += BytesFieldSize(sizes.back());
  }
  std::string out;
  out.reserve(inner + 8);
  if (as_batch) PutHeader(out, 4, inner);
  for (std::size_t i = first; i < last; ++i)
    PutSeries(out, batch, batch.series[i], sizes[i - first]);
  return out;
}

std::string EncodeWarningResponse(std::string_view warning) {
  std::string out;
  PutBytesField(out, 2, warning);
  return out;
}

std::string EncodeHintsResponse(std::string_view any) {
  std::string out;
  PutBytesField(out, 3, any);
  return out;
}

}  // namespace aevum::wire
