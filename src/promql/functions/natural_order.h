// The order of texts in which numbers inside them count as numbers: a2 before a10.
#pragma once

#include <string_view>

namespace aevum::promql::functions {

// Negative when `a` comes first, positive when `b` does, 0 when they are equal. Runs of digits that
// fit 63 bits compare as numbers, everything else by its bytes.
int CompareNaturally(std::string_view a, std::string_view b);

}  // namespace aevum::promql::functions
