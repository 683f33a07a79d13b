// Which series have which labels, found in the entries of an index that is being written.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/context.h"
#include "base/status.h"
#include "tsdb/postings.h"

namespace aevum::tsdb {

// How many series have a label of each name. Few names, many series: the last ones met are found
// without a look at the table. Thread-compatible.
class NameUses {
 public:
  struct Use {
    std::uint32_t name = 0;  // symbol
    std::uint64_t series = 0;
  };

  void Add(std::uint32_t name) { ++uses_[SlotOf(name)].series; }
  // Position of the name in uses(), with a use of no series when it was not met before.
  std::uint32_t SlotOf(std::uint32_t name) {
    Recent& recent = recent_[name % recent_.size()];
    if (recent.slot == kNone || recent.name != name) recent = {name, FindSlot(name)};
    return recent.slot;
  }
  // In the order in which the names were met.
  const std::vector<Use>& uses() const { return uses_; }

 private:
  static constexpr std::uint32_t kNone = UINT32_MAX;
  struct Recent {
    std::uint32_t name = 0;
    std::uint32_t slot = kNone;
  };

  std::uint32_t FindSlot(std::uint32_t name);

  std::vector<Use> uses_;
  std::unordered_map<std::uint32_t, std::uint32_t> slots_;
  std::array<Recent, 256> recent_;
};

// Series entries as they stand in an index of version 2, each at a multiple of 16 with zeros
// before it. Borrows the bytes.
struct SeriesSection {
  std::string_view index;  // from its first byte on
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};

// Calls for all series in order, by pieces.
using VisitSeries = std::function<Status(std::span<const SeriesRef>)>;
Status ForEachSeries(const Context& context, const SeriesSection& section,
                     const VisitSeries& visit);

// Calls for every label of the section, in the order of names and values, with the series that have
// it. Reads the section as often as it needs so that what it gathers takes no more than
// `memory_bytes`; a single value is gathered as a whole. Corruption when an entry is damaged.
using VisitUses =
    std::function<Status(std::uint32_t name, std::uint32_t value, std::span<const SeriesRef>)>;
Status ForEachLabelUse(const Context& context, const SeriesSection& section,
                       std::vector<NameUses::Use> names, std::size_t memory_bytes,
                       const VisitUses& visit);

}  // namespace aevum::tsdb
