#include "tsdb/posting_offsets.h"

#include <algorithm>

#include "encoding/byte_reader.h"

namespace aevum::tsdb {
namespace {

constexpr std::uint32_t kSampling = 32;
constexpr std::uint32_t kCountBytes = 4;
// The least that an entry takes: three lengths or counts and an offset.
constexpr std::size_t kSmallestEntryBytes = 4;

}  // namespace

StatusOr<PostingOffsets> PostingOffsets::Open(SharedBytes section, IndexVersion version,
                                              std::uint64_t index_offset) {
  PostingOffsets table;
  ASSIGN_OR_RETURN(table.content_, SectionContent(section.view, "the postings offset table"));
  table.section_ = std::move(section);
  table.index_offset_ = index_offset;
  encoding::ByteReader reader(table.content_);
  table.count_ = reader.ReadU32();
  if (reader.failed() || table.count_ > reader.remaining() / kSmallestEntryBytes) {
    return Corruption("postings offset table with {} entries in {} bytes", table.count_,
                      table.content_.size());
  }
  if (version == IndexVersion::kV1) {
    RETURN_IF_ERROR(table.IndexUnsorted());
  } else {
    table.sampling_ = kSampling;
    RETURN_IF_ERROR(table.IndexSorted());
  }
  return table;
}

PostingOffsets::Entry PostingOffsets::EntryAt(std::uint32_t place) const {
  encoding::ByteReader reader(content_.substr(place));
  Entry entry;
  const std::uint64_t strings = reader.ReadUvarint();
  entry.name = reader.ReadBytes(reader.ReadUvarint());
  entry.value = reader.ReadBytes(reader.ReadUvarint());
  entry.offset = reader.ReadUvarint();
  // Only while the table is opened can an entry be damaged: it then has no next one.
  const bool damaged = reader.failed() || strings != 2 || entry.offset < kIndexHeaderBytes ||
                       entry.offset >= index_offset_;
  entry.next = damaged ? 0 : place + static_cast<std::uint32_t>(reader.offset());
  return entry;
}

Status PostingOffsets::IndexSorted() {
  std::uint32_t place = kCountBytes;
  Entry last;
  for (std::uint32_t i = 0; i < count_; ++i) {
    const Entry entry = EntryAt(place);
    if (entry.next == 0) return Corruption("damaged entry {} of the postings offset table", i);
    const bool same_name = i > 0 && entry.name == last.name;
    if (i > 0 && (same_name ? entry.value <= last.value : entry.name < last.name))
      return Corruption("entry {} of the postings offset table is out of order", i);
    if (i > 0 && entry.offset <= last.offset)
      return Corruption("postings of entry {} of the postings offset table are out of order", i);
    if (!same_name) names_.push_back({entry.name, static_cast<std::uint32_t>(places_.size()), 0});
    if (names_.back().value_count++ % sampling_ == 0) places_.push_back(place);
    last = entry;
    place = entry.next;
  }
  if (place != content_.size())
    return Corruption("the postings offset table goes on behind its {} entries", count_);
  names_.shrink_to_fit();
  places_.shrink_to_fit();
  return OkStatus();
}

Status PostingOffsets::IndexUnsorted() {
  std::vector<Entry> entries;
  std::uint32_t place = kCountBytes;
  for (std::uint32_t i = 0; i < count_; ++i) {
    const Entry entry = EntryAt(place);
    if (entry.next == 0) return Corruption("damaged entry {} of the postings offset table", i);
    places_.push_back(place);
    ends_.push_back(entry.offset);
    place = entry.next;
  }
  std::sort(ends_.begin(), ends_.end());
  std::sort(places_.begin(), places_.end(), [this](std::uint32_t a, std::uint32_t b) {
    const Entry left = EntryAt(a);
    const Entry right = EntryAt(b);
    return std::pair(left.name, left.value) < std::pair(right.name, right.value);
  });
  for (std::uint32_t i = 0; i < count_; ++i) {
    const Entry entry = EntryAt(places_[i]);
    if (names_.empty() || names_.back().name != entry.name) names_.push_back({entry.name, i, 0});
    ++names_.back().value_count;
  }
  return OkStatus();
}

std::uint64_t PostingOffsets::EndOf(const Entry& entry) const {
  if (!ends_.empty()) {
    const auto next = std::upper_bound(ends_.begin(), ends_.end(), entry.offset);
    return next == ends_.end() ? index_offset_ : *next;
  }
  return entry.next == content_.size() ? index_offset_ : EntryAt(entry.next).offset;
}

const PostingOffsets::Name* PostingOffsets::FindName(std::string_view name) const {
  const auto found =
      std::lower_bound(names_.begin(), names_.end(), name,
                       [](const Name& a, std::string_view wanted) { return a.name < wanted; });
  return found != names_.end() && found->name == name ? &*found : nullptr;
}

std::uint32_t PostingOffsets::PlacesOf(const Name& name) const {
  return (name.value_count + sampling_ - 1) / sampling_;
}

std::vector<std::string_view> PostingOffsets::Names() const {
  std::vector<std::string_view> names;
  names.reserve(names_.size());
  for (const Name& name : names_) {
    if (!name.name.empty()) names.push_back(name.name);
  }
  return names;
}

std::size_t PostingOffsets::CountValues(std::string_view name) const {
  const Name* found = FindName(name);
  return found == nullptr ? 0 : found->value_count;
}

std::optional<PostingsRange> PostingOffsets::Find(std::string_view name,
                                                  std::string_view value) const {
  std::optional<PostingsRange> range;
  ForEachValue(name, value, [&](std::string_view found, const PostingsRange& its) {
    if (found == value) range = its;
    return false;
  });
  return range;
}

void PostingOffsets::ForEachValue(std::string_view name, std::string_view from,
                                  const Visit& visit) const {
  const Name* found = FindName(name);
  if (found == nullptr) return;
  const auto first = places_.begin() + found->first_place;
  const auto above = std::upper_bound(first, first + PlacesOf(*found), from,
                                      [this](std::string_view wanted, std::uint32_t place) {
                                        return wanted < EntryAt(place).value;
                                      });
  // The value, if it is there, is one of those that the place before stands for.
  const auto start = above == first ? first : above - 1;
  std::uint32_t at = static_cast<std::uint32_t>(start - first) * sampling_;
  std::uint32_t place = *start;
  for (; at < found->value_count; ++at) {
    if (!ends_.empty()) place = places_[found->first_place + at];
    const Entry entry = EntryAt(place);
    place = entry.next;
    if (entry.value >= from && !visit(entry.value, {entry.offset, EndOf(entry)})) return;
  }
}

std::size_t PostingOffsets::memory_bytes() const {
  return names_.capacity() * sizeof(Name) + places_.capacity() * sizeof(std::uint32_t) +
         ends_.capacity() * sizeof(std::uint64_t);
}

}  // namespace aevum::tsdb
