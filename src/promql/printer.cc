#include "promql/printer.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include <fmt/format.h>

#include "base/duration.h"
#include "model/quote.h"
#include "promql/function_table.h"

namespace aevum::promql {
namespace {

std::string Quoted(std::string_view text) {
  std::string out;
  model::AppendGoQuoted(out, text);
  return out;
}

std::string DurationText(std::int64_t milliseconds) {
  return FormatPrometheusDuration(std::chrono::milliseconds(milliseconds));
}

std::string LabelList(const std::vector<std::string>& labels) {
  std::string out;
  for (const std::string& label : labels) {
    if (!out.empty()) out += ", ";
    out += model::IsLegacyLabelName(label) ? label : Quoted(label);
  }
  return out;
}

std::string DurationExprText(const DurationExpr& expr) {
  std::string out;
  const auto side = [](const Expr& e) { return ToString(e); };
  switch (expr.op) {
    case DurationExpr::Op::kStep:
      out = "step()";
      break;
    case DurationExpr::Op::kRange:
      out = "range()";
      break;
    case DurationExpr::Op::kMinOf:
      out = fmt::format("min_of({}, {})", side(*expr.lhs), side(*expr.rhs));
      break;
    case DurationExpr::Op::kMaxOf:
      out = fmt::format("max_of({}, {})", side(*expr.lhs), side(*expr.rhs));
      break;
    default: {
      static constexpr std::string_view kSigns = "+-*/%^";
      const char sign = kSigns[static_cast<std::size_t>(expr.op)];
      if (expr.lhs == nullptr) {
        out = (sign == '-' ? "-" : "") + side(*expr.rhs);
      } else {
        out = fmt::format("{} {} {}", side(*expr.lhs), sign, side(*expr.rhs));
      }
    }
  }
  return expr.in_parens ? "(" + out + ")" : out;
}

std::string RangeText(std::int64_t milliseconds, const DurationExpr* expr) {
  return expr != nullptr ? DurationExprText(*expr) : DurationText(milliseconds);
}

std::string AtText(const TimeModifiers& time) {
  if (time.at) return fmt::format(" @ {:.3f}", static_cast<double>(*time.at) / 1000.0);
  if (time.at_edge == AtEdge::kStart) return " @ start()";
  if (time.at_edge == AtEdge::kEnd) return " @ end()";
  return "";
}

std::string OffsetText(const TimeModifiers& time) {
  if (time.offset_expr) return " offset " + DurationExprText(*time.offset_expr);
  if (time.offset_ms > 0) return " offset " + DurationText(time.offset_ms);
  if (time.offset_ms < 0) return " offset -" + DurationText(-time.offset_ms);
  return "";
}

std::string ExtendedText(const VectorSelector& selector) {
  return selector.anchored ? " anchored" : selector.smoothed ? " smoothed" : "";
}

// Name and matchers, without what follows.
std::string SelectorText(const VectorSelector& selector) {
  std::vector<std::string> matchers;
  for (const model::Matcher& matcher : selector.matchers) {
    const bool is_name = matcher.name() == model::kMetricName &&
                         matcher.type() == model::MatchType::kEqual &&
                         matcher.value() == selector.name && !matcher.value().empty();
    if (!is_name) matchers.push_back(matcher.ToString());
  }
  std::sort(matchers.begin(), matchers.end());
  if (matchers.empty())
    return selector.name.empty() && selector.matchers.empty() ? "{}" : selector.name;
  return fmt::format("{}{{{}}}", selector.name, fmt::join(matchers, ","));
}

std::string MatchingText(const BinaryExpr& expr) {
  std::string out = expr.return_bool ? " bool" : "";
  if (!expr.matching) return out;
  const VectorMatching& matching = *expr.matching;
  const bool grouped =
      matching.card == Cardinality::kManyToOne || matching.card == Cardinality::kOneToMany;
  if (!matching.labels.empty() || matching.on || grouped) {
    out += fmt::format(" {} ({})", matching.on ? "on" : "ignoring", LabelList(matching.labels));
  }
  if (grouped) {
    out +=
        fmt::format(" group_{} ({})", matching.card == Cardinality::kManyToOne ? "left" : "right",
                    LabelList(matching.include));
  }
  const auto fill = [&](std::string_view name, double value) {
    out += fmt::format(" {} ({})", name, FormatNumber(value));
  };
  if (matching.fill_lhs && matching.fill_rhs && *matching.fill_lhs == *matching.fill_rhs) {
    fill("fill", *matching.fill_lhs);
  } else {
    if (matching.fill_lhs) fill("fill_left", *matching.fill_lhs);
    if (matching.fill_rhs) fill("fill_right", *matching.fill_rhs);
  }
  return out;
}

std::string AggregateText(const AggregateExpr& expr) {
  std::string out(AggregateName(expr.op));
  if (expr.without) {
    out += fmt::format(" without ({}) ", LabelList(expr.grouping));
  } else if (!expr.grouping.empty()) {
    out += fmt::format(" by ({}) ", LabelList(expr.grouping));
  }
  return out;
}

std::string SubqueryText(const SubqueryExpr& expr) {
  const std::string step = expr.step_ms != 0 ? DurationText(expr.step_ms)
                           : expr.step_expr  ? DurationExprText(*expr.step_expr)
                                             : "";
  return fmt::format("[{}:{}]{}{}", RangeText(expr.range_ms, expr.range_expr.get()), step,
                     AtText(expr.time), OffsetText(expr.time));
}

std::string NumberLiteralText(const NumberLiteral& number) {
  if (!number.is_duration) return FormatNumber(number.value);
  const std::string magnitude = FormatPrometheusDuration(
      Nanoseconds(static_cast<std::int64_t>(std::abs(number.value) * 1e9)));
  return number.value < 0 ? "-" + magnitude : magnitude;
}

}  // namespace

std::string FormatNumber(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  char buffer[400];
  const auto [end, error] =
      std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::scientific);
  // Digits and exponent apart: to_chars's fixed form prints digits beyond the shortest ones.
  std::string_view text(buffer, static_cast<std::size_t>(end - buffer));
  std::string out;
  if (text.starts_with('-')) {
    out = "-";
    text.remove_prefix(1);
  }
  const std::size_t e = text.find('e');
  int exponent = 0;
  const char* exponent_start = text.data() + e + (text[e + 1] == '+' ? 2 : 1);
  std::from_chars(exponent_start, text.data() + text.size(), exponent);
  std::string digits(text.substr(0, 1));
  if (e > 1) digits += text.substr(2, e - 2);
  const int size = static_cast<int>(digits.size());
  if (exponent < 0) {
    out += "0." + std::string(static_cast<std::size_t>(-exponent - 1), '0') + digits;
  } else if (exponent + 1 >= size) {
    out += digits + std::string(static_cast<std::size_t>(exponent + 1 - size), '0');
  } else {
    out += digits.substr(0, static_cast<std::size_t>(exponent) + 1) + "." +
           digits.substr(static_cast<std::size_t>(exponent) + 1);
  }
  return out;
}

std::string FormatShort(double value) {
  if (std::isnan(value) || std::isinf(value)) return FormatNumber(value);
  const double magnitude = std::abs(value);
  if (magnitude != 0 && (magnitude < 1e-4 || magnitude >= 1e6)) {
    char buffer[64];
    const auto [end, error] =
        std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::scientific);
    return {buffer, end};
  }
  return FormatNumber(value);
}

std::string ShortString(const Expr& expr) {
  switch (expr.kind) {
    case ExprKind::kAggregate:
      return AggregateText(As<AggregateExpr>(expr));
    case ExprKind::kBinary:
      return std::string(OperatorText(As<BinaryExpr>(expr).op)) +
             MatchingText(As<BinaryExpr>(expr));
    case ExprKind::kCall:
      return std::string(As<Call>(expr).function->name);
    case ExprKind::kSubquery:
      return SubqueryText(As<SubqueryExpr>(expr));
    case ExprKind::kUnary:
      return As<UnaryExpr>(expr).negate ? "-" : "+";
    case ExprKind::kParen:
      return "()";
    default:
      return ToString(expr);
  }
}

std::string ToString(const Expr& expr) {
  switch (expr.kind) {
    case ExprKind::kNumber:
      return NumberLiteralText(As<NumberLiteral>(expr));
    case ExprKind::kString:
      return Quoted(As<StringLiteral>(expr).value);
    case ExprKind::kDuration:
      return DurationExprText(As<DurationExpr>(expr));
    case ExprKind::kVectorSelector: {
      const auto& selector = As<VectorSelector>(expr);
      return SelectorText(selector) + AtText(selector.time) + ExtendedText(selector) +
             OffsetText(selector.time);
    }
    case ExprKind::kMatrixSelector: {
      const auto& matrix = As<MatrixSelector>(expr);
      return fmt::format("{}[{}]{}{}{}", SelectorText(*matrix.selector),
                         RangeText(matrix.range_ms, matrix.range_expr.get()),
                         ExtendedText(*matrix.selector), AtText(matrix.selector->time),
                         OffsetText(matrix.selector->time));
    }
    case ExprKind::kSubquery:
      return ToString(*As<SubqueryExpr>(expr).expr) + ShortString(expr);
    case ExprKind::kCall: {
      std::string out(As<Call>(expr).function->name);
      out += '(';
      for (const ExprPtr& arg : As<Call>(expr).args) {
        if (out.back() != '(') out += ", ";
        out += ToString(*arg);
      }
      return out + ")";
    }
    case ExprKind::kAggregate: {
      const auto& aggregate = As<AggregateExpr>(expr);
      const std::string param = aggregate.param ? ToString(*aggregate.param) + ", " : "";
      return fmt::format("{}({}{})", AggregateText(aggregate), param, ToString(*aggregate.expr));
    }
    case ExprKind::kBinary: {
      const auto& binary = As<BinaryExpr>(expr);
      return fmt::format("{} {} {}", ToString(*binary.lhs), ShortString(expr),
                         ToString(*binary.rhs));
    }
    case ExprKind::kUnary:
      return ShortString(expr) + ToString(*As<UnaryExpr>(expr).expr);
    case ExprKind::kParen:
      return "(" + ToString(*As<ParenExpr>(expr).expr) + ")";
  }
  return "";
}

}  // namespace aevum::promql
