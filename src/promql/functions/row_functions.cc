#include "promql/functions/row_functions.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <iterator>
#include <limits>
#include <numbers>

#include "model/elementary_functions.h"
#include "model/logarithm.h"

namespace aevum::promql::functions {
namespace {

// One loop for each function, so that there is no call through a pointer for each value.
template <double (*kFunction)(double)>
void Apply(std::span<double> row) {
  for (double& value : row) value = kFunction(value);
}

double Sign(double value) { return value > 0 ? 1 : value < 0 ? -1 : value; }
double Degrees(double value) { return value * 180 / std::numbers::pi; }
double Radians(double value) { return value * std::numbers::pi / 180; }

constexpr std::uint64_t kSecondsPerDay = 86'400;
// Days from where Go's calendar begins, the year -292277022399, to 1970.
constexpr std::int64_t kDaysBeforeEpoch = 106'751'991'073'094;

// Seconds since Go's calendar begins. What does not fit 64 bits of seconds, NaN too, becomes the
// least of them, as Go's conversion has it on x86-64; times before the calendar wrap to its end.
std::uint64_t Seconds(double value) {
  constexpr double kEnd = 9223372036854775808.0;
  const std::int64_t seconds = value >= -kEnd && value < kEnd
                                   ? static_cast<std::int64_t>(value)
                                   : std::numeric_limits<std::int64_t>::min();
  return static_cast<std::uint64_t>(seconds) +
         static_cast<std::uint64_t>(kDaysBeforeEpoch) * kSecondsPerDay;
}

std::int64_t FloorDivide(std::int64_t a, std::int64_t b) { return a / b - (a % b < 0 ? 1 : 0); }
// Days since the epoch.
std::int64_t Days(double value) {
  return static_cast<std::int64_t>(Seconds(value) / kSecondsPerDay) - kDaysBeforeEpoch;
}
std::int64_t SecondOfDay(double value) {
  return static_cast<std::int64_t>(Seconds(value) % kSecondsPerDay);
}

struct Date {
  std::int64_t year;
  int month;        // 1 .. 12
  int day;          // 1 .. 31
  int day_of_year;  // 1 .. 366
};

bool IsLeap(std::int64_t year) { return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0); }

int DaysInMonth(std::int64_t year, int month) {
  constexpr int kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  return kDays[month - 1] + (month == 2 && IsLeap(year) ? 1 : 0);
}

// Days from the start of the year 1 to the start of `year`, in the Gregorian calendar.
std::int64_t DaysBefore(std::int64_t year) {
  const std::int64_t past = year - 1;
  return past * 365 + FloorDivide(past, 4) - FloorDivide(past, 100) + FloorDivide(past, 400);
}

Date ToDate(double value) {
  constexpr std::int64_t kEpoch = 719'162;  // days from the start of the year 1 to 1970
  constexpr std::int64_t kDaysIn400Years = 146'097;
  const std::int64_t day = Days(value) + kEpoch;
  // A year too early at most, which the loop puts right.
  std::int64_t year = FloorDivide(day * 400, kDaysIn400Years);
  while (DaysBefore(year + 1) <= day) ++year;
  auto rest = static_cast<int>(day - DaysBefore(year));
  Date date{.year = year, .month = 1, .day = 0, .day_of_year = rest + 1};
  for (; rest >= DaysInMonth(year, date.month); ++date.month) {
    rest -= DaysInMonth(year, date.month);
  }
  date.day = rest + 1;
  return date;
}

double Minute(double value) { return static_cast<double>(SecondOfDay(value) / 60 % 60); }
double Hour(double value) { return static_cast<double>(SecondOfDay(value) / 3600); }
// Sunday is 0; the epoch was a Thursday.
double DayOfWeek(double value) {
  const std::int64_t days = Days(value) + 4;
  return static_cast<double>(days - 7 * FloorDivide(days, 7));
}
double DayOfMonth(double value) { return ToDate(value).day; }
double DayOfYear(double value) { return ToDate(value).day_of_year; }
double Month(double value) { return ToDate(value).month; }
double Year(double value) { return static_cast<double>(ToDate(value).year); }
double DaysInItsMonth(double value) {
  const Date date = ToDate(value);
  return DaysInMonth(date.year, date.month);
}

struct Entry {
  std::string_view name;
  RowFunction function;
};

// Sorted by name.
constexpr Entry kEntries[] = {
    {"abs", Apply<std::fabs>},
    {"acos", Apply<model::Acos>},
    {"acosh", Apply<model::Acosh>},
    {"asin", Apply<model::Asin>},
    {"asinh", Apply<model::Asinh>},
    {"atan", Apply<model::Atan>},
    {"atanh", Apply<model::Atanh>},
    {"ceil", Apply<std::ceil>},
    {"cos", Apply<model::Cos>},
    {"cosh", Apply<model::Cosh>},
    {"day_of_month", Apply<DayOfMonth>},
    {"day_of_week", Apply<DayOfWeek>},
    {"day_of_year", Apply<DayOfYear>},
    {"days_in_month", Apply<DaysInItsMonth>},
    {"deg", Apply<Degrees>},
    {"exp", Apply<model::Exp>},
    {"floor", Apply<std::floor>},
    {"hour", Apply<Hour>},
    {"ln", Apply<model::Log>},
    {"log10", Apply<model::Log10>},
    {"log2", Apply<model::Log2>},
    {"minute", Apply<Minute>},
    {"month", Apply<Month>},
    {"rad", Apply<Radians>},
    {"sgn", Apply<Sign>},
    {"sin", Apply<model::Sin>},
    {"sinh", Apply<model::Sinh>},
    {"sqrt", Apply<std::sqrt>},
    {"tan", Apply<model::Tan>},
    {"tanh", Apply<model::Tanh>},
    {"year", Apply<Year>},
};

}  // namespace

RowFunction FindRowFunction(std::string_view name) {
  const auto it =
      std::lower_bound(std::begin(kEntries), std::end(kEntries), name,
                       [](const Entry& entry, std::string_view n) { return entry.name < n; });
  return it != std::end(kEntries) && it->name == name ? it->function : nullptr;
}

double SmallerOf(double a, double b) {
  if (std::isinf(a) && a < 0) return a;
  if (std::isinf(b) && b < 0) return b;
  if (std::isnan(a) || std::isnan(b)) return std::nan("");
  if (a == b) return std::signbit(a) ? a : b;
  return a < b ? a : b;
}

double LargerOf(double a, double b) { return -SmallerOf(-a, -b); }

void Round(std::span<double> row, std::span<const double> to_nearest) {
  for (std::size_t i = 0; i < row.size(); ++i) {
    // The inverse, as the reference does: fewer results are off by a bit.
    const double inverse = 1 / to_nearest[i];
    row[i] = std::floor(row[i] * inverse + 0.5) / inverse;
  }
}

void ClampMin(std::span<double> row, std::span<const double> least) {
  for (std::size_t i = 0; i < row.size(); ++i) row[i] = LargerOf(least[i], row[i]);
}

void ClampMax(std::span<double> row, std::span<const double> most) {
  for (std::size_t i = 0; i < row.size(); ++i) row[i] = SmallerOf(most[i], row[i]);
}

void Clamp(std::span<double> row, std::span<const double> least, std::span<const double> most) {
  for (std::size_t i = 0; i < row.size(); ++i)
    row[i] = LargerOf(least[i], SmallerOf(most[i], row[i]));
}

}  // namespace aevum::promql::functions
