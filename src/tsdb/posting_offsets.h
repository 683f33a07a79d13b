// Where the postings of each label stand in an index.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/status.h"
#include "tsdb/index_toc.h"

namespace aevum::tsdb {

// Bytes [begin, end) of an index that hold one postings section, its length and checksum included.
// The end may lie behind that of the section, where something else follows.
struct PostingsRange {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  std::uint64_t size() const { return end - begin; }
  friend bool operator==(const PostingsRange&, const PostingsRange&) = default;
};

// The postings offset table, in an index or copied into an index-header:
//
//     length u32 | count u32 | (2 uvarint, name, value, offset uvarint) x count | CRC-32C u32
//
// Names and values are sorted in indexes of version 2. Keeps the place of every 32nd value of a
// name, 1 bit a value, and reads names and values from the table, which is normally a mapped file.
// Indexes of version 1 are not sorted: all their entries are kept, 4 bytes each.
// Immutable, hence thread-safe.
class PostingOffsets {
 public:
  PostingOffsets() = default;
  // `section` begins with its length; `index_offset` is where it begins in the index file, which
  // also bounds the last postings. Reads it once. Corruption when the checksum is wrong, the
  // entries do not fill it, are out of order or point outside the file.
  static StatusOr<PostingOffsets> Open(SharedBytes section, IndexVersion version,
                                       std::uint64_t index_offset);

  // All names, sorted; without the empty name, under which the postings of all series stand. Views
  // into the section, here and below.
  std::vector<std::string_view> Names() const;
  // How many values a name has; 0 for one that is absent.
  std::size_t CountValues(std::string_view name) const;
  // The postings of one value; nothing when the name does not have it. With two empty strings those
  // of all series.
  std::optional<PostingsRange> Find(std::string_view name, std::string_view value) const;
  // Calls for the values of a name in ascending order, from the first that is not below `from`,
  // until `visit` returns false.
  using Visit = std::function<bool(std::string_view value, const PostingsRange& range)>;
  void ForEachValue(std::string_view name, std::string_view from, const Visit& visit) const;

  std::size_t memory_bytes() const;

 private:
  struct Entry {
    std::string_view name;
    std::string_view value;
    std::uint64_t offset = 0;
    std::uint32_t next = 0;  // where the next entry begins in `content_`
  };
  struct Name {
    std::string_view name;
    std::uint32_t first_place = 0;  // position in `places_`
    std::uint32_t value_count = 0;
  };

  Status IndexSorted();
  Status IndexUnsorted();
  Entry EntryAt(std::uint32_t place) const;
  std::uint64_t EndOf(const Entry& entry) const;
  const Name* FindName(std::string_view name) const;
  std::uint32_t PlacesOf(const Name& name) const;

  SharedBytes section_;
  std::string_view content_;
  std::uint64_t index_offset_ = 0;
  std::uint32_t count_ = 0;
  std::uint32_t sampling_ = 1;         // values a place
  std::vector<Name> names_;            // sorted
  std::vector<std::uint32_t> places_;  // offsets of entries in `content_`, in order of the names
  std::vector<std::uint64_t> ends_;    // of version 1: all offsets, sorted
};

}  // namespace aevum::tsdb
