// Selectors, and what may follow them: ranges, subqueries, offset, @, anchored, smoothed.
#include <cmath>

#include <fmt/core.h>

#include "promql/parser_state.h"

namespace aevum::promql {
namespace {

// Seconds as whole milliseconds, the way the reference rounds to nanoseconds first.
std::int64_t ToMilliseconds(double seconds) {
  return static_cast<std::int64_t>(std::round(seconds * 1e9)) / 1'000'000;
}

std::int64_t NumberMilliseconds(const ExprPtr& duration) {
  return duration->kind == ExprKind::kNumber ? ToMilliseconds(As<NumberLiteral>(*duration).value)
                                             : 0;
}

std::unique_ptr<DurationExpr> AsDuration(ExprPtr expr) {
  if (expr->kind != ExprKind::kDuration) return nullptr;
  return std::unique_ptr<DurationExpr>(static_cast<DurationExpr*>(expr.release()));
}

constexpr std::string_view kDurationExpected = "number, duration, step(), or range()";

}  // namespace

ExprPtr Parser::MetricSelector() {
  auto selector = std::make_unique<VectorSelector>();
  selector->range = token_.range();
  if (!Is(TokenKind::kLeftBrace)) {
    selector->name = token_.text;
    Advance();
  }
  if (Is(TokenKind::kLeftBrace)) {
    if (!LabelMatchers(selector.get())) return nullptr;
    selector->range.end = previous_.range().end;
  }
  if (!selector->name.empty()) {
    selector->matchers.push_back(
        model::Matcher::Equal(std::string(model::kMetricName), selector->name));
  }
  return selector;
}

bool Parser::LabelMatchers(VectorSelector* selector) {
  Advance();
  while (!Is(TokenKind::kRightBrace)) {
    if (!LabelMatcher(selector)) return false;
    if (Is(TokenKind::kComma)) {
      Advance();
    } else if (!Is(TokenKind::kRightBrace)) {
      Unexpected({"label matching", "\",\" or \"}\""});
      return false;
    }
  }
  Advance();
  return true;
}

bool Parser::LabelMatcher(VectorSelector* selector) {
  const Token name = token_;
  if (!Is(TokenKind::kIdentifier) && !Is(TokenKind::kString)) {
    Unexpected({"label matching", "identifier or \"}\""});
    return false;
  }
  std::string label(name.text);
  if (Is(TokenKind::kString)) {
    StatusOr<std::string> unquoted = Unquote(name.text);
    if (unquoted.ok()) label = *std::move(unquoted);
  }
  Advance();
  model::MatchType type{};
  switch (token_.kind) {
    case TokenKind::kAssign:
      type = model::MatchType::kEqual;
      break;
    case TokenKind::kNotEqual:
      type = model::MatchType::kNotEqual;
      break;
    case TokenKind::kRegex:
      type = model::MatchType::kRegex;
      break;
    case TokenKind::kNotRegex:
      type = model::MatchType::kNotRegex;
      break;
    default:
      // A string alone is the name of the metric.
      if (name.kind == TokenKind::kString) {
        selector->matchers.push_back(
            model::Matcher::Equal(std::string(model::kMetricName), std::move(label)));
        return true;
      }
      Unexpected({"label matching", "label matching operator"});
      return false;
  }
  Advance();
  if (!Is(TokenKind::kString)) {
    Unexpected({"label matching", "string"});
    return false;
  }
  StatusOr<std::string> value = Unquote(token_.text);
  if (!value.ok()) {
    Note(token_.range(), std::string(value.status().message()));
  } else {
    StatusOr<model::Matcher> matcher =
        model::Matcher::Create(type, std::move(label), *std::move(value));
    if (matcher.ok()) {
      selector->matchers.push_back(*std::move(matcher));
    } else {
      Note({name.position, token_.range().end}, std::string(matcher.status().message()));
    }
  }
  Advance();
  return true;
}

ExprPtr Parser::Brackets(ExprPtr expr) {
  const int open = token_.position;
  Advance();
  ExprPtr range;
  {
    const PlaceScope scope(*this, {"subquery or range selector", kDurationExpected});
    range = PositiveDuration();
  }
  if (range == nullptr) return nullptr;
  if (Is(TokenKind::kRightBracket)) {
    const PositionRange brackets{open, token_.range().end};
    Advance();
    return MakeMatrix(std::move(expr), brackets, std::move(range));
  }
  if (!Is(TokenKind::kColon)) return Unexpected({"subquery or range", "\":\" or \"]\""});
  Advance();
  auto subquery = std::make_unique<SubqueryExpr>();
  if (!Is(TokenKind::kRightBracket)) {
    const PlaceScope scope(*this,
                           {"subquery selector", "number, duration, step(), range(), or \"]\""});
    ExprPtr step = PositiveDuration();
    if (step == nullptr) return nullptr;
    subquery->step_ms = NumberMilliseconds(step);
    subquery->step_expr = AsDuration(std::move(step));
    if (!Is(TokenKind::kRightBracket)) return Unexpected({"subquery selector", "\"]\""});
  }
  subquery->range = {expr->range.start, token_.range().end};
  Advance();
  subquery->range_ms = NumberMilliseconds(range);
  subquery->range_expr = AsDuration(std::move(range));
  if (!Deepen(subquery.get(), expr.get())) return nullptr;
  subquery->expr = std::move(expr);
  return subquery;
}

ExprPtr Parser::MakeMatrix(ExprPtr expr, PositionRange brackets, ExprPtr range) {
  auto matrix = std::make_unique<MatrixSelector>();
  matrix->range = {expr->range.start, brackets.end};
  if (expr->kind != ExprKind::kVectorSelector) {
    Note(brackets, "ranges only allowed for vector selectors");
    return expr;
  }
  matrix->selector.reset(static_cast<VectorSelector*>(expr.release()));
  const TimeModifiers& time = matrix->selector->time;
  if (time.offset_ms != 0 || time.offset_expr) {
    Note(brackets, "no offset modifiers allowed before range");
  } else if (time.at || time.at_edge != AtEdge::kNone) {
    Note(brackets, "no @ modifiers allowed before range");
  }
  matrix->range_ms = NumberMilliseconds(range);
  matrix->range_expr = AsDuration(std::move(range));
  matrix->depth = 2;
  return matrix;
}

TimeModifiers* Parser::ModifiersOf(Expr* expr, std::string_view what) {
  switch (expr->kind) {
    case ExprKind::kVectorSelector:
      return &static_cast<VectorSelector*>(expr)->time;
    case ExprKind::kMatrixSelector:
      return &static_cast<MatrixSelector*>(expr)->selector->time;
    case ExprKind::kSubquery:
      return &static_cast<SubqueryExpr*>(expr)->time;
    default:
      Note(expr->range, fmt::format("{} modifier must be preceded by an instant vector selector or "
                                    "range vector selector or a subquery",
                                    what));
      return nullptr;
  }
}

bool Parser::Offset(Expr* expr) {
  Advance();
  ExprPtr duration;
  {
    const PlaceScope scope(*this, {"offset", kDurationExpected});
    duration = OffsetDuration();
  }
  if (duration == nullptr) return false;
  TimeModifiers* time = ModifiersOf(expr, "offset");
  if (time == nullptr) return true;
  if (time->offset_ms != 0 || time->offset_expr) {
    Note(expr->range, "offset may not be set multiple times");
  } else {
    time->offset_ms = NumberMilliseconds(duration);
    time->offset_expr = AsDuration(std::move(duration));
  }
  expr->range.end = last_closing_;
  return true;
}

bool Parser::At(Expr* expr) {
  Advance();
  const PlaceScope scope(*this, {"@", "timestamp"});
  if (IsKeyword(Keyword::kStart) || IsKeyword(Keyword::kEnd)) {
    const AtEdge edge = token_.keyword == Keyword::kStart ? AtEdge::kStart : AtEdge::kEnd;
    Advance();
    if (!Expect(TokenKind::kLeftParen) || !Expect(TokenKind::kRightParen)) return false;
    if (TimeModifiers* time = ModifiersOf(expr, "@")) {
      if (time->at || time->at_edge != AtEdge::kNone) {
        Note(expr->range, "@ <timestamp> may not be set multiple times");
      } else {
        time->at_edge = edge;
      }
      expr->range.end = previous_.range().end;
    }
    return true;
  }
  double sign = 1;
  if (IsSign()) {
    sign = token_.binary_op == BinaryOp::kSub ? -1 : 1;
    Advance();
  }
  if (!Is(TokenKind::kNumber) && !Is(TokenKind::kDuration)) {
    Unexpected();
    return false;
  }
  const ExprPtr number = Number();
  const double seconds = sign * As<NumberLiteral>(*number).value;
  if (!(std::abs(seconds) < 9.223372036854775e18)) {
    Note(expr->range, fmt::format("timestamp out of bounds for @ modifier: {}",
                                  std::isnan(seconds)   ? "NaN"
                                  : std::isinf(seconds) ? (seconds > 0 ? "+Inf" : "-Inf")
                                                        : fmt::format("{:f}", seconds)));
    return true;
  }
  if (TimeModifiers* time = ModifiersOf(expr, "@")) {
    if (time->at || time->at_edge != AtEdge::kNone) {
      Note(expr->range, "@ <timestamp> may not be set multiple times");
    } else {
      // Cut to what fits milliseconds; times beyond hold no samples.
      const double milliseconds = std::round(seconds * 1000);
      time->at = std::abs(milliseconds) < 9.2e18 ? static_cast<TimestampMs>(milliseconds)
                                                 : (milliseconds > 0 ? kMaxTime : kMinTime);
    }
    expr->range.end = previous_.range().end;
  }
  return true;
}

void Parser::Extended(Expr* expr, bool anchored) {
  const std::string_view word = anchored ? "anchored" : "smoothed";
  if (!options_.extended_range_selectors) {
    Note(expr->range, fmt::format("{} modifier is experimental and not enabled", word));
    return;
  }
  VectorSelector* selector = nullptr;
  if (expr->kind == ExprKind::kVectorSelector) selector = static_cast<VectorSelector*>(expr);
  if (expr->kind == ExprKind::kMatrixSelector)
    selector = static_cast<MatrixSelector*>(expr)->selector.get();
  if (expr->kind == ExprKind::kSubquery) {
    Note(expr->range, fmt::format("{} modifier is not supported for subqueries", word));
  } else if (selector == nullptr) {
    Note(expr->range, fmt::format("{} modifier not implemented", word));
  } else {
    (anchored ? selector->anchored : selector->smoothed) = true;
    if (selector->anchored && selector->smoothed) {
      Note(expr->range, "anchored and smoothed modifiers cannot be used together");
    }
  }
}

std::unique_ptr<VectorSelector> Parser::ParseSelectorAlone() {
  const bool name =
      Is(TokenKind::kIdentifier) || Is(TokenKind::kMetricIdentifier) || Is(TokenKind::kKeyword);
  if (!name && !Is(TokenKind::kLeftBrace)) return Unexpected();
  ExprPtr expr = MetricSelector();
  if (expr == nullptr) return nullptr;
  if (!Is(TokenKind::kEnd)) return Unexpected();
  return std::unique_ptr<VectorSelector>(static_cast<VectorSelector*>(expr.release()));
}

StatusOr<model::Matchers> ParseSelector(std::string_view text) {
  const ParseOptions options;
  Parser parser(text, options);
  std::unique_ptr<VectorSelector> selector = parser.ParseSelectorAlone();
  RETURN_IF_ERROR(parser.status());
  return std::move(selector->matchers);
}

}  // namespace aevum::promql
