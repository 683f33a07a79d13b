#include "promql/lexer.h"

#include <algorithm>
#include <array>

#include <fmt/core.h>

#include "model/quote.h"

namespace aevum::promql {
namespace {

constexpr std::string_view kDecimal = "0123456789";

bool IsSpace(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsAlpha(char c) { return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool IsAlphanumeric(char c) { return IsAlpha(c) || IsDigit(c); }

std::string Lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return lower;
}

struct KeywordName {
  std::string_view name;
  Keyword keyword;
  AggregateOp aggregate = AggregateOp::kSum;
};

constexpr std::array<KeywordName, 37> kKeywords = {{
    {"and", Keyword::kAnd},
    {"or", Keyword::kOr},
    {"unless", Keyword::kUnless},
    {"atan2", Keyword::kAtan2},
    {"sum", Keyword::kAggregate, AggregateOp::kSum},
    {"avg", Keyword::kAggregate, AggregateOp::kAvg},
    {"count", Keyword::kAggregate, AggregateOp::kCount},
    {"min", Keyword::kAggregate, AggregateOp::kMin},
    {"max", Keyword::kAggregate, AggregateOp::kMax},
    {"group", Keyword::kAggregate, AggregateOp::kGroup},
    {"stddev", Keyword::kAggregate, AggregateOp::kStddev},
    {"stdvar", Keyword::kAggregate, AggregateOp::kStdvar},
    {"topk", Keyword::kAggregate, AggregateOp::kTopk},
    {"bottomk", Keyword::kAggregate, AggregateOp::kBottomk},
    {"count_values", Keyword::kAggregate, AggregateOp::kCountValues},
    {"quantile", Keyword::kAggregate, AggregateOp::kQuantile},
    {"limitk", Keyword::kAggregate, AggregateOp::kLimitk},
    {"limit_ratio", Keyword::kAggregate, AggregateOp::kLimitRatio},
    {"offset", Keyword::kOffset},
    {"smoothed", Keyword::kSmoothed},
    {"anchored", Keyword::kAnchored},
    {"by", Keyword::kBy},
    {"without", Keyword::kWithout},
    {"on", Keyword::kOn},
    {"ignoring", Keyword::kIgnoring},
    {"group_left", Keyword::kGroupLeft},
    {"group_right", Keyword::kGroupRight},
    {"fill", Keyword::kFill},
    {"fill_left", Keyword::kFillLeft},
    {"fill_right", Keyword::kFillRight},
    {"bool", Keyword::kBool},
    {"start", Keyword::kStart},
    {"end", Keyword::kEnd},
    {"step", Keyword::kStep},
    {"range", Keyword::kRange},
    {"max_of", Keyword::kMaxOf},
    {"min_of", Keyword::kMinOf},
}};

const KeywordName* FindKeyword(std::string_view word) {
  const std::string lower = Lower(word);
  const auto it = std::find_if(kKeywords.begin(), kKeywords.end(),
                               [&](const KeywordName& k) { return k.name == lower; });
  return it == kKeywords.end() ? nullptr : it;
}

bool IsDurationKeyword(Keyword keyword) {
  return keyword == Keyword::kStep || keyword == Keyword::kRange || keyword == Keyword::kMaxOf ||
         keyword == Keyword::kMinOf;
}

std::string GoQuoted(std::string_view text) {
  std::string out;
  model::AppendGoQuoted(out, text);
  return out;
}

// The character at the start of the text as an error names it: 'c'.
std::string QuotedCharacter(std::string_view text) {
  if (text.empty()) return "'\xef\xbf\xbd'";
  std::size_t size = 1;
  while (size < text.size() && size < 4 && (text[size] & 0xc0) == 0x80) ++size;
  const std::string_view character =
      (text[0] & 0x80) != 0 ? text.substr(0, size) : text.substr(0, 1);
  if (character == "'") return "'\\''";
  if (character == "\"") return "'\"'";
  std::string quoted = GoQuoted(model::IsValidUtf8(character) ? character : "\xef\xbf\xbd");
  quoted.front() = '\'';
  quoted.back() = '\'';
  return quoted;
}

bool IsOperatorKeyword(Keyword keyword) {
  return keyword >= Keyword::kAnd && keyword <= Keyword::kAtan2;
}

}  // namespace

std::string Describe(const Token& token) {
  const auto quoted = [&](std::string_view text) {
    if (text.size() <= 10) return GoQuoted(text);
    // Ten characters, not bytes.
    std::size_t end = 0;
    for (int n = 0; n < 10 && end < text.size(); ++n) {
      ++end;
      while (end < text.size() && (text[end] & 0xc0) == 0x80) ++end;
    }
    return GoQuoted(text.substr(0, end)) + "...";
  };
  switch (token.kind) {
    case TokenKind::kEnd:
      return "end of input";
    case TokenKind::kError:
      return "error " + std::string(token.text);
    case TokenKind::kIdentifier:
      return "identifier " + GoQuoted(token.text);
    case TokenKind::kMetricIdentifier:
      return "metric identifier " + GoQuoted(token.text);
    case TokenKind::kString:
      return "string " + quoted(token.text);
    case TokenKind::kNumber:
      return "number " + quoted(token.text);
    case TokenKind::kDuration:
      return "duration " + quoted(token.text);
    case TokenKind::kNotEqual:
    case TokenKind::kRegex:
    case TokenKind::kNotRegex:
    case TokenKind::kBinaryOperator:
    case TokenKind::kAt:
      return fmt::format("<op:{}>", token.text);
    case TokenKind::kKeyword:
      if (IsOperatorKeyword(token.keyword)) return fmt::format("<op:{}>", token.text);
      if (token.keyword == Keyword::kAggregate) return fmt::format("<aggr:{}>", token.text);
      if (token.keyword < Keyword::kStart) return fmt::format("<{}>", token.text);
      return GoQuoted(token.text);
    default:
      return GoQuoted(token.text);
  }
}

bool Lexer::Accept(std::string_view set) {
  if (AtEnd() || set.find(Peek()) == std::string_view::npos) return false;
  ++position_;
  return true;
}

void Lexer::AcceptRun(std::string_view set) {
  while (Accept(set)) {
  }
}

Token Lexer::Emit(TokenKind kind) {
  Token token;
  token.kind = kind;
  token.position = static_cast<int>(start_);
  token.text = input_.substr(start_, position_ - start_);
  return token;
}

Token Lexer::EmitOperator(BinaryOp op) {
  Token token = Emit(TokenKind::kBinaryOperator);
  token.binary_op = op;
  return token;
}

Token Lexer::Fail(std::string message) {
  ended_ = true;
  error_ = std::move(message);
  Token token;
  token.kind = TokenKind::kError;
  token.position = static_cast<int>(start_);
  token.text = error_;
  return token;
}

std::string Lexer::Quoted(std::size_t at) const {
  return at < input_.size() ? QuotedCharacter(input_.substr(at)) : "'\xef\xbf\xbd'";
}

Token Lexer::Next() {
  if (ended_) {
    start_ = position_ = input_.size();
    last_start_ = static_cast<int>(start_);
    return Emit(TokenKind::kEnd);
  }
  // A comment may stand anywhere but in a duration expression.
  while (!AtEnd() && (IsSpace(Peek()) || (Peek() == '#' && !in_duration_))) {
    if (Peek() == '#') {
      while (!AtEnd() && Peek() != '\n' && Peek() != '\r') ++position_;
    } else {
      ++position_;
    }
  }
  start_ = position_;
  const Token token = brace_open_    ? InsideBraces()
                      : in_duration_ ? DurationExpression()
                                     : Statement();
  last_start_ = token.position;
  return token;
}

Token Lexer::Statement() {
  if (AtEnd()) {
    if (parens_ != 0) return Fail("unclosed left parenthesis");
    if (bracket_open_) return Fail("unclosed left bracket");
    ended_ = true;
    return Emit(TokenKind::kEnd);
  }
  const char c = Peek();
  if (IsDigit(c) || (c == '.' && IsDigit(Peek(1)))) return NumberOrDuration();
  if (IsAlpha(c) || c == ':') return bracket_open_ ? AlphaInBracket() : KeywordOrIdentifier();
  ++position_;
  switch (c) {
    case ',':
      return Emit(TokenKind::kComma);
    case '*':
      return EmitOperator(BinaryOp::kMul);
    case '/':
      return EmitOperator(BinaryOp::kDiv);
    case '%':
      return EmitOperator(BinaryOp::kMod);
    case '+':
      return EmitOperator(BinaryOp::kAdd);
    case '-':
      return EmitOperator(BinaryOp::kSub);
    case '^':
      return EmitOperator(BinaryOp::kPow);
    case '=':
    case '!':
    case '<':
    case '>':
      --position_;
      return Compare();
    case '"':
    case '\'':
      return QuotedString(c);
    case '`':
      return RawString();
    case '(':
      ++parens_;
      return Emit(TokenKind::kLeftParen);
    case ')':
      if (--parens_ < 0) {
        start_ = position_;  // the reference points behind it
        return Fail("unexpected right parenthesis ')'");
      }
      return Emit(TokenKind::kRightParen);
    case '{':
      brace_open_ = true;
      return Emit(TokenKind::kLeftBrace);
    case '[':
      if (bracket_open_) return Fail("unexpected left bracket '['");
      bracket_open_ = in_duration_ = true;
      got_colon_ = got_duration_ = false;
      return Emit(TokenKind::kLeftBracket);
    case ']':
      if (!bracket_open_) return Fail("unexpected right bracket ']'");
      bracket_open_ = false;
      return Emit(TokenKind::kRightBracket);
    case '@':
      return Emit(TokenKind::kAt);
    default:
      return Fail("unexpected character: " + Quoted(start_));
  }
}

Token Lexer::Compare() {
  const char c = Peek();
  const char next = Peek(1);
  position_ += 2;
  if (c == '=') {
    if (next == '=') return EmitOperator(BinaryOp::kEqual);
    if (next == '~') return Fail("unexpected character after '=': '~'");
    --position_;
    return Emit(TokenKind::kAssign);
  }
  if (c == '!') {
    if (next == '=') return Emit(TokenKind::kNotEqual);
    return Fail("unexpected character after '!': " + Quoted(start_ + 1));
  }
  if (next == '=') return EmitOperator(c == '<' ? BinaryOp::kLessEqual : BinaryOp::kGreaterEqual);
  if (next == '/') return EmitOperator(c == '<' ? BinaryOp::kTrimUpper : BinaryOp::kTrimLower);
  --position_;
  return EmitOperator(c == '<' ? BinaryOp::kLess : BinaryOp::kGreater);
}

// After a number in brackets the statement rules hold again; then only ':' and a few words can
// come.
Token Lexer::AlphaInBracket() {
  if (Peek() == ':') {
    ++position_;
    if (got_colon_) return Fail("unexpected colon ':'");
    got_colon_ = true;
    return Emit(TokenKind::kColon);
  }
  const std::string first = Quoted(start_);
  Token token;
  if (ScanDurationKeyword(&token)) return token;
  return Fail(fmt::format("unexpected character: {}, expected ':'", first));
}

Token Lexer::InsideBraces() {
  if (AtEnd()) return Fail("unexpected end of input inside braces");
  const char c = Peek();
  if (IsAlpha(c)) {
    while (IsAlphanumeric(Peek())) ++position_;
    return Emit(TokenKind::kIdentifier);
  }
  ++position_;
  switch (c) {
    case ',':
      return Emit(TokenKind::kComma);
    case '"':
    case '\'':
      return QuotedString(c);
    case '`':
      return RawString();
    case '=':
      if (Accept("~")) return Emit(TokenKind::kRegex);
      return Emit(TokenKind::kAssign);
    case '!':
      if (Accept("~")) return Emit(TokenKind::kNotRegex);
      if (Accept("=")) return Emit(TokenKind::kNotEqual);
      return Fail("unexpected character after '!' inside braces: " + Quoted(position_));
    case '{':
      return Fail("unexpected left brace '{'");
    case '}':
      brace_open_ = false;
      return Emit(TokenKind::kRightBrace);
    default:
      return Fail("unexpected character inside braces: " + Quoted(start_));
  }
}

Token Lexer::DurationExpression() {
  if (AtEnd()) return Fail("unexpected end of input in duration expression");
  const char c = Peek();
  if (IsDigit(c) || (c == '.' && IsDigit(Peek(1)))) {
    got_duration_ = true;
    // What follows a number is read by the rules of statements.
    in_duration_ = false;
    return NumberOrDuration();
  }
  if (IsAlpha(c)) {
    const std::string first = Quoted(start_);
    Token token;
    if (ScanDurationKeyword(&token)) return token;
    return Fail("unexpected character in duration expression: " + first);
  }
  ++position_;
  switch (c) {
    case ']':
      bracket_open_ = in_duration_ = got_colon_ = false;
      return Emit(TokenKind::kRightBracket);
    case ':':
      if (!got_duration_) return Fail("unexpected colon before duration in duration expression");
      if (got_colon_) return Fail("unexpected repeated colon in duration expression");
      got_colon_ = true;
      return Emit(TokenKind::kColon);
    case '(':
      ++parens_;
      return Emit(TokenKind::kLeftParen);
    case ')':
      if (--parens_ < 0) {
        start_ = position_;  // the reference points behind it
        return Fail("unexpected right parenthesis ')'");
      }
      return Emit(TokenKind::kRightParen);
    case '+':
      return EmitOperator(BinaryOp::kAdd);
    case '-':
      return EmitOperator(BinaryOp::kSub);
    case '*':
      return EmitOperator(BinaryOp::kMul);
    case '/':
      return EmitOperator(BinaryOp::kDiv);
    case '%':
      return EmitOperator(BinaryOp::kMod);
    case '^':
      return EmitOperator(BinaryOp::kPow);
    case ',':
      return Emit(TokenKind::kComma);
    default:
      return Fail("unexpected character in duration expression: " + Quoted(start_));
  }
}

bool Lexer::ScanDurationKeyword(Token* token) {
  while (IsAlpha(Peek())) ++position_;
  const KeywordName* keyword = FindKeyword(input_.substr(start_, position_ - start_));
  if (keyword == nullptr || !IsDurationKeyword(keyword->keyword)) return false;
  *token = Emit(TokenKind::kKeyword);
  token->keyword = keyword->keyword;
  return true;
}

Token Lexer::KeywordOrIdentifier() {
  while (IsAlphanumeric(Peek()) || Peek() == ':') ++position_;
  const std::string_view word = input_.substr(start_, position_ - start_);
  const KeywordName* keyword = FindKeyword(word);
  if (keyword != nullptr && keyword->keyword >= Keyword::kFill &&
      keyword->keyword <= Keyword::kFillRight) {
    // fill is only a keyword in front of a parenthesis, so that metrics may be called that.
    std::size_t next = position_;
    while (next < input_.size() && IsSpace(input_[next])) ++next;
    if (next == input_.size() || input_[next] != '(') return Emit(TokenKind::kIdentifier);
  }
  if (keyword != nullptr) {
    Token token = Emit(TokenKind::kKeyword);
    token.keyword = keyword->keyword;
    token.aggregate = keyword->aggregate;
    return token;
  }
  // The numbers that are words.
  const std::string lower = Lower(word);
  if (lower == "inf" || lower == "nan") return Emit(TokenKind::kNumber);
  return Emit(word.find(':') == std::string_view::npos ? TokenKind::kIdentifier
                                                       : TokenKind::kMetricIdentifier);
}

Token Lexer::NumberOrDuration() {
  if (ScanNumber()) return Emit(TokenKind::kNumber);
  if (ScanRestOfDuration()) return Emit(TokenKind::kDuration);
  return Fail("bad number or duration syntax: " +
              GoQuoted(input_.substr(start_, position_ - start_)));
}

// Digits with one dot, one exponent, and underscores between digits; hexadecimal after 0x. What it
// takes need not be a number: that is checked when its value is read.
bool Lexer::ScanNumber() {
  const std::size_t initial = position_;
  std::string_view digits = kDecimal;
  if (Accept("0") && Accept("xX")) {
    Accept("_");
    digits = "0123456789abcdefABCDEF";
  }
  const bool hexadecimal = digits.size() > 10;
  Accept(".");
  Accept(digits);
  bool dot = false;
  bool exponent = false;
  const auto is = [&](std::string_view set) {
    return !AtEnd() && set.find(Peek()) != std::string_view::npos;
  };
  while (is(digits) || is("._eE")) {
    if (is(".") && dot) {
      ++position_;
      return false;
    }
    if (is("eE") && exponent) {
      ++position_;
      return false;
    }
    if (Accept(".")) {
      dot = true;
      if (Accept("_.") || hexadecimal) return false;
    } else if (Accept("eE")) {
      exponent = true;
      Accept("+-");
      if (Accept("._eE") || AtEnd()) return false;
    } else if (Accept("_")) {
      if (Accept("._eE") || AtEnd()) return false;
    } else {
      AcceptRun(digits);
    }
  }
  return position_ > initial && !IsAlphanumeric(Peek());
}

// The units and further numbers of a duration whose first number was taken.
bool Lexer::ScanRestOfDuration() {
  if (!Accept("smhdwy")) return false;
  Accept("s");
  while (Accept(kDecimal)) {
    AcceptRun(kDecimal);
    if (!Accept("smhdw")) return false;
    Accept("s");
  }
  if (IsAlphanumeric(Peek())) {
    ++position_;
    return false;
  }
  return true;
}

Token Lexer::QuotedString(char quote) {
  std::optional<std::string> error;  // the first one; the string is read to its end all the same
  while (true) {
    if (AtEnd() || Peek() == '\n') {
      if (error) return Fail(*error);
      return Fail("unterminated quoted string");
    }
    const char c = input_[position_++];
    if (c == quote) break;
    if (c == '\\') {
      auto wrong = Escape(quote);
      if (wrong && !error) error = std::move(wrong);
    }
  }
  if (error) return Fail(*error);
  const Token token = Emit(TokenKind::kString);
  if (!model::IsValidUtf8(token.text)) return Fail("invalid UTF-8 rune");
  return token;
}

// Checks the escape behind a backslash: what is wrong with it, or nullopt.
std::optional<std::string> Lexer::Escape(char quote) {
  if (AtEnd()) return "escape sequence not terminated";
  const char c = input_[position_++];
  const auto code_point = [&](std::size_t at) {
    return fmt::format("U+{:04X} {}", static_cast<unsigned>(static_cast<unsigned char>(input_[at])),
                       Quoted(at));
  };
  int digits = 0;
  int base = 16;
  std::uint32_t largest = 0x10ffff;
  if (c == quote || std::string_view("abfnrtv\\").find(c) != std::string_view::npos)
    return std::nullopt;
  if (c >= '0' && c <= '7') {
    digits = 3;
    base = 8;
    largest = 255;
    --position_;
  } else if (c == 'x') {
    digits = 2;
    largest = 255;
  } else if (c == 'u') {
    digits = 4;
  } else if (c == 'U') {
    digits = 8;
  } else {
    return "unknown escape sequence " + code_point(position_ - 1);
  }
  std::uint64_t value = 0;
  for (; digits > 0; --digits, ++position_) {
    if (AtEnd()) return "escape sequence not terminated";
    const std::size_t digit =
        std::string_view("0123456789abcdef").find(Lower(input_.substr(position_, 1)));
    if (digit >= static_cast<std::size_t>(base)) {
      return fmt::format("illegal character {} in escape sequence", code_point(position_));
    }
    value = value * static_cast<std::uint64_t>(base) + digit;
  }
  if (value > largest || (value >= 0xd800 && value < 0xe000)) {
    return "escape sequence is an invalid Unicode code point";
  }
  return std::nullopt;
}

Token Lexer::RawString() {
  while (!AtEnd() && Peek() != '`') ++position_;
  if (AtEnd()) return Fail("unterminated raw string");
  ++position_;
  const Token token = Emit(TokenKind::kString);
  if (!model::IsValidUtf8(token.text)) return Fail("invalid UTF-8 rune");
  return token;
}

}  // namespace aevum::promql
