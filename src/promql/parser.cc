#include "promql/parser.h"

#include <algorithm>

#include <fmt/core.h>

#include "base/duration.h"
#include "model/quote.h"
#include "promql/function_table.h"
#include "promql/parser_state.h"

namespace aevum::promql {
namespace {

constexpr int kUnaryPrecedence = 6;  // a sign binds what binds tighter than * does
constexpr int kPowPrecedence = 6;

int Precedence(BinaryOp op) {
  switch (op) {
    case BinaryOp::kOr:
      return 1;
    case BinaryOp::kAnd:
    case BinaryOp::kUnless:
      return 2;
    case BinaryOp::kAdd:
    case BinaryOp::kSub:
      return 4;
    case BinaryOp::kMul:
    case BinaryOp::kDiv:
    case BinaryOp::kMod:
    case BinaryOp::kAtan2:
      return 5;
    case BinaryOp::kPow:
      return kPowPrecedence;
    default:
      return 3;
  }
}

// The binary operator that a token is.
bool ToOperator(const Token& token, BinaryOp* op) {
  switch (token.kind) {
    case TokenKind::kBinaryOperator:
      *op = token.binary_op;
      return true;
    case TokenKind::kNotEqual:
      *op = BinaryOp::kNotEqual;
      return true;
    case TokenKind::kKeyword:
      break;
    default:
      return false;
  }
  switch (token.keyword) {
    case Keyword::kAnd:
      *op = BinaryOp::kAnd;
      return true;
    case Keyword::kOr:
      *op = BinaryOp::kOr;
      return true;
    case Keyword::kUnless:
      *op = BinaryOp::kUnless;
      return true;
    case Keyword::kAtan2:
      *op = BinaryOp::kAtan2;
      return true;
    default:
      return false;
  }
}

// Keywords that name a function when a parenthesis follows.
bool IsFunctionKeyword(Keyword keyword) { return keyword >= Keyword::kStart; }

}  // namespace

Parser::Parser(std::string_view text, const ParseOptions& options)
    : text_(text), options_(options), lexer_(text) {
  Advance();
}

Status Parser::status() const {
  if (errors_.empty()) return OkStatus();
  const ParseError& error = errors_.front();
  std::string where = "invalid position";
  if (text_.empty()) {
    where = "unknown position";
  } else if (error.range.start >= 0 && error.range.start <= static_cast<int>(text_.size())) {
    const std::string_view before = text_.substr(0, static_cast<std::size_t>(error.range.start));
    const auto line = std::count(before.begin(), before.end(), '\n') + 1;
    const std::size_t line_break = before.rfind('\n');
    const std::size_t column =
        before.size() - (line_break == std::string_view::npos ? 0 : line_break + 1) + 1;
    where = fmt::format("{}:{}", line, column);
  }
  return MakeError(StatusCode::kInvalidArgument,
                   fmt::format("{}: parse error: {}", where, error.text));
}

void Parser::Advance() {
  previous_ = token_;
  token_ = lexer_.Next();
  switch (token_.kind) {
    case TokenKind::kError:
      Note({token_.position, static_cast<int>(text_.size())}, lexer_.error());
      break;
    case TokenKind::kRightBrace:
    case TokenKind::kRightParen:
    case TokenKind::kRightBracket:
    case TokenKind::kDuration:
    case TokenKind::kNumber:
      last_closing_ = token_.range().end;
      break;
    default:
      break;
  }
}

bool Parser::IsSign() const {
  return Is(TokenKind::kBinaryOperator) &&
         (token_.binary_op == BinaryOp::kAdd || token_.binary_op == BinaryOp::kSub);
}

bool Parser::Expect(TokenKind kind) {
  if (!Is(kind)) {
    Unexpected();
    return false;
  }
  Advance();
  return true;
}

std::nullptr_t Parser::Unexpected(Place place) {
  // What the lexer could not read was noted already.
  if (Is(TokenKind::kError)) return nullptr;
  std::string text = "unexpected " + Describe(token_);
  if (!place.context.empty()) text += fmt::format(" in {}", place.context);
  if (!place.expected.empty()) text += fmt::format(", expected {}", place.expected);
  Note(token_.range(), std::move(text));
  return nullptr;
}

bool Parser::Deepen(Expr* expr, const Expr* child) {
  expr->depth = std::max(expr->depth, child->depth + 1);
  if (expr->depth <= kMaxExpressionDepth) return true;
  Note(expr->range, fmt::format("the expression nests deeper than {} levels", kMaxExpressionDepth));
  return false;
}

ExprPtr Parser::ParseExpression() {
  if (Is(TokenKind::kEnd)) {
    Note({}, "no expression found in input");
    return nullptr;
  }
  ExprPtr expr = Binary(0);
  if (expr == nullptr) return nullptr;
  if (!Is(TokenKind::kEnd)) return Unexpected();
  return expr;
}

ExprPtr Parser::Binary(int min_precedence) {
  ExprPtr lhs = Unary();
  BinaryOp op{};
  while (lhs != nullptr && ToOperator(token_, &op) && Precedence(op) >= min_precedence) {
    Advance();
    auto binary = std::make_unique<BinaryExpr>();
    binary->op = op;
    if (!BinaryModifiers(binary.get())) return nullptr;
    // ^ groups to the right, all others to the left.
    binary->rhs = Binary(op == BinaryOp::kPow ? Precedence(op) : Precedence(op) + 1);
    if (binary->rhs == nullptr) return nullptr;
    binary->lhs = std::move(lhs);
    binary->range = {binary->lhs->range.start, binary->rhs->range.end};
    if (!Deepen(binary.get(), binary->lhs.get()) || !Deepen(binary.get(), binary->rhs.get()))
      return nullptr;
    const VectorMatching& matching = *binary->matching;
    if (!options_.fill_modifiers && (matching.fill_lhs || matching.fill_rhs)) {
      Note(binary->range, "binop fill modifiers are experimental and not enabled");
    }
    lhs = std::move(binary);
  }
  return lhs;
}

ExprPtr Parser::Unary() {
  if (!IsSign()) return Postfix();
  const Token sign = token_;
  if (++nesting_ > kMaxNesting) {
    Note(sign.range(), fmt::format("the expression nests deeper than {} levels", kMaxNesting));
    return nullptr;
  }
  Advance();
  ExprPtr operand = Binary(kUnaryPrecedence);
  --nesting_;
  if (operand == nullptr) return nullptr;
  const bool negate = sign.binary_op == BinaryOp::kSub;
  if (operand->kind == ExprKind::kNumber) {
    auto& number = static_cast<NumberLiteral&>(*operand);
    if (negate) number.value = -number.value;
    number.range.start = sign.position;
    return operand;
  }
  auto unary = std::make_unique<UnaryExpr>();
  unary->negate = negate;
  unary->range = {sign.position, operand->range.end};
  if (!Deepen(unary.get(), operand.get())) return nullptr;
  unary->expr = std::move(operand);
  return unary;
}

ExprPtr Parser::Postfix() {
  ExprPtr expr = Primary();
  while (expr != nullptr) {
    if (Is(TokenKind::kLeftBracket)) {
      expr = Brackets(std::move(expr));
    } else if (IsKeyword(Keyword::kOffset)) {
      if (!Offset(expr.get())) return nullptr;
    } else if (Is(TokenKind::kAt)) {
      if (!At(expr.get())) return nullptr;
    } else if (IsKeyword(Keyword::kAnchored) || IsKeyword(Keyword::kSmoothed)) {
      const bool anchored = token_.keyword == Keyword::kAnchored;
      Advance();
      Extended(expr.get(), anchored);
    } else {
      break;
    }
  }
  return expr;
}

ExprPtr Parser::Primary() {
  switch (token_.kind) {
    case TokenKind::kNumber:
    case TokenKind::kDuration:
      return Number();
    case TokenKind::kString:
      return String();
    case TokenKind::kLeftParen:
      return Paren();
    case TokenKind::kLeftBrace:
    case TokenKind::kMetricIdentifier:
    case TokenKind::kIdentifier:
      break;
    case TokenKind::kKeyword:
      if (token_.keyword == Keyword::kBool || token_.keyword == Keyword::kOn ||
          token_.keyword == Keyword::kIgnoring || token_.keyword == Keyword::kGroupLeft ||
          token_.keyword == Keyword::kGroupRight || token_.keyword == Keyword::kAtan2) {
        return Unexpected();
      }
      if (token_.keyword == Keyword::kAggregate) return Aggregate();
      break;
    default:
      return Unexpected();
  }
  const bool callable =
      Is(TokenKind::kIdentifier) || (Is(TokenKind::kKeyword) && IsFunctionKeyword(token_.keyword));
  if (callable) return FunctionCall();
  return MetricSelector();
}

ExprPtr Parser::Paren() {
  const int start = token_.position;
  if (++nesting_ > kMaxNesting) {
    Note(token_.range(), fmt::format("the expression nests deeper than {} levels", kMaxNesting));
    return nullptr;
  }
  Advance();
  auto paren = std::make_unique<ParenExpr>();
  paren->expr = Binary(0);
  --nesting_;
  if (paren->expr == nullptr || !Is(TokenKind::kRightParen))
    return paren->expr == nullptr ? nullptr : Unexpected();
  paren->range = {start, token_.range().end};
  Advance();
  if (!Deepen(paren.get(), paren->expr.get())) return nullptr;
  return paren;
}

bool Parser::Arguments(std::vector<ExprPtr>* args) {
  if (!Expect(TokenKind::kLeftParen)) return false;
  if (++nesting_ > kMaxNesting) {
    Note(previous_.range(), fmt::format("the expression nests deeper than {} levels", kMaxNesting));
    return false;
  }
  while (!Is(TokenKind::kRightParen)) {
    ExprPtr arg = Binary(0);
    if (arg == nullptr) return false;
    args->push_back(std::move(arg));
    if (Is(TokenKind::kRightParen)) break;
    if (!Is(TokenKind::kComma)) {
      Unexpected();
      return false;
    }
    const PositionRange comma = token_.range();
    Advance();
    if (Is(TokenKind::kRightParen))
      Note(comma, "trailing commas not allowed in function call args");
  }
  --nesting_;
  return true;
}

ExprPtr Parser::FunctionCall() {
  const Token name = token_;
  Lexer ahead = lexer_;  // a call needs the parenthesis; a metric of that name does not have it
  if (ahead.Next().kind != TokenKind::kLeftParen) return MetricSelector();
  Advance();
  auto call = std::make_unique<Call>();
  std::vector<ExprPtr> args;
  // The end of the call is where the last closing token ended when it was complete.
  if (!Is(TokenKind::kLeftParen)) return Unexpected();
  if (!Arguments(&args)) return nullptr;
  // Before the next token is read, so that this is what a person sees first.
  call->function = FindFunction(name.text);
  if (call->function != nullptr && call->function->x_function && !options_.x_functions)
    call->function = nullptr;
  if (call->function == nullptr) {
    std::string text = "unknown function with name ";
    model::AppendGoQuoted(text, name.text);
    Note(name.range(), std::move(text));
  } else if (call->function->experimental && !options_.experimental_functions) {
    std::string text = "function ";
    model::AppendGoQuoted(text, name.text);
    Note(name.range(), text + " is not enabled");
  }
  Advance();
  call->args = std::move(args);
  call->range = {name.position, previous_.range().end};
  for (const ExprPtr& arg : call->args) {
    if (!Deepen(call.get(), arg.get())) return nullptr;
  }
  return call;
}

ExprPtr Parser::Aggregate() {
  const Token name = token_;
  Lexer ahead = lexer_;
  const Token next = ahead.Next();
  const bool modifier_first = next.kind == TokenKind::kKeyword &&
                              (next.keyword == Keyword::kBy || next.keyword == Keyword::kWithout);
  // Without arguments or a modifier the word may be the name of a metric.
  if (next.kind != TokenKind::kLeftParen && !modifier_first) {
    // Where nothing, a modifier or a matcher can follow, it is one.
    return MetricSelector();
  }
  const PlaceScope scope(*this, {"aggregation", ""});
  Advance();
  auto aggregate = std::make_unique<AggregateExpr>();
  aggregate->op = name.aggregate;
  std::vector<ExprPtr> args;
  const auto modifier = [&] {
    aggregate->without = token_.keyword == Keyword::kWithout;
    Advance();
    return GroupingLabels(&aggregate->grouping);
  };
  if (modifier_first && !modifier()) return nullptr;
  if (!Is(TokenKind::kLeftParen)) return Unexpected();
  if (!Arguments(&args)) return nullptr;
  Advance();
  if (!modifier_first && (IsKeyword(Keyword::kBy) || IsKeyword(Keyword::kWithout)) && !modifier())
    return nullptr;
  aggregate->range = {name.position, previous_.range().end};

  const bool experimental =
      aggregate->op == AggregateOp::kLimitk || aggregate->op == AggregateOp::kLimitRatio;
  const std::size_t wanted = HasParameter(aggregate->op) ? 2 : 1;
  if (args.empty()) {
    Note(aggregate->range, "no arguments for aggregate expression provided");
  } else if (experimental && !options_.experimental_functions) {
    Note(aggregate->range, fmt::format("{}() is experimental and must be enabled with "
                                       "--enable-feature=promql-experimental-functions",
                                       AggregateName(aggregate->op)));
  } else if (args.size() != wanted) {
    Note(aggregate->range,
         fmt::format(
             "wrong number of arguments for aggregate expression provided, expected {}, got {}",
             wanted, args.size()));
  } else {
    if (wanted == 2) aggregate->param = std::move(args[0]);
    aggregate->expr = std::move(args[wanted - 1]);
    if (aggregate->param && !Deepen(aggregate.get(), aggregate->param.get())) return nullptr;
    if (!Deepen(aggregate.get(), aggregate->expr.get())) return nullptr;
  }
  return aggregate;
}

bool Parser::BinaryModifiers(BinaryExpr* expr) {
  VectorMatching& matching = expr->matching.emplace();
  if (IsKeyword(Keyword::kBool)) {
    expr->return_bool = true;
    Advance();
  }
  if (IsKeyword(Keyword::kOn) || IsKeyword(Keyword::kIgnoring)) {
    matching.on = token_.keyword == Keyword::kOn;
    Advance();
    if (!GroupingLabels(&matching.labels)) return false;
    if (IsKeyword(Keyword::kGroupLeft) || IsKeyword(Keyword::kGroupRight)) {
      matching.card =
          token_.keyword == Keyword::kGroupLeft ? Cardinality::kManyToOne : Cardinality::kOneToMany;
      Advance();
      if (Is(TokenKind::kLeftParen) && !GroupingLabels(&matching.include)) return false;
    }
  }
  return FillModifiers(&matching);
}

bool Parser::FillModifiers(VectorMatching* matching) {
  if (IsKeyword(Keyword::kFill)) {
    double value = 0;
    if (!FillValue(&value)) return false;
    matching->fill_lhs = matching->fill_rhs = value;
    return true;
  }
  for (int i = 0; i < 2; ++i) {
    std::optional<double>* fill = nullptr;
    if (IsKeyword(Keyword::kFillLeft)) fill = &matching->fill_lhs;
    if (IsKeyword(Keyword::kFillRight)) fill = &matching->fill_rhs;
    // Each side once, in any order.
    if (fill == nullptr || fill->has_value()) return true;
    double value = 0;
    if (!FillValue(&value)) return false;
    *fill = value;
  }
  return true;
}

bool Parser::FillValue(double* value) {
  Advance();
  if (!Expect(TokenKind::kLeftParen)) return false;
  bool negate = false;
  if (IsSign()) {
    negate = token_.binary_op == BinaryOp::kSub;
    Advance();
  }
  if (!Is(TokenKind::kNumber) && !Is(TokenKind::kDuration)) {
    Unexpected();
    return false;
  }
  const ExprPtr number = Number();
  const double magnitude = As<NumberLiteral>(*number).value;
  *value = negate ? -magnitude : magnitude;
  return Expect(TokenKind::kRightParen);
}

bool Parser::GroupingLabels(std::vector<std::string>* labels) {
  if (!Is(TokenKind::kLeftParen)) {
    Unexpected({"grouping opts", "\"(\""});
    return false;
  }
  Advance();
  while (!Is(TokenKind::kRightParen)) {
    std::string label;
    if (Is(TokenKind::kString)) {
      StatusOr<std::string> unquoted = Unquote(token_.text);
      if (unquoted.ok()) label = *std::move(unquoted);
    } else if (Is(TokenKind::kIdentifier) || Is(TokenKind::kMetricIdentifier) ||
               Is(TokenKind::kKeyword)) {
      label = token_.text;
    } else {
      Unexpected({"grouping opts", "label"});
      return false;
    }
    if (label.empty() || !model::IsValidUtf8(label)) {
      std::string text = "invalid label name for grouping: ";
      model::AppendGoQuoted(text, label);
      Note(token_.range(), std::move(text));
    }
    labels->push_back(std::move(label));
    Advance();
    if (Is(TokenKind::kComma)) {
      Advance();
    } else if (!Is(TokenKind::kRightParen)) {
      Unexpected({"grouping opts", "\",\" or \")\""});
      return false;
    }
  }
  Advance();
  return true;
}

ExprPtr Parser::Number() {
  auto number = std::make_unique<NumberLiteral>();
  number->range = token_.range();
  if (Is(TokenKind::kDuration)) {
    number->is_duration = true;
    const StatusOr<Nanoseconds> duration = ParsePrometheusDuration(token_.text);
    if (duration.ok()) {
      number->value = GoSeconds(*duration);
    } else {
      Note(token_.range(), std::string(duration.status().message()));
    }
  } else {
    const StatusOr<double> value = ParseNumber(token_.text);
    if (value.ok()) {
      number->value = *value;
    } else {
      Note(token_.range(), std::string(value.status().message()));
    }
  }
  Advance();
  return number;
}

ExprPtr Parser::String() {
  auto literal = std::make_unique<StringLiteral>();
  literal->range = token_.range();
  StatusOr<std::string> value = Unquote(token_.text);
  if (value.ok()) {
    literal->value = *std::move(value);
  } else {
    Note(token_.range(), std::string(value.status().message()));
  }
  Advance();
  return literal;
}

StatusOr<ExprPtr> Parse(std::string_view text, const ParseOptions& options) {
  Parser parser(text, options);
  ExprPtr expr = parser.ParseExpression();
  if (!parser.failed() && expr != nullptr) CheckTypes(expr.get(), &parser);
  RETURN_IF_ERROR(parser.status());
  return expr;
}

}  // namespace aevum::promql
