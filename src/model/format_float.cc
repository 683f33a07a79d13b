#include "model/format_float.h"

#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>

namespace aevum::model {
namespace {

constexpr double kExactIntegers = 9007199254740992.0;  // 2^53: above, whole numbers have gaps

char* PutUnsigned(char* out, std::uint64_t value) {
  return std::to_chars(out, out + 20, value).ptr;
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
  if (static_cast<double>(whole) / kScale != magnitude) return nullptr;
  char* end = PutUnsigned(out, whole / 10'000);
  auto rest = static_cast<unsigned>(whole % 10'000);
  *end++ = '.';
  for (unsigned digit = 1'000; rest > 0; digit /= 10) {
    *end++ = static_cast<char>('0' + rest / digit);
    rest %= digit;
  }
  return end;
}

// Places the digits of the scientific form, which are the shortest.
char* PutDigits(char* out, double magnitude) {
  char text[32];
  const char* const text_end =
      std::to_chars(text, text + sizeof text, magnitude, std::chars_format::scientific).ptr;
  const char* e = text_end;
  while (*--e != 'e') {
  }
  int exponent = 0;
  std::from_chars(e + (e[1] == '+' ? 2 : 1), text_end, exponent);
  char digits[24];
  std::size_t count = 1;
  digits[0] = text[0];
  for (const char* c = text + 2; c < e; ++c) digits[count++] = *c;

  if (magnitude < 1e-6 || magnitude >= 1e21) {
    *out++ = digits[0];
    if (count > 1) {
      *out++ = '.';
      out = PutText(out, digits + 1, count - 1);
    }
    // The exponent of to_chars has two digits at least, as Go's.
    return PutText(out, e, static_cast<std::size_t>(text_end - e));
  }
  if (exponent < 0) {
    *out++ = '0';
    *out++ = '.';
    for (int i = -1; i > exponent; --i) *out++ = '0';
    return PutText(out, digits, count);
  }
  const auto integer = static_cast<std::size_t>(exponent) + 1;
  if (count <= integer) {
    out = PutText(out, digits, count);
    std::memset(out, '0', integer - count);
    return out + (integer - count);
  }
  out = PutText(out, digits, integer);
  *out++ = '.';
  return PutText(out, digits + integer, count - integer);
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
