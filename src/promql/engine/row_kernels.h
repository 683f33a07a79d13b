// Loops over rows in vector instructions, chosen when the program runs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace aevum::promql {

// The start of a compensated sum: adding any value to it gives that value, the sign of zero
// included.
inline constexpr double kEmptySum = -0.0;

// Adds values to running sums, step by step, with Neumaier's compensation, as Prometheus does since
// version 3: equal bit by bit to adding them one after the other. Steps with `present` 0 add
// nothing, whatever their value. The sums begin at kEmptySum, the compensations at 0; the result of
// a step is sum + compensation. All arrays hold `steps` places.
void AddCompensated(std::size_t steps, const double* values, const std::uint8_t* present,
                    double* sums, double* compensations);

// What rate, increase and delta know of the window of each step. All times in milliseconds.
struct ExtrapolationRows {
  const double* to_start;  // from the start of the window to its first sample
  const double* to_end;    // from its last sample to the end of the window
  const double* span;      // from its first to its last sample, above 0
  const double* gaps;      // samples less one, above 0
  const double* first;     // the value of the first sample
};

enum class Slope : std::uint8_t { kGauge, kCounter };

// Extends what a window gained between its first and its last sample to the bounds of the window,
// in place, as Prometheus 3 does: up to the bound when a sample could be expected there, else by
// half an interval; a counter never to before the time at which it was zero. Divides by
// `divisor_seconds`, 1 for none.
void Extrapolate(std::size_t steps, const ExtrapolationRows& rows, Slope slope,
                 double divisor_seconds, double* gained);

// True when a value is smaller than the one before it.
bool AnyDecrease(std::span<const double> values);

// True when a value is a staleness marker.
bool AnyStale(std::span<const double> values);

}  // namespace aevum::promql
