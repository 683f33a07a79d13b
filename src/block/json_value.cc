#include "block/json_value.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>

#include "model/format_float.h"
#include "model/quote.h"

namespace aevum::block {
namespace {

constexpr std::uint32_t kReplacement = 0xfffd;

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// Reads one value; what it stands on is bounds-checked by Peek.
class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  StatusOr<JsonValue> ParseValue() {
    JsonValue value;
    RETURN_IF_ERROR(Parse(&value, 0));
    return value;
  }
  Status ExpectEnd() {
    SkipSpace();
    if (at_ < text_.size()) return Error("something follows the value");
    return OkStatus();
  }

 private:
  char Peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  bool Take(char c) {
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  void SkipSpace() { at_ = std::min(text_.find_first_not_of(" \t\r\n", at_), text_.size()); }
  Status Error(std::string_view what) const {
    if (at_ >= text_.size()) return Corruption("JSON ends too early, {} bytes", text_.size());
    return Corruption("no JSON, {}, offset {}", what, at_);
  }

  Status Parse(JsonValue* out, std::size_t depth) {
    if (depth > JsonValue::kMaxDepth) return Error("more than 100 levels");
    if (++values_ > JsonValue::kMaxValues) return Error("more than 1000000 values");
    SkipSpace();
    switch (Peek()) {
      case '{':
        return ParseObject(out, depth);
      case '[':
        return ParseArray(out, depth);
      case '"':
        out->kind = JsonValue::Kind::kString;
        return ParseString(&out->text);
      case 'n':
        return ParseWord("null", JsonValue::Kind::kNull, out);
      case 't':
        return ParseWord("true", JsonValue::Kind::kTrue, out);
      case 'f':
        return ParseWord("false", JsonValue::Kind::kFalse, out);
      default:
        return ParseNumber(out);
    }
  }

  Status ParseWord(std::string_view word, JsonValue::Kind kind, JsonValue* out) {
    if (text_.substr(at_, word.size()) != word) return Error("no value begins so");
    at_ += word.size();
    out->kind = kind;
    return OkStatus();
  }

  Status ParseObject(JsonValue* out, std::size_t depth) {
    out->kind = JsonValue::Kind::kObject;
    ++at_;
    SkipSpace();
    if (Take('}')) return OkStatus();
    do {
      JsonValue::Member& member = out->members.emplace_back(std::string(), JsonValue());
      SkipSpace();
      if (Peek() != '"') return Error("a name must follow");
      RETURN_IF_ERROR(ParseString(&member.first));
      SkipSpace();
      if (!Take(':')) return Error("a colon must follow");
      RETURN_IF_ERROR(Parse(&member.second, depth + 1));
      SkipSpace();
    } while (Take(','));
    if (!Take('}')) return Error("',' or '}' must follow");
    return OkStatus();
  }

  Status ParseArray(JsonValue* out, std::size_t depth) {
    out->kind = JsonValue::Kind::kArray;
    ++at_;
    SkipSpace();
    if (Take(']')) return OkStatus();
    do {
      RETURN_IF_ERROR(Parse(&out->elements.emplace_back(), depth + 1));
      SkipSpace();
    } while (Take(','));
    if (!Take(']')) return Error("',' or ']' must follow");
    return OkStatus();
  }

  bool TakeDigits() {
    const std::size_t begin = at_;
    while (IsDigit(Peek())) ++at_;
    return at_ > begin;
  }

  Status ParseNumber(JsonValue* out) {
    const std::size_t begin = at_;
    Take('-');
    if (!Take('0') && !TakeDigits()) return Error("no value begins so");
    if (Take('.') && !TakeDigits()) return Error("a digit must follow");
    if (Take('e') || Take('E')) {
      if (!Take('+')) Take('-');
      if (!TakeDigits()) return Error("a digit must follow");
    }
    out->kind = JsonValue::Kind::kNumber;
    out->text = text_.substr(begin, at_ - begin);
    return OkStatus();
  }

  Status ParseString(std::string* out) {
    ++at_;
    std::string bytes;
    while (!Take('"')) {
      if (at_ >= text_.size()) return Error("");
      const char c = text_[at_];
      if (static_cast<unsigned char>(c) < 0x20) return Error("a control character in a string");
      if (c == '\\') {
        RETURN_IF_ERROR(ParseEscape(&bytes));
      } else {
        bytes += c;
        ++at_;
      }
    }
    *out = model::IsValidUtf8(bytes) ? std::move(bytes) : model::ReplaceInvalidUtf8(bytes);
    return OkStatus();
  }

  // Four hexadecimal digits behind \u.
  std::optional<std::uint32_t> TakeCodeUnit() {
    if (text_.substr(at_, 2) != "\\u" || at_ + 6 > text_.size()) return std::nullopt;
    std::uint32_t unit = 0;
    const char* begin = text_.data() + at_ + 2;
    const auto result = std::from_chars(begin, begin + 4, unit, 16);
    if (result.ptr != begin + 4) return std::nullopt;
    at_ += 6;
    return unit;
  }

  Status ParseEscape(std::string* out) {
    constexpr std::string_view kEscapes = "\"\\/bfnrt";
    constexpr std::string_view kMeanings = "\"\\/\b\f\n\r\t";
    const char c = at_ + 1 < text_.size() ? text_[at_ + 1] : '\0';
    if (const std::size_t i = kEscapes.find(c); i != std::string_view::npos) {
      *out += kMeanings[i];
      at_ += 2;
      return OkStatus();
    }
    std::optional<std::uint32_t> unit = TakeCodeUnit();
    if (!unit) return Error("an escape that is none");
    if (*unit >= 0xd800 && *unit < 0xdc00) {
      const std::size_t before = at_;
      const std::optional<std::uint32_t> low = TakeCodeUnit();
      if (low && *low >= 0xdc00 && *low < 0xe000) {
        unit = 0x10000 + ((*unit - 0xd800) << 10) + (*low - 0xdc00);
      } else {
        at_ = before;
        unit = kReplacement;
      }
    } else if (*unit >= 0xdc00 && *unit < 0xe000) {
      unit = kReplacement;
    }
    model::AppendUtf8(*out, *unit);
    return OkStatus();
  }

  const std::string_view text_;
  std::size_t at_ = 0;
  std::size_t values_ = 0;
};

char LowerAscii(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

void AppendEscaped(std::string* out, std::uint32_t code) {
  switch (code) {
    case '"':
      *out += "\\\"";
      return;
    case '\\':
      *out += "\\\\";
      return;
    case '\b':
      *out += "\\b";
      return;
    case '\f':
      *out += "\\f";
      return;
    case '\n':
      *out += "\\n";
      return;
    case '\r':
      *out += "\\r";
      return;
    case '\t':
      *out += "\\t";
      return;
    default:
      break;
  }
  const bool html = code == '<' || code == '>' || code == '&';
  if (code < 0x20 || html || code == 0x2028 || code == 0x2029) {
    *out += fmt::format("\\u{:04x}", code);
  } else {
    model::AppendUtf8(*out, code);
  }
}

}  // namespace

std::string_view JsonValue::KindName() const {
  switch (kind) {
    case Kind::kNull:
      return "null";
    case Kind::kFalse:
    case Kind::kTrue:
      return "a truth value";
    case Kind::kNumber:
      return "a number";
    case Kind::kString:
      return "a string";
    case Kind::kArray:
      return "a list";
    case Kind::kObject:
      return "an object";
  }
  return "";
}

const JsonValue* JsonValue::Find(std::string_view name) const {
  const auto found = std::find_if(members.rbegin(), members.rend(),
                                  [&](const Member& member) { return member.first == name; });
  return found == members.rend() ? nullptr : &found->second;
}

StatusOr<JsonValue> JsonValue::ParseFirst(std::string_view text) {
  return Parser(text).ParseValue();
}

StatusOr<JsonValue> JsonValue::ParseWhole(std::string_view text) {
  Parser parser(text);
  ASSIGN_OR_RETURN(JsonValue value, parser.ParseValue());
  RETURN_IF_ERROR(parser.ExpectEnd());
  return value;
}

StatusOr<JsonValue> Normalized(JsonValue value) {
  if (value.kind == JsonValue::Kind::kNumber) {
    double number = 0;
    const char* end = value.text.data() + value.text.size();
    const auto result = std::from_chars(value.text.data(), end, number);
    // Too small is 0 to Go; from_chars says the same of too small and too large.
    const bool small =
        value.text.find("e-") != std::string::npos || value.text.find("E-") != std::string::npos;
    if (result.ec == std::errc::result_out_of_range && !small)
      return Corruption("a number beyond a double: {}", value.text);
    value.text = model::FormatFloat(number);
  }
  for (JsonValue& element : value.elements) {
    ASSIGN_OR_RETURN(element, Normalized(std::move(element)));
  }
  std::stable_sort(
      value.members.begin(), value.members.end(),
      [](const JsonValue::Member& a, const JsonValue::Member& b) { return a.first < b.first; });
  std::vector<JsonValue::Member> kept;
  for (JsonValue::Member& member : value.members) {
    ASSIGN_OR_RETURN(member.second, Normalized(std::move(member.second)));
    if (!kept.empty() && kept.back().first == member.first) kept.pop_back();
    kept.push_back(std::move(member));
  }
  value.members = std::move(kept);
  return value;
}

bool EqualFieldNames(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return LowerAscii(x) == LowerAscii(y); });
}

void JsonWriter::BreakLine() {
  if (form_ == Form::kCompact) return;
  out_ += '\n';
  out_.append(depth_, '\t');
}

void JsonWriter::BeforeValue() {
  if (after_key_) {
    after_key_ = false;
    return;
  }
  if (!first_) out_ += ',';
  first_ = false;
  if (depth_ > 0) BreakLine();
}

void JsonWriter::Begin(char bracket) {
  BeforeValue();
  out_ += bracket;
  ++depth_;
  first_ = true;
}

void JsonWriter::End(char bracket) {
  --depth_;
  if (!first_) BreakLine();
  out_ += bracket;
  first_ = false;
}

void JsonWriter::Literal(std::string_view text) {
  BeforeValue();
  out_ += text;
}

void JsonWriter::Key(std::string_view name) {
  String(name);
  out_ += form_ == Form::kTabs ? ": " : ":";
  after_key_ = true;
}

void JsonWriter::String(std::string_view text) {
  BeforeValue();
  out_ += '"';
  model::ForEachCodePoint(text, [&](std::uint32_t code) { AppendEscaped(&out_, code); });
  out_ += '"';
}

void JsonWriter::Value(const JsonValue& value) {
  switch (value.kind) {
    case JsonValue::Kind::kNull:
      return Literal("null");
    case JsonValue::Kind::kFalse:
    case JsonValue::Kind::kTrue:
      return Bool(value.kind == JsonValue::Kind::kTrue);
    case JsonValue::Kind::kNumber:
      return Literal(value.text);
    case JsonValue::Kind::kString:
      return String(value.text);
    case JsonValue::Kind::kArray:
      BeginArray();
      for (const JsonValue& element : value.elements) Value(element);
      return EndArray();
    case JsonValue::Kind::kObject:
      BeginObject();
      for (const auto& [name, member] : value.members) {
        Key(name);
        Value(member);
      }
      return EndObject();
  }
}

}  // namespace aevum::block
