// The operators </ and >/: a histogram without its observations beyond a value.
#pragma once

#include <cstdint>

#include "model/histogram.h"

namespace aevum::model {

enum class Trim : std::uint8_t { kAbove, kBelow };  // what is taken away

// Takes away the observations above or below `value`, interpolating within its bucket. Count and
// sum are estimated from the buckets that are left, when any changed.
void TrimBuckets(FloatHistogram* histogram, double value, Trim trim);

}  // namespace aevum::model
