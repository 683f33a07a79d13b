#include "base/duration.h"

#include <array>
#include <charconv>
#include <cmath>
#include <limits>

namespace aevum {
namespace {

__extension__ using Uint128 = unsigned __int128;

constexpr std::int64_t kMillisecond = 1'000'000;
constexpr std::int64_t kSecond = 1'000 * kMillisecond;
constexpr std::int64_t kMinute = 60 * kSecond;
constexpr std::int64_t kHour = 60 * kMinute;
constexpr std::int64_t kDay = 24 * kHour;
constexpr std::int64_t kMaxNanoseconds = std::numeric_limits<std::int64_t>::max();

struct Unit {
  std::string_view name;
  std::int64_t nanoseconds;
};

// Descending, as Prometheus demands them.
constexpr std::array<Unit, 7> kPrometheusUnits = {{{"y", 365 * kDay},
                                                   {"w", 7 * kDay},
                                                   {"d", kDay},
                                                   {"h", kHour},
                                                   {"m", kMinute},
                                                   {"s", kSecond},
                                                   {"ms", kMillisecond}}};

constexpr std::array<Unit, 8> kGoUnits = {{{"ns", 1},
                                           {"us", 1'000},
                                           {"\xc2\xb5s", 1'000},
                                           {"\xce\xbcs", 1'000},
                                           {"ms", kMillisecond},
                                           {"s", kSecond},
                                           {"m", kMinute},
                                           {"h", kHour}}};

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

std::string_view TakeDigits(std::string_view* text) {
  std::size_t n = 0;
  while (n < text->size() && IsDigit((*text)[n])) ++n;
  const std::string_view digits = text->substr(0, n);
  text->remove_prefix(n);
  return digits;
}

std::string_view TakeUnitName(std::string_view* text) {
  std::size_t n = 0;
  while (n < text->size() && !IsDigit((*text)[n]) && (n == 0 || (*text)[n] != '.')) ++n;
  const std::string_view name = text->substr(0, n);
  text->remove_prefix(n);
  return name;
}

// Adds count * unit; false when it does not fit.
bool AddUnits(std::int64_t* total, std::int64_t count, std::int64_t unit) {
  std::int64_t part = 0;
  return !__builtin_mul_overflow(count, unit, &part) &&
         !__builtin_add_overflow(*total, part, total);
}

// A decimal number as Go reads it: an optional sign, and underscores between digits.
StatusOr<double> ParseFloat(std::string_view text) {
  const auto invalid = [&] { return InvalidArgument("not a number: \"{}\"", text); };
  std::string digits;
  for (std::size_t i = text.starts_with('+') ? 1 : 0; i < text.size(); ++i) {
    if (text[i] != '_') {
      digits += text[i];
    } else if (i == 0 || i + 1 == text.size() || !IsDigit(text[i - 1]) || !IsDigit(text[i + 1])) {
      return invalid();
    }
  }
  double value = 0;
  const char* const last = digits.data() + digits.size();
  const auto [end, error] = std::from_chars(digits.data(), last, value);
  if (error != std::errc() || end != last) return invalid();
  return value;
}

// Days since 1970-01-01 of a date in the proleptic Gregorian calendar.
std::int64_t DaysFromCivil(std::int64_t year, std::int64_t month, std::int64_t day) {
  year -= month <= 2 ? 1 : 0;
  const std::int64_t era = (year >= 0 ? year : year - 399) / 400;
  const std::int64_t year_of_era = year - era * 400;
  const std::int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  const std::int64_t day_of_era =
      year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * 146'097 + day_of_era - 719'468;
}

int DaysOfMonth(std::int64_t year, int month) {
  static constexpr std::array<int, 12> kDays = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  return month == 2 && leap ? 29 : kDays[static_cast<std::size_t>(month - 1)];
}

// Reads exactly `width` digits followed by `after` (0: nothing).
bool TakeNumber(std::string_view* text, std::size_t width, char after, int* value) {
  const std::size_t size = width + (after != '\0' ? 1 : 0);
  if (text->size() < size) return false;
  *value = 0;
  for (std::size_t i = 0; i < width; ++i) {
    if (!IsDigit((*text)[i])) return false;
    *value = *value * 10 + ((*text)[i] - '0');
  }
  if (after != '\0' && (*text)[width] != after) return false;
  text->remove_prefix(size);
  return true;
}

}  // namespace

StatusOr<Nanoseconds> ParsePrometheusDuration(std::string_view text) {
  const std::string_view whole = text;
  if (text.empty()) return InvalidArgument("empty duration string");
  if (text == "0") return Nanoseconds(0);
  std::int64_t total = 0;
  std::size_t next_unit = 0;
  while (!text.empty()) {
    const std::string_view digits = TakeDigits(&text);
    const std::string_view name = TakeUnitName(&text);
    std::size_t unit = 0;
    while (unit < kPrometheusUnits.size() && kPrometheusUnits[unit].name != name) ++unit;
    if (!digits.empty() && !name.empty() && unit == kPrometheusUnits.size()) {
      return InvalidArgument("unknown unit \"{}\" in duration \"{}\"", name, whole);
    }
    if (digits.empty() || name.empty() || unit < next_unit) {
      return InvalidArgument("not a valid duration string: \"{}\"", whole);
    }
    std::int64_t count = 0;
    const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), count);
    if (parsed.ec != std::errc())
      return InvalidArgument("not a valid duration string: \"{}\"", whole);
    if (!AddUnits(&total, count, kPrometheusUnits[unit].nanoseconds))
      return InvalidArgument("duration out of range");
    next_unit = unit + 1;
  }
  return Nanoseconds(total);
}

StatusOr<Nanoseconds> ParseSignedPrometheusDuration(std::string_view text) {
  if (!text.starts_with('-')) return ParsePrometheusDuration(text);
  ASSIGN_OR_RETURN(const Nanoseconds duration, ParsePrometheusDuration(text.substr(1)));
  return -duration;
}

StatusOr<Nanoseconds> ParseGoDuration(std::string_view text) {
  const std::string_view whole = text;
  const auto invalid = [&] { return InvalidArgument("time: invalid duration \"{}\"", whole); };
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  if (text == "0") return Nanoseconds(0);
  if (text.empty()) return invalid();
  // Go allows the magnitude 2^63 for the most negative duration.
  const auto limit = static_cast<Uint128>(kMaxNanoseconds) + 1;
  Uint128 total = 0;
  while (!text.empty()) {
    const std::string_view integer = TakeDigits(&text);
    std::string_view fraction;
    if (text.starts_with('.')) {
      text.remove_prefix(1);
      fraction = TakeDigits(&text);
    }
    if (integer.empty() && fraction.empty()) return invalid();
    const std::string_view name = TakeUnitName(&text);
    const Unit* unit = nullptr;
    for (const Unit& candidate : kGoUnits) {
      if (candidate.name == name) unit = &candidate;
    }
    if (unit == nullptr) {
      return name.empty()
                 ? InvalidArgument("time: missing unit in duration \"{}\"", whole)
                 : InvalidArgument("time: unknown unit \"{}\" in duration \"{}\"", name, whole);
    }
    Uint128 count = 0;
    for (const char c : integer) {
      count = count * 10 + static_cast<unsigned>(c - '0');
      if (count > limit) return invalid();
    }
    // Go keeps as many digits of the fraction as fit 63 bits, and multiplies in floating point.
    std::int64_t digits = 0;
    double scale = 1;
    for (const char c : fraction) {
      if (digits > (kMaxNanoseconds - 9) / 10) break;
      digits = digits * 10 + (c - '0');
      scale *= 10;
    }
    total += count * static_cast<Uint128>(unit->nanoseconds);
    total += static_cast<std::uint64_t>(static_cast<double>(digits) *
                                        (static_cast<double>(unit->nanoseconds) / scale));
    if (total > limit) return invalid();
  }
  if (!negative && total == limit) return invalid();
  const auto magnitude = static_cast<std::uint64_t>(total);
  return Nanoseconds(static_cast<std::int64_t>(negative ? 0 - magnitude : magnitude));
}

double GoSeconds(Nanoseconds duration) {
  return static_cast<double>(duration.count() / kSecond) +
         static_cast<double>(duration.count() % kSecond) / 1e9;
}

double GoSeconds(std::chrono::milliseconds duration) {
  // All milliseconds do not fit nanoseconds.
  return static_cast<double>(duration.count() / 1000) +
         GoSeconds(Nanoseconds(duration.count() % 1000 * kMillisecond));
}

std::string FormatPrometheusDuration(Nanoseconds duration) {
  std::int64_t ms = duration.count() / kMillisecond;
  if (ms == 0) return "0s";
  std::string text = ms < 0 ? "-" : "";
  std::uint64_t rest = ms < 0 ? 0 - static_cast<std::uint64_t>(ms) : static_cast<std::uint64_t>(ms);
  for (const Unit& unit : kPrometheusUnits) {
    const auto unit_ms = static_cast<std::uint64_t>(unit.nanoseconds / kMillisecond);
    const std::uint64_t count = rest / unit_ms;
    // Years and weeks only where they come out even.
    const bool exact_only = unit.nanoseconds > kDay;
    if (count == 0 || (exact_only && rest % unit_ms != 0)) continue;
    text += fmt::format("{}{}", count, unit.name);
    rest -= count * unit_ms;
  }
  return text;
}

std::string FormatGoDuration(Nanoseconds duration) {
  const std::int64_t ns = duration.count();
  if (ns == 0) return "0s";
  const std::uint64_t magnitude =
      ns < 0 ? 0 - static_cast<std::uint64_t>(ns) : static_cast<std::uint64_t>(ns);
  std::string text = ns < 0 ? "-" : "";
  const auto decimal = [](std::uint64_t value, std::uint64_t unit) {
    std::string number = fmt::format("{}", value / unit);
    std::uint64_t rest = value % unit;
    if (rest == 0) return number;
    number += '.';
    for (std::uint64_t digit = unit / 10; rest > 0; digit /= 10) {
      number += static_cast<char>('0' + rest / digit);
      rest %= digit;
    }
    return number;
  };
  if (magnitude < 1'000) return text + fmt::format("{}ns", magnitude);
  if (magnitude < kMillisecond) return text + decimal(magnitude, 1'000) + "\xc2\xb5s";
  if (magnitude < kSecond) return text + decimal(magnitude, kMillisecond) + "ms";
  const std::uint64_t hours = magnitude / kHour;
  const std::uint64_t minutes = magnitude / kMinute % 60;
  if (hours > 0) text += fmt::format("{}h", hours);
  if (hours > 0 || minutes > 0) text += fmt::format("{}m", minutes);
  return text + decimal(magnitude % kMinute, kSecond) + "s";
}

StatusOr<TimestampMs> ParseRfc3339(std::string_view text) {
  const auto invalid = [&] {
    return InvalidArgument("cannot parse \"{}\" to a valid timestamp", text);
  };
  std::string_view rest = text;
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
  if (!TakeNumber(&rest, 4, '-', &year) || !TakeNumber(&rest, 2, '-', &month) ||
      !TakeNumber(&rest, 2, 'T', &day) || !TakeNumber(&rest, 2, ':', &hour) ||
      !TakeNumber(&rest, 2, ':', &minute) || !TakeNumber(&rest, 2, '\0', &second)) {
    return invalid();
  }
  std::int64_t milliseconds = 0;
  if (rest.starts_with('.') || rest.starts_with(',')) {
    rest.remove_prefix(1);
    const std::string_view fraction = TakeDigits(&rest);
    if (fraction.empty()) return invalid();
    for (std::size_t i = 0; i < 3; ++i) {
      milliseconds = milliseconds * 10 + (i < fraction.size() ? fraction[i] - '0' : 0);
    }
  }
  int offset_minutes = 0;
  if (rest != "Z") {
    if (rest.empty() || (rest[0] != '+' && rest[0] != '-')) return invalid();
    const int sign = rest[0] == '-' ? -1 : 1;
    rest.remove_prefix(1);
    int offset_hour = 0, offset_minute = 0;
    if (!TakeNumber(&rest, 2, ':', &offset_hour) || !TakeNumber(&rest, 2, '\0', &offset_minute) ||
        !rest.empty() || offset_hour > 24 || offset_minute > 60) {
      return invalid();
    }
    offset_minutes = sign * (offset_hour * 60 + offset_minute);
  }
  if (month < 1 || month > 12 || day < 1 || day > DaysOfMonth(year, month) || hour > 23 ||
      minute > 59 || second > 59) {
    return invalid();
  }
  const std::int64_t minutes =
      (DaysFromCivil(year, month, day) * 24 + hour) * 60 + minute - offset_minutes;
  return (minutes * 60 + second) * 1'000 + milliseconds;
}

std::string FormatRfc3339(TimestampMs time) {
  // Civil date from days, after Howard Hinnant's published algorithm.
  std::int64_t days = time / 86'400'000;
  std::int64_t ms = time % 86'400'000;
  if (ms < 0) {
    ms += 86'400'000;
    --days;
  }
  days += 719'468;
  const std::int64_t era = (days >= 0 ? days : days - 146'096) / 146'097;
  const std::int64_t day_of_era = days - era * 146'097;
  const std::int64_t year_of_era =
      (day_of_era - day_of_era / 1'460 + day_of_era / 36'524 - day_of_era / 146'096) / 365;
  const std::int64_t day_of_year =
      day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const std::int64_t shifted_month = (5 * day_of_year + 2) / 153;
  const std::int64_t day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
  const std::int64_t month = shifted_month + (shifted_month < 10 ? 3 : -9);
  const std::int64_t year = year_of_era + era * 400 + (month <= 2 ? 1 : 0);
  std::string text = fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", year, month, day,
                                 ms / 3'600'000, ms / 60'000 % 60, ms / 1'000 % 60);
  if (ms % 1'000 != 0) {
    std::string fraction = fmt::format(".{:03}", ms % 1'000);
    while (fraction.back() == '0') fraction.pop_back();
    text += fraction;
  }
  return text + "Z";
}

StatusOr<TimestampMs> ParseApiTime(std::string_view text) {
  if (const StatusOr<double> seconds = ParseFloat(text); seconds.ok()) {
    // Whole seconds and the fraction apart, so that large times keep their milliseconds.
    double whole = 0;
    const double fraction = std::modf(*seconds, &whole);
    if (!(std::abs(whole) < 9.2e15))
      return InvalidArgument("cannot parse \"{}\" to a valid timestamp", text);
    return static_cast<TimestampMs>(whole) * 1'000 +
           static_cast<TimestampMs>(std::round(fraction * 1'000));
  }
  return ParseRfc3339(text);
}

StatusOr<Nanoseconds> ParseApiDuration(std::string_view text) {
  if (const StatusOr<double> seconds = ParseFloat(text); seconds.ok()) {
    const double ns = *seconds * 1e9;
    if (!(std::abs(ns) < 9.223372036854775e18)) {
      return InvalidArgument("cannot parse \"{}\" to a valid duration. It overflows int64", text);
    }
    return Nanoseconds(static_cast<std::int64_t>(ns));
  }
  const StatusOr<Nanoseconds> duration = ParsePrometheusDuration(text);
  if (!duration.ok()) return InvalidArgument("cannot parse \"{}\" to a valid duration", text);
  return duration;
}

StatusOr<TimeOrDuration> TimeOrDuration::Parse(std::string_view text) {
  if (const auto time = ParseRfc3339(text); time.ok()) return TimeOrDuration(false, *time);
  ASSIGN_OR_RETURN(const Nanoseconds duration, ParseSignedPrometheusDuration(text));
  return TimeOrDuration(true, duration.count() / kMillisecond);
}

}  // namespace aevum
