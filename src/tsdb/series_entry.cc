#include "tsdb/series_entry.h"

#include "encoding/byte_reader.h"
#include "encoding/crc32c.h"

namespace aevum::tsdb {
namespace {

constexpr std::size_t kCrcBytes = 4;
// Two references of a label take two bytes or more, a chunk three.
constexpr std::size_t kSmallestLabelBytes = 2;
constexpr std::size_t kSmallestChunkBytes = 3;

// The sum of a time of the file and a distance, false when it does not fit.
bool Advance(TimestampMs* time, std::uint64_t by) {
  return by <= INT64_MAX && !__builtin_add_overflow(*time, static_cast<std::int64_t>(by), time);
}

Status ParseLabels(encoding::ByteReader& reader, SeriesEntry* out) {
  const std::uint64_t count = reader.ReadUvarint();
  if (count > reader.remaining() / kSmallestLabelBytes)
    return Corruption("series with {} labels in {} bytes", count, reader.remaining());
  out->labels.reserve(count);
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::uint64_t name = reader.ReadUvarint();
    const std::uint64_t value = reader.ReadUvarint();
    if (name > UINT32_MAX || value > UINT32_MAX)
      return Corruption("label {} of a series names a symbol beyond 32 bits", i);
    out->labels.push_back({static_cast<std::uint32_t>(name), static_cast<std::uint32_t>(value)});
  }
  return OkStatus();
}

enum class ChunkOrder : std::uint8_t { kAscending, kAny };

Status ParseChunks(encoding::ByteReader& reader, const TimeRange& range, ChunkOrder order,
                   SeriesEntry* out) {
  const std::uint64_t count = reader.ReadUvarint();
  if (count > reader.remaining() / kSmallestChunkBytes)
    return Corruption("series with {} chunks in {} bytes", count, reader.remaining());
  ChunkMeta chunk;
  for (std::uint64_t i = 0; i < count; ++i) {
    bool fits = true;
    if (i == 0) {
      chunk.min_time = reader.ReadVarint();
    } else {
      const std::uint64_t distance = reader.ReadUvarint();
      const TimestampMs last = chunk.max_time;
      chunk.min_time = last;
      fits = Advance(&chunk.min_time, distance);
      // A distance below 0 was written as it stands in 64 bits.
      if (!fits && order == ChunkOrder::kAny)
        fits = !__builtin_add_overflow(last, static_cast<std::int64_t>(distance), &chunk.min_time);
    }
    chunk.max_time = chunk.min_time;
    fits = Advance(&chunk.max_time, reader.ReadUvarint()) && fits;
    // Wraps for a damaged difference, which then points at what is no chunk.
    chunk.ref += i == 0 ? reader.ReadUvarint() : static_cast<std::uint64_t>(reader.ReadVarint());
    if (!fits) return Corruption("times of chunk {} of a series are out of range", i);
    if (chunk.min_time <= range.max_time && chunk.max_time >= range.min_time)
      out->chunks.push_back(chunk);
  }
  return OkStatus();
}

Status ParseEntry(std::string_view bytes, const TimeRange& range, ChunkOrder order,
                  SeriesEntry* out) {
  out->labels.clear();
  out->chunks.clear();
  encoding::ByteReader outer(bytes);
  const std::string_view body = outer.ReadBytes(outer.ReadUvarint());
  const std::uint32_t expected = outer.ReadU32();
  if (outer.failed()) return Corruption("series cut short: {} bytes are there", bytes.size());
  const std::uint32_t actual = encoding::Crc32c(body);
  if (actual != expected)
    return Corruption("checksum of a series: {:08x}, stored {:08x}", actual, expected);
  encoding::ByteReader reader(body);
  RETURN_IF_ERROR(ParseLabels(reader, out));
  if (range.min_time > range.max_time) return reader.status();
  RETURN_IF_ERROR(ParseChunks(reader, range, order, out));
  if (reader.failed() || !reader.done())
    return Corruption("a series does not fill its {} bytes", body.size());
  return OkStatus();
}

}  // namespace

StatusOr<std::size_t> SeriesEntryBytes(std::string_view bytes) {
  encoding::ByteReader reader(bytes);
  const std::uint64_t body = reader.ReadUvarint();
  if (reader.failed() || body > UINT32_MAX) return Corruption("a series without a valid length");
  return reader.offset() + static_cast<std::size_t>(body) + kCrcBytes;
}

Status ParseSeriesEntry(std::string_view bytes, const TimeRange& range, SeriesEntry* out) {
  return ParseEntry(bytes, range, ChunkOrder::kAscending, out);
}

Status ParseSeriesEntryInAnyOrder(std::string_view bytes, SeriesEntry* out) {
  return ParseEntry(bytes, {INT64_MIN, INT64_MAX}, ChunkOrder::kAny, out);
}

}  // namespace aevum::tsdb
