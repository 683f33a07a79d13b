// The first byte chooses what the rest is: the content of a section of an index, an entry, a chunk.
// Lengths and checksums are put around it, since no fuzzer finds a checksum.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "chunk/aggregate_chunk.h"
#include "encoding/crc32c.h"
#include "tsdb/chunk_segment.h"
#include "tsdb/posting_offsets.h"
#include "tsdb/postings.h"
#include "tsdb/series_entry.h"
#include "tsdb/symbols.h"
#include "tsdb/tombstones.h"

namespace aevum::tsdb {
namespace {

constexpr std::uint64_t kIndexOffset = 1 << 20;
constexpr std::uint32_t kTombstonesMagic = 0x0130BA30;

std::string Big32(std::uint32_t value) {
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(value >> shift);
  return bytes;
}

std::string Checked(std::string_view content) {
  return std::string(content) + Big32(encoding::Crc32c(content));
}

std::string Section(std::string_view content) {
  return Big32(static_cast<std::uint32_t>(content.size())) + Checked(content);
}

void TrySymbols(std::string_view content, IndexVersion version) {
  const auto table = SymbolTable::Open(SharedBytes::Own(Section(content)), version, kIndexOffset);
  if (!table.ok()) return;
  for (std::uint32_t i = 0; i <= table->size(); ++i) {
    const bool found = table->Find(i).ok();
    AEVUM_CHECK(version == IndexVersion::kV1 || found == (i < table->size()));
  }
  for (std::uint32_t i = 0; i < content.size() + 8; ++i)
    table->Find(static_cast<std::uint32_t>(kIndexOffset) + i).IgnoreError();
}

void TryPostingOffsets(std::string_view content, IndexVersion version) {
  const auto table =
      PostingOffsets::Open(SharedBytes::Own(Section(content)), version, kIndexOffset);
  if (!table.ok()) return;
  for (const std::string_view name : table->Names()) {
    std::size_t values = 0;
    table->ForEachValue(name, "", [&](std::string_view value, const PostingsRange& range) {
      AEVUM_CHECK(range.begin <= range.end && range.end <= kIndexOffset);
      AEVUM_CHECK(table->Find(name, value).has_value());
      ++values;
      return true;
    });
    AEVUM_CHECK(values == table->CountValues(name));
  }
}

void TrySeries(std::string_view body) {
  // A length of four bytes whatever the value: the parser takes any form.
  std::string entry;
  for (int i = 0; i < 4; ++i)
    entry += static_cast<char>((body.size() >> 7 * i & 0x7f) | (i < 3 ? 0x80 : 0));
  SeriesEntry series;
  if (ParseSeriesEntry(entry + Checked(body), {INT64_MIN, INT64_MAX}, &series).ok()) {
    for (const ChunkMeta& chunk : series.chunks) AEVUM_CHECK(chunk.min_time <= chunk.max_time);
  }
}

}  // namespace
}  // namespace aevum::tsdb

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace aevum::tsdb;
  if (size == 0 || size > 1 << 20) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 8) {
    case 0:
      TrySymbols(bytes, IndexVersion::kV2);
      break;
    case 1:
      TrySymbols(bytes, IndexVersion::kV1);
      break;
    case 2:
      TryPostingOffsets(bytes, IndexVersion::kV2);
      break;
    case 3:
      TryPostingOffsets(bytes, IndexVersion::kV1);
      break;
    case 4:
      TrySeries(bytes);
      break;
    case 5:
      DecodePostings(Section(bytes)).IgnoreError();
      break;
    case 6:
      aevum::chunk::SplitAggregateChunk(bytes).IgnoreError();
      ParseStoredChunk(bytes).IgnoreError();
      break;
    case 7:
      Tombstones::Parse(Big32(kTombstonesMagic) + "\1" + Checked(bytes)).IgnoreError();
      break;
  }
  return 0;
}
