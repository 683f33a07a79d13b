// Sizes as users write them: a whole number and a unit.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/status.h"

namespace aevum {

// Bytes out of "0" or a whole number with a unit, all to base 2: "512MB", "1GiB". InvalidArgument
// for anything else, and for more than 64 bits hold.
StatusOr<std::uint64_t> ParseByteSize(std::string_view text);

}  // namespace aevum
