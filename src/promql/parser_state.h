// The recursive-descent parser: its state and its grammar rules. Internal to the parser's sources.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/status.h"
#include "promql/ast.h"
#include "promql/lexer.h"
#include "promql/parser.h"

namespace aevum::promql {

struct ParseError {
  PositionRange range;
  std::string text;
};

// Each rule returns null once a syntax error was found; mistakes of meaning are noted and parsing
// goes on, and the first note is what the user sees, as in Prometheus.
class Parser {
 public:
  Parser(std::string_view text, const ParseOptions& options);

  ExprPtr ParseExpression();
  // A vector selector and nothing else.
  std::unique_ptr<VectorSelector> ParseSelectorAlone();
  bool failed() const { return !errors_.empty(); }
  // The first error, as the user sees it.
  Status status() const;

  void Note(PositionRange range, std::string text) { errors_.push_back({range, std::move(text)}); }
  std::string_view text() const { return text_; }

 private:
  // What an unexpected token is said to be in, and what was expected instead.
  struct Place {
    std::string_view context;
    std::string_view expected;
  };
  // Sets the innermost place for a scope.
  class PlaceScope {
   public:
    PlaceScope(Parser& parser, Place place)
        : parser_(parser), outer_(std::exchange(parser.place_, place)) {}
    ~PlaceScope() { parser_.place_ = outer_; }

   private:
    Parser& parser_;
    Place outer_;
  };

  // Expressions (parser.cc).
  ExprPtr Binary(int min_precedence);
  ExprPtr Unary();
  ExprPtr Postfix();
  ExprPtr Primary();
  ExprPtr Paren();
  ExprPtr FunctionCall();
  ExprPtr Aggregate();
  // Up to the closing parenthesis, which stays the token that is looked at.
  bool Arguments(std::vector<ExprPtr>* args);
  bool BinaryModifiers(BinaryExpr* expr);
  bool FillModifiers(VectorMatching* matching);
  bool FillValue(double* value);
  bool GroupingLabels(std::vector<std::string>* labels);
  ExprPtr Number();
  ExprPtr String();

  // Selectors and what may follow them (parser_selectors.cc).
  ExprPtr MetricSelector();
  bool LabelMatchers(VectorSelector* selector);
  bool LabelMatcher(VectorSelector* selector);
  ExprPtr Brackets(ExprPtr expr);
  ExprPtr MakeMatrix(ExprPtr expr, PositionRange brackets, ExprPtr range);
  bool Offset(Expr* expr);
  bool At(Expr* expr);
  void Extended(Expr* expr, bool anchored);
  TimeModifiers* ModifiersOf(Expr* expr, std::string_view what);

  // Durations (parser_durations.cc).
  ExprPtr OffsetDuration();
  ExprPtr PositiveDuration();
  ExprPtr DurationBinary(int min_precedence);
  ExprPtr DurationUnary(const Token& sign, bool offset);
  ExprPtr DurationPrimary();
  ExprPtr DurationKeyword();
  ExprPtr WrapDuration(ExprPtr expr, PositionRange range);
  ExprPtr Negate(const Token& sign, ExprPtr expr);
  ExprPtr CheckedDurationLiteral(ExprPtr expr);
  void RequireDurationExpressions(const Expr& expr);

  void Advance();
  bool Is(TokenKind kind) const { return token_.kind == kind; }
  bool IsKeyword(Keyword keyword) const {
    return token_.kind == TokenKind::kKeyword && token_.keyword == keyword;
  }
  bool IsSign() const;
  // Takes a token of that kind, or is an error.
  bool Expect(TokenKind kind);
  // Notes the error of an unexpected token at this place; always null.
  std::nullptr_t Unexpected() { return Unexpected(place_); }
  std::nullptr_t Unexpected(Place place);
  // False, with an error, when the tree gets too deep.
  bool Deepen(Expr* expr, const Expr* child);

  const std::string_view text_;
  const ParseOptions& options_;
  Lexer lexer_;
  Token token_;           // the one that is looked at
  Token previous_;        // the one before
  int last_closing_ = 0;  // where the last closing token, number or duration ended
  int nesting_ = 0;
  Place place_;
  std::vector<ParseError> errors_;
};

// Checks the types of a tree and what the grammar can't say; notes what is wrong (type_check.cc).
void CheckTypes(Expr* expr, Parser* parser);

}  // namespace aevum::promql
