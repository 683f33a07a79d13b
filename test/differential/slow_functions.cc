#include <chrono>
#include <cmath>
#include <limits>
#include <map>
#include <numbers>
#include <string>

#include "model/elementary_functions.h"
#include "model/logarithm.h"
#include "slow_parts.h"

namespace aevum::promql::differential {
namespace {

double Sign(double value) {
  if (value < 0) return -1;
  if (value > 0) return 1;
  return value;
}

// ---- dates ----

using std::chrono::days;
using std::chrono::floor;
using std::chrono::sys_days;
using std::chrono::sys_seconds;
using std::chrono::year_month_day;

// Whole seconds; what does not fit 64 bits is 2^63 of them, which Go shows for its least number.
__extension__ using Wide = __int128;
Wide TimeOf(double value) {
  constexpr double kEnd = 9223372036854775808.0;
  if (!(value >= -kEnd && value < kEnd)) return static_cast<Wide>(kEnd);
  // Before this Go's calendar wraps.
  constexpr Wide kFirst = -Wide{106'751'991'073'094} * 86'400;
  const auto seconds = static_cast<Wide>(static_cast<std::int64_t>(value));
  return seconds < kFirst ? seconds + 2 * static_cast<Wide>(kEnd) : seconds;
}

// The calendar of the library is short; after 400 years weekdays and leap years are the same again.
constexpr std::int64_t kCycleSeconds = 146'097LL * 86'400;
Wide CyclesBefore(double value) {
  const Wide seconds = TimeOf(value);
  return seconds / kCycleSeconds - (seconds % kCycleSeconds < 0 ? 1 : 0);
}
sys_seconds TimeInCycle(double value) {
  const Wide seconds = TimeOf(value) - CyclesBefore(value) * kCycleSeconds;
  return sys_seconds(std::chrono::seconds(static_cast<std::int64_t>(seconds)));
}
sys_days DayOf(double value) { return floor<days>(TimeInCycle(value)); }
year_month_day DateOf(double value) { return year_month_day(DayOf(value)); }

double SecondOfDay(double value) {
  return static_cast<double>((TimeInCycle(value) - DayOf(value)).count());
}
double DayOfYear(double value) {
  const sys_days first = DateOf(value).year() / std::chrono::January / 1;
  return static_cast<double>((DayOf(value) - first).count() + 1);
}
double DaysInMonth(double value) {
  const year_month_day date = DateOf(value);
  const year_month_day last = date.year() / date.month() / std::chrono::last;
  return static_cast<unsigned>(last.day());
}

using Functions = std::map<std::string, ValueFunction, std::less<>>;

Functions MakeFunctions() {
  Functions f;
  f["abs"] = [](double v) { return std::fabs(v); };
  f["ceil"] = [](double v) { return std::ceil(v); };
  f["floor"] = [](double v) { return std::floor(v); };
  f["exp"] = model::Exp;
  f["sqrt"] = [](double v) { return std::sqrt(v); };
  f["ln"] = model::Log;
  f["log2"] = model::Log2;
  f["log10"] = model::Log10;
  f["sgn"] = Sign;
  f["rad"] = [](double v) { return v * std::numbers::pi / 180; };
  f["deg"] = [](double v) { return v * 180 / std::numbers::pi; };
  f["sin"] = model::Sin;
  f["cos"] = model::Cos;
  f["tan"] = model::Tan;
  f["asin"] = model::Asin;
  f["acos"] = model::Acos;
  f["atan"] = model::Atan;
  f["sinh"] = model::Sinh;
  f["cosh"] = model::Cosh;
  f["tanh"] = model::Tanh;
  f["asinh"] = model::Asinh;
  f["acosh"] = model::Acosh;
  f["atanh"] = model::Atanh;
  f["minute"] = [](double v) { return std::fmod(std::floor(SecondOfDay(v) / 60), 60); };
  f["hour"] = [](double v) { return std::floor(SecondOfDay(v) / 3600); };
  f["day_of_week"] = [](double v) { return std::chrono::weekday(DayOf(v)).c_encoding(); };
  f["day_of_month"] = [](double v) { return static_cast<unsigned>(DateOf(v).day()); };
  f["day_of_year"] = DayOfYear;
  f["days_in_month"] = DaysInMonth;
  f["month"] = [](double v) { return static_cast<unsigned>(DateOf(v).month()); };
  f["year"] = [](double v) {
    return static_cast<double>(static_cast<int>(DateOf(v).year()) + 400 * CyclesBefore(v));
  };
  return f;
}

}  // namespace

ValueFunction FindValueFunction(std::string_view name) {
  static const Functions kFunctions = MakeFunctions();
  const auto it = kFunctions.find(name);
  return it == kFunctions.end() ? nullptr : it->second;
}

double Smaller(double a, double b) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  if (a == -kInfinity || b == -kInfinity) return -kInfinity;
  if (std::isnan(a) || std::isnan(b)) return std::numeric_limits<double>::quiet_NaN();
  if (a == 0 && b == 0) return std::signbit(a) ? a : b;
  return a < b ? a : b;
}

double Larger(double a, double b) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  if (a == kInfinity || b == kInfinity) return kInfinity;
  if (std::isnan(a) || std::isnan(b)) return std::numeric_limits<double>::quiet_NaN();
  if (a == 0 && b == 0) return std::signbit(a) ? b : a;
  return a > b ? a : b;
}

}  // namespace aevum::promql::differential
