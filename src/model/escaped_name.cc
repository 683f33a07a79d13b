#include "model/escaped_name.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>

#include "model/quote.h"

namespace aevum::model {
namespace {

constexpr std::string_view kPrefix = "U__";
constexpr std::size_t kLongestCode = 6;  // of 10ffff

bool IsCodePoint(std::uint32_t code) {
  return code <= 0x10ffff && (code < 0xd800 || code > 0xdfff);
}

// The text after the prefix, unescaped; nullopt when it is no such text.
std::optional<std::string> Unescape(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::size_t plain = std::min(text.find('_'), text.size());
    out += text.substr(0, plain);
    text.remove_prefix(plain);
    if (text.empty()) break;
    const std::size_t end = text.find('_', 1);
    if (end == std::string_view::npos || end - 1 > kLongestCode) return std::nullopt;
    if (end == 1) {
      out += '_';
    } else {
      std::uint32_t code = 0;
      const auto [last, error] = std::from_chars(text.data() + 1, text.data() + end, code, 16);
      if (error != std::errc() || last != text.data() + end || !IsCodePoint(code))
        return std::nullopt;
      AppendUtf8(out, code);
    }
    text.remove_prefix(end + 1);
  }
  return out;
}

}  // namespace

std::string UnescapeName(std::string_view name) {
  if (!name.starts_with(kPrefix)) return std::string(name);
  return Unescape(name.substr(kPrefix.size())).value_or(std::string(name));
}

}  // namespace aevum::model
