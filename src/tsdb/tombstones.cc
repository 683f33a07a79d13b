#include "tsdb/tombstones.h"

#include <algorithm>

#include "encoding/byte_reader.h"
#include "encoding/crc32c.h"

namespace aevum::tsdb {
namespace {

constexpr std::uint32_t kTombstonesMagic = 0x0130BA30;
constexpr std::uint8_t kTombstonesVersion = 1;
constexpr std::size_t kHeadBytes = 5;
constexpr std::size_t kCrcBytes = 4;

// Sorts, and joins what overlaps.
void Join(std::vector<TimeRange>* ranges) {
  std::sort(ranges->begin(), ranges->end(),
            [](const TimeRange& a, const TimeRange& b) { return a.min_time < b.min_time; });
  std::size_t kept = 0;
  for (const TimeRange& range : *ranges) {
    if (kept > 0 && range.min_time <= (*ranges)[kept - 1].max_time) {
      TimeRange& last = (*ranges)[kept - 1];
      last.max_time = std::max(last.max_time, range.max_time);
    } else {
      (*ranges)[kept++] = range;
    }
  }
  ranges->resize(kept, TimeRange{});
}

}  // namespace

StatusOr<Tombstones> Tombstones::Parse(std::string_view file) {
  if (file.size() < kHeadBytes + kCrcBytes)
    return Corruption("tombstones cut short: {} bytes", file.size());
  encoding::ByteReader head(file);
  const std::uint32_t magic = head.ReadU32();
  const std::uint8_t version = head.ReadU8();
  if (magic != kTombstonesMagic) return Corruption("not tombstones: they begin with {:08x}", magic);
  if (version != kTombstonesVersion)
    return Corruption("unknown version of tombstones: {}", version);
  const std::string_view body = file.substr(kHeadBytes, file.size() - kHeadBytes - kCrcBytes);
  encoding::ByteReader tail(file.substr(file.size() - kCrcBytes));
  const std::uint32_t expected = tail.ReadU32();
  const std::uint32_t actual = encoding::Crc32c(body);
  if (actual != expected)
    return Corruption("checksum of tombstones: {:08x}, stored {:08x}", actual, expected);

  Tombstones tombstones;
  encoding::ByteReader reader(body);
  while (!reader.done()) {
    const std::uint64_t series = reader.ReadUvarint();
    TimeRange range{};
    range.min_time = reader.ReadVarint();
    range.max_time = reader.ReadVarint();
    if (reader.failed() || series > UINT32_MAX) return Corruption("damaged entry of tombstones");
    tombstones.intervals_[static_cast<SeriesRef>(series)].push_back(range);
  }
  for (auto& [series, ranges] : tombstones.intervals_) Join(&ranges);
  return tombstones;
}

std::span<const TimeRange> Tombstones::Of(SeriesRef series) const {
  const auto found = intervals_.find(series);
  return found == intervals_.end() ? std::span<const TimeRange>() : std::span(found->second);
}

}  // namespace aevum::tsdb
