#include "tsdb/index_tables.h"

#include <utility>

namespace aevum::tsdb {

StatusOr<IndexTables> IndexTables::OpenIndex(SharedBytes index) {
  const std::size_t size = index.size();
  if (size < kIndexHeaderBytes + kTocBytes) return Corruption("index too short: {} bytes", size);
  ASSIGN_OR_RETURN(const IndexVersion version, ParseIndexHeader(index.view));
  ASSIGN_OR_RETURN(const IndexToc toc, IndexToc::Parse(index.view.substr(size - kTocBytes), size));
  const auto section = [&](std::uint64_t begin, std::uint64_t end) {
    return index.Slice(begin, end - begin);
  };
  return OpenSections(version, section(toc.symbols, toc.series), toc.symbols,
                      section(toc.postings_offset_table, size - kTocBytes),
                      toc.postings_offset_table);
}

StatusOr<IndexTables> IndexTables::OpenSections(IndexVersion version, SharedBytes symbols,
                                                std::uint64_t symbols_offset,
                                                SharedBytes postings_table,
                                                std::uint64_t postings_table_offset) {
  IndexTables tables;
  tables.version_ = version;
  ASSIGN_OR_RETURN(tables.symbols_, SymbolTable::Open(std::move(symbols), version, symbols_offset));
  ASSIGN_OR_RETURN(tables.postings_,
                   PostingOffsets::Open(std::move(postings_table), version, postings_table_offset));
  return tables;
}

}  // namespace aevum::tsdb
