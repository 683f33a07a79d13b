// The strings of a block, which its series name by number.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/status.h"
#include "tsdb/index_toc.h"

namespace aevum::tsdb {

// The symbols section, in an index or copied into an index-header:
//
//     length u32 | count u32 | (size uvarint, bytes) x count | CRC-32C u32
//
// A reference is the position of a symbol, in indexes of version 1 its offset in the index file.
// Keeps the offset of every 32nd symbol (1 bit a symbol); a lookup walks from there.
// Immutable, hence thread-safe.
class SymbolTable {
  static constexpr std::uint32_t kSampling = 32;

 public:
  SymbolTable() = default;
  // `section` begins with its length; `index_offset` is where it begins in the index file. Reads
  // it once. Corruption when the checksum is wrong or the symbols do not fill it.
  static StatusOr<SymbolTable> Open(SharedBytes section, IndexVersion version,
                                    std::uint64_t index_offset);

  std::uint32_t size() const { return count_; }
  // A view into the section, valid while it is. Corruption when there is no such symbol.
  StatusOr<std::string_view> Find(std::uint32_t reference) const {
    Place none;
    return Find(reference, &none);
  }
  // Where a symbol stands, from which those behind it are not far. For who looks up one after
  // another; starts as a place from which nothing is found.
  struct Place {
    std::uint32_t reference = UINT32_MAX;  // of the symbol that begins at `offset`
    std::uint32_t offset = 0;
    // Whether a walk from here is shorter than any other can be.
    bool IsNear(std::uint32_t wanted) const {
      return wanted >= reference && wanted - reference <= wanted % kSampling;
    }
  };
  // The same, walking from `place` where that is nearer; the place becomes that behind the symbol.
  StatusOr<std::string_view> Find(std::uint32_t reference, Place* place) const;
  std::size_t memory_bytes() const { return samples_.capacity() * sizeof(std::uint32_t); }

 private:
  StatusOr<std::string_view> FindByOffset(std::uint64_t reference) const;

  SharedBytes section_;
  std::string_view content_;  // behind the length, without the checksum
  IndexVersion version_ = IndexVersion::kV2;
  std::uint64_t content_offset_ = 0;  // of `content_` in the index file
  std::uint32_t count_ = 0;
  std::vector<std::uint32_t> samples_;  // offsets in `content_`
};

// Looks symbols up and remembers those it met: names, and values that many series share, are found
// without a walk. Series are sorted, so values that are met once mostly follow one another: a few
// places, one for each label of that kind, make the walk to the next one short. For one request on
// one thread; borrows the table.
class SymbolCache {
 public:
  explicit SymbolCache(const SymbolTable& table) : table_(table), entries_(kEntries) {}

  StatusOr<std::string_view> Find(std::uint32_t reference) {
    Entry& entry = entries_[reference % kEntries];
    if (entry.symbol.data() == nullptr || entry.reference != reference) {
      ASSIGN_OR_RETURN(entry.symbol, table_.Find(reference, NearestPlace(reference)));
      entry.reference = reference;
    }
    return entry.symbol;
  }

 private:
  static constexpr std::size_t kEntries = 4096;
  struct Entry {
    std::uint32_t reference = 0;
    std::string_view symbol;  // null: nothing yet
  };

  SymbolTable::Place* NearestPlace(std::uint32_t reference) {
    for (SymbolTable::Place& place : places_) {
      if (place.IsNear(reference)) return &place;
    }
    next_place_ = (next_place_ + 1) % places_.size();
    return &places_[next_place_];
  }

  const SymbolTable& table_;
  std::vector<Entry> entries_;
  std::array<SymbolTable::Place, 4> places_;
  std::size_t next_place_ = 0;
};

}  // namespace aevum::tsdb
