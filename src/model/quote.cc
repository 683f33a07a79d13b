#include "model/quote.h"

#include <algorithm>
#include <cstdint>

#include <fmt/core.h>

namespace aevum::model {
namespace {

bool IsAlpha(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }

struct Rune {
  std::uint32_t code;
  std::size_t size;  // 0: not UTF-8
};

// Decodes the first code point, strictly: no surrogates, no overlong forms (RFC 3629).
Rune DecodeRune(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  const std::uint8_t first = byte(0);
  if (first < 0x80) return {first, 1};
  const std::size_t size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || text.size() < size) return {0, 0};
  std::uint32_t code = first & (0x7fU >> size);
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return {0, 0};
    code = code << 6 | (byte(i) & 0x3fU);
  }
  const std::uint32_t smallest = size == 2 ? 0x80 : size == 3 ? 0x800 : 0x10000;
  if (code < smallest || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) return {0, 0};
  return {code, size};
}

// The code points above ASCII that Go's %q escapes and that occur in practice: controls, spaces
// other than U+0020, format characters, private use, non-characters.
bool IsPrintable(std::uint32_t c) {
  if (c < 0xa1) return c >= 0x20 && c < 0x7f;
  if (c == 0xad || c == 0x1680 || (c >= 0x2000 && c <= 0x200f) || (c >= 0x2028 && c <= 0x202f) ||
      (c >= 0x205f && c <= 0x206f) || c == 0x3000 || c == 0xfeff || (c >= 0xfff0 && c <= 0xfffb) ||
      (c >= 0xe000 && c <= 0xf8ff) || c >= 0xe0000) {
    return false;
  }
  return (c & 0xfffe) != 0xfffe;
}

void AppendRune(std::string& out, std::string_view text, std::uint32_t code) {
  switch (code) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\a':
      out += "\\a";
      return;
    case '\b':
      out += "\\b";
      return;
    case '\f':
      out += "\\f";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    case '\v':
      out += "\\v";
      return;
    default:
      break;
  }
  if (IsPrintable(code)) {
    out += text;
  } else if (code < 0x80) {
    out += fmt::format("\\x{:02x}", code);
  } else if (code < 0x10000) {
    out += fmt::format("\\u{:04x}", code);
  } else {
    out += fmt::format("\\U{:08x}", code);
  }
}

}  // namespace

void AppendGoQuoted(std::string& out, std::string_view text) {
  out += '"';
  while (!text.empty()) {
    const Rune rune = DecodeRune(text);
    if (rune.size == 0) {
      out += fmt::format("\\x{:02x}", static_cast<std::uint8_t>(text[0]));
      text.remove_prefix(1);
    } else {
      AppendRune(out, text.substr(0, rune.size), rune.code);
      text.remove_prefix(rune.size);
    }
  }
  out += '"';
}

bool IsLegacyLabelName(std::string_view name) {
  return !name.empty() && IsAlpha(name[0]) &&
         std::all_of(name.begin(), name.end(), [](char c) { return IsAlpha(c) || IsDigit(c); });
}

bool IsLegacyMetricName(std::string_view name) {
  return !name.empty() && !IsDigit(name[0]) && std::all_of(name.begin(), name.end(), [](char c) {
    return IsAlpha(c) || IsDigit(c) || c == ':';
  });
}

void ForEachCodePoint(std::string_view text, const std::function<void(std::uint32_t)>& visit) {
  while (!text.empty()) {
    const Rune rune = DecodeRune(text);
    visit(rune.size == 0 ? 0xfffd : rune.code);
    text.remove_prefix(rune.size == 0 ? 1 : rune.size);
  }
}

void AppendUtf8(std::string& out, std::uint32_t code) {
  const auto put = [&](std::uint32_t byte) { out += static_cast<char>(byte); };
  if (code < 0x80) {
    put(code);
  } else if (code < 0x800) {
    put(0xc0 | code >> 6);
    put(0x80 | (code & 0x3f));
  } else if (code < 0x10000) {
    put(0xe0 | code >> 12);
    put(0x80 | (code >> 6 & 0x3f));
    put(0x80 | (code & 0x3f));
  } else {
    put(0xf0 | code >> 18);
    put(0x80 | (code >> 12 & 0x3f));
    put(0x80 | (code >> 6 & 0x3f));
    put(0x80 | (code & 0x3f));
  }
}

std::string ReplaceInvalidUtf8(std::string_view text) {
  std::string out;
  ForEachCodePoint(text, [&](std::uint32_t code) { AppendUtf8(out, code); });
  return out;
}

bool IsValidUtf8(std::string_view text) {
  while (!text.empty()) {
    const Rune rune = DecodeRune(text);
    if (rune.size == 0) return false;
    text.remove_prefix(rune.size);
  }
  return true;
}

}  // namespace aevum::model
