// The tokens of PromQL.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "promql/ast.h"

namespace aevum::promql {

enum class TokenKind : std::uint8_t {
  kEnd,
  kError,
  kIdentifier,
  kMetricIdentifier,
  kString,
  kNumber,
  kDuration,
  kLeftParen,
  kRightParen,
  kLeftBrace,
  kRightBrace,
  kLeftBracket,
  kRightBracket,
  kComma,
  kColon,
  kAssign,  // = is also the matcher
  kNotEqual,
  kRegex,
  kNotRegex,        // != is also the comparison
  kBinaryOperator,  // binary_op says which, but for != and names
  kAt,
  kKeyword,  // keyword says which
};

enum class Keyword : std::uint8_t {
  kNone,
  kAnd,
  kOr,
  kUnless,
  kAtan2,
  kAggregate,  // aggregate says which
  kOffset,
  kSmoothed,
  kAnchored,
  kBy,
  kWithout,
  kOn,
  kIgnoring,
  kGroupLeft,
  kGroupRight,
  kFill,
  kFillLeft,
  kFillRight,
  kBool,
  kStart,
  kEnd,
  kStep,
  kRange,
  kMaxOf,
  kMinOf,
};

struct Token {
  TokenKind kind = TokenKind::kEnd;
  Keyword keyword = Keyword::kNone;
  BinaryOp binary_op = BinaryOp::kAdd;
  AggregateOp aggregate = AggregateOp::kSum;
  int position = 0;
  std::string_view text;  // as written; of an error, what is wrong

  PositionRange range() const { return {position, position + static_cast<int>(text.size())}; }
};

// What an error says of a token: "identifier \"foo\"", "<op:+>", "end of input".
std::string Describe(const Token& token);

// Gives the tokens one by one. Which characters make a token depends on the braces and brackets
// around it. Comments are passed over. Borrows the text. Thread-compatible.
class Lexer {
 public:
  explicit Lexer(std::string_view input) : input_(input) {}

  // After an error or the end it goes on giving the end.
  Token Next();
  // Where the token that was scanned last starts.
  int last_start() const { return last_start_; }
  // What the last kError token says.
  const std::string& error() const { return error_; }

 private:
  bool AtEnd() const { return position_ >= input_.size(); }
  char Peek(std::size_t ahead = 0) const {
    return position_ + ahead < input_.size() ? input_[position_ + ahead] : '\0';
  }
  bool Accept(std::string_view set);
  void AcceptRun(std::string_view set);
  Token Emit(TokenKind kind);
  Token EmitOperator(BinaryOp op);
  Token Fail(std::string message);
  std::string Quoted(std::size_t at) const;

  Token Statement();
  Token InsideBraces();
  Token DurationExpression();
  Token Compare();
  Token AlphaInBracket();
  Token QuotedString(char quote);
  Token RawString();
  std::optional<std::string> Escape(char quote);
  Token NumberOrDuration();
  bool ScanNumber();
  bool ScanRestOfDuration();
  Token KeywordOrIdentifier();
  bool ScanDurationKeyword(Token* token);

  std::string_view input_;
  std::size_t position_ = 0;
  std::size_t start_ = 0;
  int last_start_ = 0;
  int parens_ = 0;
  bool brace_open_ = false;
  bool bracket_open_ = false;  // between [ and ]
  bool in_duration_ = false;   // where only a duration expression can be
  bool got_colon_ = false;
  bool got_duration_ = false;
  bool ended_ = false;
  std::string error_;
};

}  // namespace aevum::promql
