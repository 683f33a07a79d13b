// Which blocks of a group answer for a time at a resolution.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/clock.h"

namespace aevum::storegateway {

// Of one block: [min_time, max_time) and the width of its windows, 0 for raw data.
struct BlockTimes {
  TimestampMs min_time = 0;
  TimestampMs max_time = 0;
  std::int64_t resolution_ms = 0;
};

// Positions of the blocks to read for [min_time, max_time], both inclusive: of the coarsest
// resolution allowed where there are blocks of it, in the gaps between them of the next finer one,
// and so on. All blocks belong to one stream of data (equal external labels); they are in any
// order.
std::vector<std::size_t> ChooseBlocks(std::span<const BlockTimes> blocks, TimestampMs min_time,
                                      TimestampMs max_time, std::int64_t max_resolution_ms);

}  // namespace aevum::storegateway
