#include "wire/remote_read.h"

#include "encoding/crc32c.h"
#include "encoding/proto_wire.h"
#include "encoding/snappy.h"
#include "wire/label_codec.h"

namespace aevum::wire {
namespace {

using encoding::ProtoReader;
using encoding::PutBytesField;
using encoding::PutInt64Field;
using encoding::PutVarintField;

constexpr std::size_t kCrcSize = 4;
constexpr std::size_t kLongestVarint = 10;

void PutText(std::string& out, std::uint32_t field, std::string_view text) {
  if (!text.empty()) PutBytesField(out, field, text);
}

std::string EncodeHints(const ReadQuery& query) {
  std::string out;
  PutInt64Field(out, 1, query.step_ms);
  PutText(out, 2, query.function);
  PutInt64Field(out, 3, query.start);
  PutInt64Field(out, 4, query.end);
  for (const std::string& label : query.grouping) PutBytesField(out, 5, label);
  PutVarintField(out, 6, query.by ? 1 : 0);
  PutInt64Field(out, 7, query.range_ms);
  return out;
}

// Sample { value = 1, timestamp = 2 }.
Status ReadSample(std::string_view bytes, SampledSeries* series) {
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
  series->times.push_back(time);
  series->values.push_back(value);
  return reader.status();
}

// TimeSeries { labels = 1, samples = 2, exemplars = 3, histograms = 4 }.
Status ReadTimeSeries(std::string_view bytes, std::vector<SampledSeries>* out) {
  ProtoReader reader(bytes);
  LabelCollector labels;
  SampledSeries series;
  while (reader.Next()) {
    switch (reader.field()) {
      case 1:
        RETURN_IF_ERROR(labels.Add(reader.Bytes()));
        break;
      case 2:
        RETURN_IF_ERROR(ReadSample(reader.Bytes(), &series));
        break;
      case 4:
        reader.Skip();
        ++series.histograms;
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

// Calls `read` with each value of a bytes field of a message.
template <typename Read>
Status ForEachField(std::string_view bytes, std::uint32_t field, Read read) {
  ProtoReader reader(bytes);
  while (reader.Next()) {
    if (reader.field() == field) {
      RETURN_IF_ERROR(read(reader.Bytes()));
    } else {
      reader.Skip();
    }
  }
  return reader.status();
}

// Chunk { min_time_ms = 1, max_time_ms = 2, type = 3, data = 4 }, whose types are those of chunk
// files.
Status ReadChunk(std::string_view bytes, SeriesBatch* out) {
  ProtoReader reader(bytes);
  chunk::ChunkView chunk;
  std::uint64_t type = 0;
  while (reader.Next()) {
    switch (reader.field()) {
      case 1:
        chunk.min_time = reader.Int64();
        break;
      case 2:
        chunk.max_time = reader.Int64();
        break;
      case 3:
        type = reader.Varint();
        break;
      case 4:
        chunk.data = reader.Bytes();
        break;
      default:
        reader.Skip();
    }
  }
  RETURN_IF_ERROR(reader.status());
  if (type < 1 || type > 3)
    return Corruption("unsupported chunk encoding of remote read: {}", type);
  chunk.encoding = static_cast<chunk::Encoding>(type);
  out->chunks.push_back(chunk);
  return OkStatus();
}

// ChunkedSeries { labels = 1, chunks = 2 }.
Status ReadChunkedSeries(std::string_view bytes, LabelCollector* labels, SeriesBatch* out) {
  ProtoReader reader(bytes);
  SeriesBatch::Series series;
  series.first_chunk = static_cast<std::uint32_t>(out->chunks.size());
  while (reader.Next()) {
    switch (reader.field()) {
      case 1:
        RETURN_IF_ERROR(labels->Add(reader.Bytes()));
        break;
      case 2:
        RETURN_IF_ERROR(ReadChunk(reader.Bytes(), out));
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

// ChunkedReadResponse { chunked_series = 1, query_index = 2 }.
StatusOr<SeriesBatch> DecodeFrame(std::string frame) {
  const SharedBytes message = SharedBytes::Own(std::move(frame));
  SeriesBatch batch;
  LabelCollector labels;
  const Status status = ForEachField(message.view, 1, [&](std::string_view series) {
    return ReadChunkedSeries(series, &labels, &batch);
  });
  if (!status.ok()) return Annotate(status, "ChunkedReadResponse");
  batch.owners.push_back(message.owner);
  return batch;
}

}  // namespace

std::string EncodeReadRequest(const ReadQuery& query) {
  std::string q;
  PutInt64Field(q, 1, query.start);
  PutInt64Field(q, 2, query.end);
  for (const model::Matcher& matcher : query.matchers) {
    std::string m;
    PutVarintField(m, 1, static_cast<std::uint64_t>(matcher.type()));
    PutText(m, 2, matcher.name());
    PutText(m, 3, matcher.value());
    PutBytesField(q, 3, m);
  }
  PutBytesField(q, 4, EncodeHints(query));
  std::string request;
  PutBytesField(request, 1, q);
  // accepted_response_types, in order of preference: STREAMED_XOR_CHUNKS = 1, SAMPLES = 0.
  PutBytesField(request, 2, std::string_view("\1\0", 2));
  return encoding::SnappyCompress(request);
}

StatusOr<std::vector<SampledSeries>> DecodeSampledResponse(std::string_view body,
                                                           std::size_t limit_bytes) {
  ASSIGN_OR_RETURN(const std::string message, encoding::SnappyDecompress(body, limit_bytes));
  std::vector<SampledSeries> series;
  // ReadResponse { results = 1 }, QueryResult { timeseries = 1 }.
  const Status status = ForEachField(message, 1, [&](std::string_view result) {
    return ForEachField(result, 1,
                        [&](std::string_view one) { return ReadTimeSeries(one, &series); });
  });
  if (!status.ok()) return Annotate(status, "ReadResponse");
  return series;
}

Status ChunkedReadReader::Feed(std::string_view piece) {
  if (!status_.ok()) return status_;
  buffer_ += piece;
  status_ = TakeFrames();
  return status_;
}

Status ChunkedReadReader::TakeFrames() {
  std::size_t taken = 0;
  while (true) {
    const std::string_view rest = std::string_view(buffer_).substr(taken);
    encoding::ByteReader reader(rest);
    const std::uint64_t size = reader.ReadUvarint();
    if (reader.failed()) {
      if (rest.size() >= kLongestVarint) return Corruption("frame of remote read has no size");
      break;
    }
    if (size > kMaxFrame) return Corruption("frame of remote read is too large: {} bytes", size);
    if (reader.remaining() < kCrcSize + size) break;
    const std::uint32_t crc = reader.ReadU32();
    std::string frame(reader.ReadBytes(size));
    taken += reader.offset();
    if (encoding::Crc32c(frame) != crc)
      return Corruption("frame of remote read has a wrong checksum");
    ASSIGN_OR_RETURN(SeriesBatch batch, DecodeFrame(std::move(frame)));
    RETURN_IF_ERROR(sink_(std::move(batch)));
  }
  buffer_.erase(0, taken);
  return OkStatus();
}

Status ChunkedReadReader::Finish() const {
  RETURN_IF_ERROR(status_);
  if (!buffer_.empty())
    return Corruption("remote read ended within a frame, {} bytes of it came", buffer_.size());
  return OkStatus();
}

}  // namespace aevum::wire
