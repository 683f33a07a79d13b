// Strings and numbers as PromQL writes them.
#include <charconv>
#include <cmath>
#include <limits>

#include "model/quote.h"
#include "promql/parser.h"

namespace aevum::promql {
namespace {

bool IsHexDigit(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

std::string WithoutUnderscores(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c != '_') out += c;
  }
  return out;
}

bool EqualsIgnoringCase(std::string_view a, std::string_view lower) {
  return a.size() == lower.size() && std::equal(a.begin(), a.end(), lower.begin(),
                                                [](char x, char y) { return (x | 0x20) == y; });
}

std::optional<double> ParseInteger(std::string_view digits, int base) {
  std::int64_t value = 0;
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), value, base);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return static_cast<double>(value);
}

// The value behind \x, \u, \U or an octal escape.
void AppendEscape(std::string& out, std::string_view digits, int base, bool byte) {
  std::uint32_t code = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), code, base);
  if (byte) {
    out += static_cast<char>(code);
  } else {
    model::AppendUtf8(out, code);
  }
}

}  // namespace

StatusOr<double> ParseNumber(std::string_view text) {
  if (EqualsIgnoringCase(text, "inf")) return std::numeric_limits<double>::infinity();
  if (EqualsIgnoringCase(text, "nan")) return std::numeric_limits<double>::quiet_NaN();
  const std::string digits = WithoutUnderscores(text);
  // Whole numbers first, with the bases that Go knows: 0x1f, 017.
  if (digits.starts_with("0x") || digits.starts_with("0X")) {
    if (const auto value = ParseInteger(std::string_view(digits).substr(2), 16)) return *value;
  } else if (digits.size() > 1 && digits[0] == '0' &&
             digits.find_first_not_of("01234567") == std::string::npos) {
    if (const auto value = ParseInteger(digits, 8)) return *value;
  } else if (const auto value = ParseInteger(digits, 10)) {
    return *value;
  }
  double value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (end != digits.data() + digits.size() || digits.empty() ||
      error == std::errc::invalid_argument) {
    return InvalidArgument(
        "error parsing number: strconv.ParseFloat: parsing \"{}\": invalid syntax", text);
  }
  if (error == std::errc::result_out_of_range) {
    // Too small is zero; too large is an error.
    const double magnitude = std::strtod(digits.c_str(), nullptr);
    if (std::isinf(magnitude)) {
      return InvalidArgument(
          "error parsing number: strconv.ParseFloat: parsing \"{}\": value out of range", text);
    }
    return magnitude;
  }
  return value;
}

StatusOr<std::string> Unquote(std::string_view quoted) {
  const auto invalid = [&] {
    std::string text = "error unquoting string ";
    model::AppendGoQuoted(text, quoted);
    return InvalidArgument("{}: invalid syntax", text);
  };
  if (quoted.size() < 2 || quoted.front() != quoted.back()) return invalid();
  const char quote = quoted.front();
  const std::string_view inner = quoted.substr(1, quoted.size() - 2);
  if (quote == '`') return std::string(inner);
  std::string out;
  out.reserve(inner.size());
  for (std::size_t i = 0; i < inner.size(); ++i) {
    const char c = inner[i];
    if (c != '\\') {
      if (c == '\n' || c == quote) return invalid();
      out += c;
      continue;
    }
    if (++i == inner.size()) return invalid();
    static constexpr std::string_view kNames = "abfnrtv\\'\"";
    static constexpr std::string_view kValues = "\a\b\f\n\r\t\v\\'\"";
    const char name = inner[i];
    const std::size_t simple = kNames.find(name);
    if (simple != std::string_view::npos) {
      // Only the quote around the string may be escaped.
      if ((name == '\'' || name == '"') && name != quote) return invalid();
      out += kValues[simple];
      continue;
    }
    const bool octal = name >= '0' && name <= '7';
    const std::size_t size = octal ? 3 : name == 'x' ? 2 : name == 'u' ? 4 : name == 'U' ? 8 : 0;
    const std::size_t start = octal ? i : i + 1;
    if (size == 0 || start + size > inner.size()) return invalid();
    const std::string_view digits = inner.substr(start, size);
    for (const char d : digits) {
      if (octal ? d < '0' || d > '7' : !IsHexDigit(d)) return invalid();
    }
    AppendEscape(out, digits, octal ? 8 : 16, octal || name == 'x');
    i = start + size - 1;
  }
  return out;
}

}  // namespace aevum::promql
