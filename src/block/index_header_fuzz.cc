// An index-header file whose checksums are put right, since no fuzzer finds a checksum: two bytes
// of size for the symbols, then symbols and postings table.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "block/index_header.h"
#include "encoding/crc32c.h"

namespace {

using aevum::encoding::Crc32c;

std::string Big(std::uint64_t value, int bytes) {
  std::string out;
  for (int i = bytes - 1; i >= 0; --i) out += static_cast<char>(value >> 8 * i);
  return out;
}

std::string Section(std::string_view content) {
  return Big(content.size(), 4) + std::string(content) + Big(Crc32c(content), 4);
}

// The file that Thanos would write of an index with these two tables and nothing between them.
std::string MakeFile(std::uint8_t version, std::string_view symbols, std::string_view postings) {
  const std::string first = Section(symbols);
  const std::string second = Section(postings);
  const std::uint64_t table = 5 + first.size();
  std::string toc = Big(5, 8) + Big(table, 8) + std::string(24, '\0') + Big(table, 8);
  toc += Big(Crc32c(toc), 4);
  std::string trailer = Big(14, 8) + Big(14 + first.size(), 8);
  trailer += Big(Crc32c(trailer), 4);
  return Big(0xBAAAD792, 4) + "\1" + static_cast<char>(version) + Big(table, 8) + first + second +
         toc + trailer;
}

void Open(std::string file) {
  const auto header = aevum::block::IndexHeader::Parse(aevum::SharedBytes::Own(std::move(file)));
  if (!header.ok()) return;
  const auto& tables = header->tables();
  for (std::uint32_t i = 0; i < 100; ++i) tables.symbols().Find(i).IgnoreError();
  for (const std::string_view name : tables.postings().Names()) {
    tables.postings().ForEachValue(
        name, "", [&](std::string_view, const aevum::tsdb::PostingsRange& range) {
          AEVUM_CHECK(range.begin <= range.end && range.end <= header->index_bytes());
          return true;
        });
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  Open(std::string(bytes));
  if (size < 3) return 0;
  const std::string_view rest = bytes.substr(3);
  const std::size_t symbols = std::min<std::size_t>(data[1] << 8 | data[2], rest.size());
  Open(MakeFile(data[0] % 2 == 0 ? 2 : 1, rest.substr(0, symbols), rest.substr(symbols)));
  return 0;
}
