#include "tsdb/index_toc.h"

#include "encoding/byte_reader.h"
#include "encoding/byte_writer.h"
#include "encoding/crc32c.h"

namespace aevum::tsdb {
namespace {

constexpr std::uint32_t kIndexMagic = 0xBAAAD700;

}  // namespace

StatusOr<IndexToc> IndexToc::Parse(std::string_view tail, std::uint64_t file_bytes) {
  if (tail.size() != kTocBytes || file_bytes < kIndexHeaderBytes + kTocBytes)
    return Corruption("index too short for a table of contents: {} bytes", file_bytes);
  encoding::ByteReader reader(tail);
  IndexToc toc;
  for (std::uint64_t* field : {&toc.symbols, &toc.series, &toc.label_indices,
                               &toc.label_offset_table, &toc.postings, &toc.postings_offset_table})
    *field = reader.ReadU64();
  const std::uint32_t expected = reader.ReadU32();
  const std::uint32_t actual = encoding::Crc32c(tail.substr(0, kTocBytes - 4));
  if (actual != expected) {
    return Corruption("checksum of the index's table of contents: {:08x}, stored {:08x}", actual,
                      expected);
  }
  const std::uint64_t end = file_bytes - kTocBytes;
  const bool ordered = toc.symbols >= kIndexHeaderBytes && toc.symbols < toc.series &&
                       toc.series <= toc.postings_offset_table && toc.postings_offset_table < end;
  if (!ordered) {
    return Corruption(
        "sections of the index out of place: symbols {}, series {}, postings table {}, end {}",
        toc.symbols, toc.series, toc.postings_offset_table, end);
  }
  return toc;
}

std::string IndexToc::Write() const {
  std::string bytes;
  for (const std::uint64_t offset :
       {symbols, series, label_indices, label_offset_table, postings, postings_offset_table})
    encoding::PutU64(bytes, offset);
  encoding::PutU32(bytes, encoding::Crc32c(bytes));
  return bytes;
}

std::string MakeIndexHeader(IndexVersion version) {
  std::string bytes;
  encoding::PutU32(bytes, kIndexMagic);
  bytes += static_cast<char>(version);
  return bytes;
}

StatusOr<IndexVersion> ParseIndexHeader(std::string_view head) {
  encoding::ByteReader reader(head);
  const std::uint32_t magic = reader.ReadU32();
  const std::uint8_t version = reader.ReadU8();
  RETURN_IF_ERROR(Annotate(reader.status(), "header of the index"));
  if (magic != kIndexMagic) return Corruption("not an index: it begins with {:08x}", magic);
  if (version != 1 && version != 2)
    return Unimplemented("unknown version of an index: {}", version);
  return static_cast<IndexVersion>(version);
}

StatusOr<std::string_view> SectionContent(std::string_view section, std::string_view what) {
  encoding::ByteReader reader(section);
  const std::uint32_t size = reader.ReadU32();
  const std::string_view content = reader.ReadBytes(size);
  const std::uint32_t expected = reader.ReadU32();
  if (reader.failed())
    return Corruption("{} cut short: length {}, {} bytes are there", what, size, section.size());
  const std::uint32_t actual = encoding::Crc32c(content);
  if (actual != expected)
    return Corruption("checksum of {}: {:08x}, stored {:08x}", what, actual, expected);
  return content;
}

}  // namespace aevum::tsdb
