#include "net/api/json_writer.h"

#include <cstddef>

#include <fmt/core.h>

#include "model/quote.h"

namespace aevum::net {
namespace {

constexpr std::size_t kPiece = 32 << 10;

bool IsPlain(char c) {
  return static_cast<unsigned char>(c) >= 0x20 && static_cast<unsigned char>(c) < 0x80 &&
         c != '"' && c != '\\' && c != '<' && c != '>' && c != '&';
}

void AppendCodePoint(std::string& out, std::uint32_t code) {
  switch (code) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
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
    case '<':
    case '>':
    case '&':
    case 0x2028:
    case 0x2029:
    case 0xfffd:
      break;
    default:
      if (code >= 0x20) {
        model::AppendUtf8(out, code);
        return;
      }
  }
  out += fmt::format("\\u{:04x}", code);
}

}  // namespace

void AppendJsonString(std::string& out, std::string_view text) {
  out += '"';
  // Most text needs no escape.
  std::size_t plain = 0;
  while (plain < text.size() && IsPlain(text[plain])) ++plain;
  out += text.substr(0, plain);
  if (plain < text.size()) {
    model::ForEachCodePoint(text.substr(plain),
                            [&](std::uint32_t code) { AppendCodePoint(out, code); });
  }
  out += '"';
}

void JsonWriter::FlushIfFull() {
  if (buffer_.size() >= kPiece) Flush();
}

void JsonWriter::Flush() {
  if (!failed_ && !buffer_.empty()) failed_ = !sink_(buffer_);
  buffer_.clear();
}

bool JsonWriter::Finish() {
  Flush();
  return !failed_;
}

void JsonWriter::StringPart(std::string_view text) {
  std::string quoted;
  AppendJsonString(quoted, text);
  Raw(std::string_view(quoted).substr(1, quoted.size() - 2));
}

void JsonWriter::Strings(const std::vector<std::string>& strings) {
  Raw("[");
  for (std::size_t i = 0; i < strings.size() && !failed_; ++i) {
    if (i > 0) Raw(",");
    String(strings[i]);
  }
  Raw("]");
}

void JsonWriter::Labels(const model::Labels& labels) {
  char separator = '{';
  for (const model::Label label : labels) {
    buffer_ += separator;
    AppendJsonString(buffer_, label.name);
    buffer_ += ':';
    AppendJsonString(buffer_, label.value);
    separator = ',';
  }
  Raw(labels.empty() ? "{}" : "}");
}

}  // namespace aevum::net
