#include "tsdb/symbols.h"

#include <utility>

#include "encoding/byte_reader.h"

namespace aevum::tsdb {

StatusOr<SymbolTable> SymbolTable::Open(SharedBytes section, IndexVersion version,
                                        std::uint64_t index_offset) {
  SymbolTable table;
  ASSIGN_OR_RETURN(table.content_, SectionContent(section.view, "the symbols"));
  table.section_ = std::move(section);
  table.version_ = version;
  table.content_offset_ = index_offset + sizeof(std::uint32_t);

  encoding::ByteReader reader(table.content_);
  table.count_ = reader.ReadU32();
  // A symbol takes a byte or more, so the bytes bound what is reserved.
  if (table.count_ > reader.remaining())
    return Corruption("{} symbols in {} bytes", table.count_, reader.remaining());
  table.samples_.reserve(table.count_ / kSampling + 1);
  for (std::uint32_t i = 0; i < table.count_; ++i) {
    if (i % kSampling == 0) table.samples_.push_back(static_cast<std::uint32_t>(reader.offset()));
    reader.ReadBytes(reader.ReadUvarint());
  }
  if (reader.failed() || !reader.done())
    return Corruption("the symbols do not fill their section: {} of them", table.count_);
  return table;
}

StatusOr<std::string_view> SymbolTable::Find(std::uint32_t reference, Place* place) const {
  if (version_ == IndexVersion::kV1) return FindByOffset(reference);
  if (reference >= count_)
    return Corruption("no symbol {} in a block that has {}", reference, count_);
  const bool near = place->IsNear(reference);
  const std::uint32_t begin = near ? place->offset : samples_[reference / kSampling];
  encoding::ByteReader reader(content_.substr(begin));
  for (std::uint32_t i = near ? reference - place->reference : reference % kSampling; i > 0; --i)
    reader.ReadBytes(reader.ReadUvarint());
  const std::string_view symbol = reader.ReadBytes(reader.ReadUvarint());
  *place = {.reference = reference + 1,
            .offset = begin + static_cast<std::uint32_t>(reader.offset())};
  return symbol;
}

StatusOr<std::string_view> SymbolTable::FindByOffset(std::uint64_t reference) const {
  const std::uint64_t first = content_offset_ + sizeof(std::uint32_t);  // behind the count
  if (reference < first || reference - content_offset_ >= content_.size())
    return Corruption("no symbol at offset {} of the index", reference);
  encoding::ByteReader reader(content_.substr(reference - content_offset_));
  const std::string_view symbol = reader.ReadBytes(reader.ReadUvarint());
  if (reader.failed()) return Corruption("symbol at offset {} goes beyond its section", reference);
  return symbol;
}

}  // namespace aevum::tsdb
