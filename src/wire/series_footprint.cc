#include "wire/series_footprint.h"

#include <cstddef>

#include "encoding/proto_wire.h"
#include "wire/series_batch.h"

namespace aevum::wire {
namespace {

using encoding::ProtoReader;
using encoding::WireType;

// The numbers of the fields are those of series_response.cc.
constexpr std::uint32_t kSeries = 1;  // of a response and of a batch
constexpr std::uint32_t kBatch = 4;
constexpr std::uint32_t kLabel = 1;  // of a series
constexpr std::uint32_t kChunk = 2;
constexpr std::uint32_t kFirstPart = 3;  // of a chunk

// While they are collected, labels are pairs of views; then they are packed in less.
constexpr std::size_t kLabelBytes = 2 * sizeof(std::string_view);

template <typename Visit>
void ForEachMessage(std::string_view bytes, Visit visit) {
  ProtoReader reader(bytes);
  while (reader.Next()) {
    if (reader.type() != WireType::kBytes) {
      reader.Skip();
      continue;
    }
    const std::string_view value = reader.Bytes();
    if (reader.status().ok()) visit(reader.field(), value);
  }
}

std::size_t PartsBytes(std::string_view chunk) {
  std::size_t bytes = 0;
  ForEachMessage(chunk, [&](std::uint32_t field, std::string_view /*part*/) {
    if (field >= kFirstPart) bytes += sizeof(chunk::ChunkView);
  });
  return bytes;
}

std::size_t SeriesBytes(std::string_view series) {
  std::size_t bytes = sizeof(SeriesBatch::Series);
  ForEachMessage(series, [&](std::uint32_t field, std::string_view value) {
    if (field == kLabel) bytes += kLabelBytes + value.size();
    if (field == kChunk) bytes += PartsBytes(value);
  });
  return bytes;
}

}  // namespace

std::int64_t SeriesFootprint(std::string_view message) {
  std::size_t bytes = 0;
  ForEachMessage(message, [&](std::uint32_t field, std::string_view value) {
    if (field == kSeries) {
      bytes += SeriesBytes(value);
    } else if (field == kBatch) {
      ForEachMessage(value, [&](std::uint32_t inner, std::string_view series) {
        if (inner == kSeries) bytes += SeriesBytes(series);
      });
    } else {
      bytes += sizeof(std::string) + value.size();  // a warning
    }
  });
  return static_cast<std::int64_t>(bytes);
}

}  // namespace aevum::wire
