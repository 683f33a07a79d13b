// Writes native histograms with integer counts as chunks, for data of benchmarks.
#pragma once

#include <span>
#include <string>

#include "base/clock.h"
#include "model/histogram.h"

namespace aevum::bench {

// A chunk of encoding kHistogram, as docs/format/chunk.md has it. The spans have the same size,
// from 1 to 65,535. The histograms share their layout (SameLayout), and their counts are whole
// numbers.
std::string EncodeHistogramChunk(std::span<const TimestampMs> times,
                                 std::span<const model::FloatHistogram> histograms);

// Whether two histograms can stand in one chunk: schema, zero threshold, spans and bounds agree.
bool SameLayout(const model::FloatHistogram& a, const model::FloatHistogram& b);

}  // namespace aevum::bench
