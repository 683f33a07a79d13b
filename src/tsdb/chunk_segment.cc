#include "tsdb/chunk_segment.h"

#include "encoding/byte_reader.h"
#include "encoding/byte_writer.h"
#include "encoding/crc32c.h"

namespace aevum::tsdb {
namespace {

constexpr std::uint32_t kSegmentMagic = 0x85BD40DD;
constexpr std::uint8_t kSegmentVersion = 1;
constexpr std::size_t kEncodingBytes = 1;
constexpr std::size_t kCrcBytes = 4;

}  // namespace

std::string SegmentName(std::uint32_t segment) {
  return fmt::format("chunks/{:06}", segment + 1ULL);
}

std::string MakeSegmentHeader() {
  std::string header;
  encoding::PutU32(header, kSegmentMagic);
  header += static_cast<char>(kSegmentVersion);
  header.resize(kSegmentHeaderBytes);
  return header;
}

Status CheckSegmentHeader(std::string_view head) {
  encoding::ByteReader reader(head);
  const std::uint32_t magic = reader.ReadU32();
  const std::uint8_t version = reader.ReadU8();
  RETURN_IF_ERROR(Annotate(reader.status(), "header of a segment"));
  if (magic != kSegmentMagic) return Corruption("not a segment: it begins with {:08x}", magic);
  if (version != kSegmentVersion) return Corruption("unknown version of a segment: {}", version);
  return OkStatus();
}

std::size_t StoredSize(std::size_t data_bytes) {
  return encoding::UvarintSize(data_bytes) + kEncodingBytes + data_bytes + kCrcBytes;
}

StatusOr<std::size_t> StoredChunkBytes(std::string_view bytes) {
  encoding::ByteReader reader(bytes);
  const std::uint64_t size = reader.ReadUvarint();
  if (reader.failed() || size > UINT32_MAX) return Corruption("a chunk without a valid length");
  return reader.offset() + kEncodingBytes + static_cast<std::size_t>(size) + kCrcBytes;
}

StatusOr<StoredChunk> ParseStoredChunk(std::string_view bytes) {
  encoding::ByteReader reader(bytes);
  const std::uint64_t size = reader.ReadUvarint();
  if (size > reader.remaining())
    return Corruption("chunk cut short: {} bytes of {}", reader.remaining(), size);
  const std::string_view checked = reader.ReadBytes(size + kEncodingBytes);
  const std::uint32_t expected = reader.ReadU32();
  if (reader.failed()) return Corruption("chunk cut short: {} bytes are there", bytes.size());
  const std::uint32_t actual = encoding::Crc32c(checked);
  if (actual != expected)
    return Corruption("checksum of a chunk: {:08x}, stored {:08x}", actual, expected);
  return StoredChunk{static_cast<std::uint8_t>(checked.front()), checked.substr(kEncodingBytes)};
}

}  // namespace aevum::tsdb
