#include "model/format_float.h"

#include <array>
#include <bit>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <utility>

#include <fmt/format.h>

namespace aevum::model {
namespace {

constexpr double kExactIntegers = 9007199254740992.0;  // 2^53: above, whole numbers have gaps

static_assert(std::endian::native == std::endian::little, "digits are made as little-endian words");
constexpr std::uint64_t kZeros = 0x3030303030303030;  // eight characters 0

// The eight digits of a number below 10^8, one a byte, the first in the lowest byte: halves, then
// quarters, then digits are divided side by side in one word, by multiplying.
std::uint64_t EightDigits(std::uint64_t value) {
  const std::uint64_t halves = value / 10'000 | (value % 10'000) << 32;
  const std::uint64_t hundreds = ((halves * 10'486) >> 20) & 0x0000'007f'0000'007f;
  const std::uint64_t pairs = hundreds | (halves - 100 * hundreds) << 16;
  const std::uint64_t tens = ((pairs * 103) >> 10) & 0x000f'000f'000f'000f;
  return tens | (pairs - 10 * tens) << 8;
}

constexpr std::uint64_t kTenTo8 = 100'000'000;
constexpr std::uint64_t kTenTo16 = kTenTo8 * kTenTo8;

char* PutEight(char* out, std::uint64_t value) {
  const std::uint64_t digits = EightDigits(value) | kZeros;
  std::memcpy(out, &digits, sizeof digits);
  return out + sizeof digits;
}

// Below 10^8, without leading zeros. Writes 8 bytes.
char* PutUpToEight(char* out, std::uint64_t value) {
  std::uint64_t digits = EightDigits(value);
  const unsigned leading = value == 0 ? 7 : static_cast<unsigned>(std::countr_zero(digits)) / 8;
  digits = (digits | kZeros) >> (8 * leading);
  std::memcpy(out, &digits, sizeof digits);
  return out + (8 - leading);
}

// May write up to 7 bytes behind the end.
char* PutUnsigned(char* out, std::uint64_t value) {
  if (value < kTenTo8) return PutUpToEight(out, value);
  if (value < kTenTo16) return PutEight(PutUpToEight(out, value / kTenTo8), value % kTenTo8);
  const std::uint64_t low = value % kTenTo16;
  out = PutUpToEight(out, value / kTenTo16);
  return PutEight(PutEight(out, low / kTenTo8), low % kTenTo8);
}

constexpr std::array<std::uint64_t, 20> kPowersOfTen = [] {
  std::array<std::uint64_t, 20> powers{};
  std::uint64_t power = 1;
  for (std::uint64_t& p : powers) p = std::exchange(power, power * 10);
  return powers;
}();

int CountDigits(std::uint64_t value) {
  // 1233 / 4096 is log10(2), near enough for 64 bits.
  const int guess =
      static_cast<int>((static_cast<unsigned>(std::bit_width(value | 1)) * 1233) >> 12);
  return guess + (value >= kPowersOfTen[static_cast<std::size_t>(guess)] ? 1 : 0);
}

// Exactly `count` digits, 1 to 16, of a number that has no more. Writes 16 bytes.
char* PutPadded(char* out, std::uint64_t value, int count) {
  __extension__ using Wide = unsigned __int128;
  Wide digits = EightDigits(value % kTenTo8) | kZeros;
  digits = digits << 64 | EightDigits(value / kTenTo8) | kZeros;
  digits >>= 8 * (16 - count);
  std::memcpy(out, &digits, sizeof digits);
  return out + count;
}

char* PutText(char* out, const char* text, std::size_t size) {
  std::memcpy(out, text, size);
  return out + size;
}

// A number with up to four decimals whose digits are at most 15: then they are the shortest, for 15
// digits always survive the way to a double and back.
char* TryDecimals(char* out, double magnitude) {
  constexpr double kScale = 1e4;
  const double scaled = magnitude * kScale;
  if (!(scaled < 1e15) || magnitude < 1e-4) return nullptr;
  const auto whole = static_cast<std::uint64_t>(scaled + 0.5);
  const double rounded = static_cast<double>(whole);
  // A cheap no before the division: the product is at most some last bits off.
  if (std::abs(rounded - scaled) > scaled * 1e-15 || rounded / kScale != magnitude) return nullptr;
  char* end = PutUnsigned(out, whole / 10'000);
  auto rest = static_cast<unsigned>(whole % 10'000);
  *end++ = '.';
  for (unsigned digit = 1'000; rest > 0; digit /= 10) {
    *end++ = static_cast<char>('0' + rest / digit);
    rest %= digit;
  }
  return end;
}

char* PutScientific(char* out, std::uint64_t significand, int exponent) {
  char digits[32];
  const int count = static_cast<int>(PutUnsigned(digits, significand) - digits);
  *out++ = digits[0];
  if (count > 1) *out++ = '.';
  out = PutText(out, digits + 1, static_cast<std::size_t>(count - 1));
  exponent += count - 1;
  *out++ = 'e';
  *out++ = exponent < 0 ? '-' : '+';
  if (std::abs(exponent) < 10) *out++ = '0';
  return PutUnsigned(out, static_cast<unsigned>(std::abs(exponent)));
}

// The shortest digits by fmt's Dragonbox, which is twice as fast as to_chars; placed as Go does.
char* PutDigits(char* out, double magnitude) {
  const auto decimal = fmt::detail::dragonbox::to_decimal(magnitude);
  const std::uint64_t significand = decimal.significand;
  if (magnitude < 1e-6 || magnitude >= 1e21)
    return PutScientific(out, significand, decimal.exponent);
  if (decimal.exponent >= 0) {
    out = PutUnsigned(out, significand);
    std::memset(out, '0', static_cast<std::size_t>(decimal.exponent));
    return out + decimal.exponent;
  }
  const int decimals = -decimal.exponent;
  if (magnitude < 1) {
    std::memcpy(out, "0.000000", 8);
    return PutUnsigned(out + 2 + (decimals - CountDigits(significand)), significand);
  }
  const std::uint64_t power = kPowersOfTen[static_cast<std::size_t>(decimals)];
  out = PutUnsigned(out, significand / power);
  *out++ = '.';
  return PutPadded(out, significand % power, decimals);
}

}  // namespace

char* FormatFloat(char* out, double value) {
  if (std::isnan(value)) return PutText(out, "NaN", 3);
  if (std::isinf(value)) return PutText(out, value > 0 ? "+Inf" : "-Inf", 4);
  if (std::signbit(value)) *out++ = '-';
  const double magnitude = std::abs(value);
  if (magnitude < kExactIntegers) {
    const auto whole = static_cast<std::uint64_t>(magnitude);
    if (static_cast<double>(whole) == magnitude) return PutUnsigned(out, whole);
  }
  if (char* const end = TryDecimals(out, magnitude)) return end;
  return PutDigits(out, magnitude);
}

std::string FormatFloat(double value) {
  char buffer[kMaxFloatSize];
  return {buffer, FormatFloat(buffer, value)};
}

char* FormatTimestamp(char* out, std::int64_t milliseconds) {
  std::uint64_t magnitude = static_cast<std::uint64_t>(milliseconds);
  if (milliseconds < 0) {
    *out++ = '-';
    magnitude = 0 - magnitude;
  }
  out = PutUnsigned(out, magnitude / 1000);
  const auto rest = static_cast<unsigned>(magnitude % 1000);
  if (rest == 0) return out;
  *out++ = '.';
  *out++ = static_cast<char>('0' + rest / 100);
  *out++ = static_cast<char>('0' + rest / 10 % 10);
  *out++ = static_cast<char>('0' + rest % 10);
  return out;
}

}  // namespace aevum::model
