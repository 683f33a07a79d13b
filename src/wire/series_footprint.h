// How much memory a received SeriesResponse takes once it is decoded.
#pragma once

#include <cstdint>
#include <string_view>

namespace aevum::wire {

// Bytes of heap that DecodeSeriesResponse takes for a message, beside the message itself, which the
// decoded chunks point into. Known before anything is allocated: two bytes of a message can stand
// for a label, a chunk or a series, of which each takes some fifty. Walks the message once; what
// comes after damage does not count, as the decoder ends there.
std::int64_t SeriesFootprint(std::string_view message);

}  // namespace aevum::wire
