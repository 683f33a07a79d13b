// Functions of PromQL that turn each value into another, over rows of values.
#pragma once

#include <span>
#include <string_view>

namespace aevum::promql::functions {

// Changes every value of a row, whether a sample is present there or not: places without a sample
// may hold anything.
using RowFunction = void (*)(std::span<double> row);

// abs, ceil, floor, exp, sqrt, ln, log2, log10, sgn, deg, rad, the trigonometric and hyperbolic
// functions, and minute, hour, day_of_week, day_of_month, day_of_year, days_in_month, month, year
// of seconds since the epoch in UTC. Null for other names.
RowFunction FindRowFunction(std::string_view name);

// As Go's math.Min and math.Max: NaN wins over all but the infinity that is sought, -0 is below 0.
double SmallerOf(double a, double b);
double LargerOf(double a, double b);

// The functions with arguments: those rows have the same length as `row`.
void Round(std::span<double> row, std::span<const double> to_nearest);
void ClampMin(std::span<double> row, std::span<const double> least);
void ClampMax(std::span<double> row, std::span<const double> most);
// False at a place where `least` is above `most`: clamp gives no sample there.
inline bool ClampHasResult(double least, double most) { return !(most < least); }
void Clamp(std::span<double> row, std::span<const double> least, std::span<const double> most);

}  // namespace aevum::promql::functions
