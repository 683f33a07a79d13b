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

// What rate, increase and delta know of the times in the window of each step: milliseconds.
struct WindowTimes {
  const double* to_start;  // from the start of the window to its first sample
  const double* to_end;    // from its last sample to the end of the window
  const double* span;      // from its first to its last sample, above 0
  const double* gaps;      // samples less one, above 0
};

// What follows from the times alone, in seconds: how far the samples reach, how far beyond them
// the window is filled on both sides, and by how much that makes what they gained larger.
struct Extrapolation {
  double* span;
  double* start;
  double* end;
  double* factor;
};

// Prometheus 3 extends what a window gained between its first and its last sample to the bounds of
// the window: up to the bound when a sample could be expected there, else by half an interval. The
// factor is divided by `divisor_seconds`, 1 for none.
void PrepareExtrapolation(std::size_t steps, const WindowTimes& times, double divisor_seconds,
                          const Extrapolation& prepared);

enum class Slope : std::uint8_t { kGauge, kCounter };

// Extends `gained` in place, given the value of the first sample of each window. A counter is never
// extended to before the time at which it was zero.
void Extrapolate(std::size_t steps, const Extrapolation& prepared, double divisor_seconds,
                 Slope slope, const double* first, double* gained);

// The sample that each window begins with, and what the window gained up to its last one.
void GainOfWindows(std::size_t steps, const double* samples, const std::int64_t* first_at,
                   const std::int64_t* last_at, double* first, double* gained);

// True when a value is smaller than the one before it.
bool AnyDecrease(std::span<const double> values);

// True when a value is a staleness marker.
bool AnyStale(std::span<const double> values);

}  // namespace aevum::promql
