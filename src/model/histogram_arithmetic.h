// Arithmetic on native histograms, bit by bit as Prometheus 3.14 calculates.
#pragma once

#include <cstdint>
#include <optional>

#include "model/histogram.h"

namespace aevum::model {

// What came up when two histograms were put together.
struct CombineOutcome {
  // False: one has exponential and the other custom buckets, nothing was changed.
  bool compatible = true;
  // One says that the counter was reset, the other that it was not.
  bool reset_collision = false;
  // Custom bounds differed; the result has those that both have.
  bool bounds_reconciled = false;
};

// Adds to `*histogram`, or subtracts from it, at the lower resolution and the wider zero bucket of
// the two. Buckets that become empty stay until Compact. The hint of the result is what the two
// have in common; a difference is not made a gauge here.
CombineOutcome Add(FloatHistogram* histogram, const FloatHistogram& other);
CombineOutcome Subtract(FloatHistogram* histogram, const FloatHistogram& other);

// Adds with Neumaier's compensation. `*compensation` holds what rounding lost of each number, in
// the layout of `*histogram`; it is made by the first addition. Their sum (Add) is the result.
CombineOutcome AddCompensated(FloatHistogram* histogram, const FloatHistogram& other,
                              std::optional<FloatHistogram>* compensation);

// Scales all counts and the sum. A negative factor makes a gauge; a division by zero leaves no
// buckets.
void Multiply(FloatHistogram* histogram, double factor);
void Divide(FloatHistogram* histogram, double divisor);

// Leaves out empty buckets, and joins spans that touch.
void Compact(FloatHistogram* histogram);

// The histogram with a schema that is lower or equal; without a reset hint when it is lower.
// Both must be exponential.
FloatHistogram AtSchema(const FloatHistogram& histogram, std::int32_t schema);

// Whether a counter was reset between two histograms: by the hint of the later one, else because
// a count became less or a bucket vanished.
bool DetectReset(const FloatHistogram& histogram, const FloatHistogram& previous);

// Equal bit by bit in all but the hint; empty buckets count.
bool Identical(const FloatHistogram& a, const FloatHistogram& b);

// True when a count or the sum is infinite.
bool Overflows(const FloatHistogram& histogram);

// True when all numbers are so small that no sum of two such histograms overflows.
bool FarFromOverflow(const FloatHistogram& histogram);

// Bytes that a histogram holds.
std::int64_t SizeBytes(const FloatHistogram& histogram);

}  // namespace aevum::model
