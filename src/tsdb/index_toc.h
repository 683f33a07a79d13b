// The table of contents of an index file, and what else stands at fixed places in it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/status.h"

namespace aevum::tsdb {

enum class IndexVersion : std::uint8_t { kV1 = 1, kV2 = 2 };

inline constexpr std::size_t kIndexHeaderBytes = 5;
inline constexpr std::size_t kTocBytes = 6 * 8 + 4;

// Where the sections begin: offsets in the file, 0 for one that is absent.
// Source: Prometheus, tsdb/docs/format/index.md.
struct IndexToc {
  std::uint64_t symbols = 0;
  std::uint64_t series = 0;
  std::uint64_t label_indices = 0;
  std::uint64_t label_offset_table = 0;
  std::uint64_t postings = 0;
  std::uint64_t postings_offset_table = 0;

  // Reads the last kTocBytes of a file of `file_bytes` bytes. Corruption when the checksum is wrong
  // or a section that readers need lies outside the file or out of order.
  static StatusOr<IndexToc> Parse(std::string_view tail, std::uint64_t file_bytes);
  // The last kTocBytes of a file.
  std::string Write() const;
};

// The first kIndexHeaderBytes of an index.
std::string MakeIndexHeader(IndexVersion version);

// Reads the first kIndexHeaderBytes of an index: magic 0xBAAAD700, then the version. Corruption
// when it is no index, Unimplemented when its version is not known.
StatusOr<IndexVersion> ParseIndexHeader(std::string_view head);

// What a length-prefixed section holds: `section` begins at its u32 length and may go on behind it.
//
//     length u32 | content | CRC-32C of the content u32
//
// Corruption when the length goes beyond the bytes or the checksum is wrong; `what` names it.
StatusOr<std::string_view> SectionContent(std::string_view section, std::string_view what);

}  // namespace aevum::tsdb
