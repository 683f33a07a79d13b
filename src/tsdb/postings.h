// Postings: the sorted references of the series that have a label; and set operations on them.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace aevum::tsdb {

// A series of a block. In indexes of version 2 its place divided by 16, in version 1 its place.
using SeriesRef = std::uint32_t;
using Postings = std::vector<SeriesRef>;

// Reads a postings section; `section` may go on behind it.
//
//     length u32 | count u32 | reference u32 x count | CRC-32C u32
//
// Corruption when it is cut short, the checksum is wrong or the references do not rise.
StatusOr<Postings> DecodePostings(std::string_view section);

// What is in both. Gallops through the longer when the lengths differ much:
// O(min * log(max / min)).
Postings Intersect(std::span<const SeriesRef> a, std::span<const SeriesRef> b);
// Whether anything is in both; stops at the first.
bool Overlap(std::span<const SeriesRef> a, std::span<const SeriesRef> b);
// What is in `a` and not in `b`.
Postings Subtract(std::span<const SeriesRef> a, std::span<const SeriesRef> b);
// What is in any. Many lists that are dense together go through a bitmap, others are sorted.
Postings Unite(std::span<const Postings> lists);

}  // namespace aevum::tsdb
