// What the grammar can't say: types of operands and arguments.
#include <algorithm>

#include <fmt/core.h>

#include "model/quote.h"
#include "promql/function_table.h"
#include "promql/parser_state.h"

namespace aevum::promql {
namespace {

std::string Quoted(std::string_view text) {
  std::string out;
  model::AppendGoQuoted(out, text);
  return out;
}

bool IsSpace(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

class TypeChecker {
 public:
  explicit TypeChecker(Parser* parser) : parser_(*parser) {}

  ValueType Check(Expr* expr) {
    switch (expr->kind) {
      case ExprKind::kAggregate:
        CheckAggregate(static_cast<AggregateExpr*>(expr));
        break;
      case ExprKind::kBinary:
        CheckBinary(static_cast<BinaryExpr*>(expr));
        break;
      case ExprKind::kCall:
        CheckCall(static_cast<Call*>(expr));
        break;
      case ExprKind::kParen:
        Check(static_cast<ParenExpr*>(expr)->expr.get());
        break;
      case ExprKind::kUnary:
        CheckUnary(static_cast<UnaryExpr*>(expr));
        break;
      case ExprKind::kSubquery:
        CheckSubquery(static_cast<SubqueryExpr*>(expr));
        break;
      case ExprKind::kMatrixSelector:
        CheckSelector(*static_cast<MatrixSelector*>(expr)->selector);
        break;
      case ExprKind::kVectorSelector:
        CheckSelector(*static_cast<VectorSelector*>(expr));
        break;
      case ExprKind::kNumber:
      case ExprKind::kString:
      case ExprKind::kDuration:
        break;
    }
    return TypeOf(*expr);
  }

 private:
  void Expect(Expr* expr, ValueType wanted, std::string_view where) {
    const ValueType got = Check(expr);
    if (got != wanted) NoteType(*expr, wanted, where, got);
  }

  [[gnu::noinline]] void NoteType(const Expr& expr, ValueType wanted, std::string_view where,
                                  ValueType got) {
    parser_.Note(expr.range, fmt::format("expected type {} in {}, got {}", DocumentedType(wanted),
                                         where, DocumentedType(got)));
  }

  void CheckAggregate(AggregateExpr* expr) {
    Expect(expr->expr.get(), ValueType::kVector, "aggregation expression");
    if (expr->op == AggregateOp::kCountValues) {
      Expect(expr->param.get(), ValueType::kString, "aggregation parameter");
    } else if (expr->param) {
      Expect(expr->param.get(), ValueType::kScalar, "aggregation parameter");
    }
  }

  // The place of the operator itself.
  PositionRange OperatorRange(const BinaryExpr& expr) const {
    const std::string_view text = parser_.text();
    PositionRange range{expr.lhs->range.end, expr.rhs->range.start - 1};
    const auto space = [&](int at) {
      return at >= 0 && at < static_cast<int>(text.size()) &&
             IsSpace(text[static_cast<std::size_t>(at)]);
    };
    while (space(range.start)) ++range.start;
    while (space(range.end)) --range.end;
    return range;
  }

  void CheckBinary(BinaryExpr* expr) {
    const ValueType left = Check(expr->lhs.get());
    const ValueType right = Check(expr->rhs.get());
    CheckOperands(expr, left, right);
  }

  // On its own, so that a long chain of operators does not hold what errors need at each level.
  [[gnu::noinline]] void CheckOperands(BinaryExpr* expr, ValueType left, ValueType right) {
    VectorMatching& matching = *expr->matching;
    if (expr->return_bool && !IsComparison(expr->op)) {
      parser_.Note(OperatorRange(*expr), "bool modifier can only be used on comparison operators");
    }
    const bool scalars = left == ValueType::kScalar && right == ValueType::kScalar;
    expr->of_scalars = scalars;
    if (IsComparison(expr->op) && !expr->return_bool && scalars) {
      parser_.Note(OperatorRange(*expr), "comparisons between scalars must use BOOL modifier");
    }
    if (IsSetOperator(expr->op) && matching.card == Cardinality::kOneToOne)
      matching.card = Cardinality::kManyToMany;
    if (matching.on) {
      for (const std::string& label : matching.labels) {
        if (std::find(matching.include.begin(), matching.include.end(), label) !=
            matching.include.end()) {
          parser_.Note(
              OperatorRange(*expr),
              fmt::format("label {} must not occur in ON and GROUP clause at once", Quoted(label)));
        }
      }
    }
    for (const auto& [side, type] :
         {std::pair(expr->lhs.get(), left), std::pair(expr->rhs.get(), right)}) {
      if (type != ValueType::kScalar && type != ValueType::kVector) {
        parser_.Note(side->range,
                     "binary expression must contain only scalar and instant vector types");
      }
    }
    CheckMatching(expr, left == ValueType::kVector && right == ValueType::kVector);
    if ((left == ValueType::kScalar || right == ValueType::kScalar) && IsSetOperator(expr->op)) {
      parser_.Note(expr->range,
                   fmt::format("set operator {} not allowed in binary scalar expression",
                               Quoted(OperatorText(expr->op))));
    }
  }

  void CheckMatching(BinaryExpr* expr, bool vectors) {
    const VectorMatching& matching = *expr->matching;
    const bool fills = matching.fill_lhs || matching.fill_rhs;
    if (!vectors) {
      if (!matching.labels.empty())
        parser_.Note(expr->range, "vector matching only allowed between instant vectors");
      if (fills)
        parser_.Note(expr->range, "filling in missing series only allowed between instant vectors");
      expr->matching.reset();
    } else if (IsSetOperator(expr->op)) {
      if (matching.card == Cardinality::kOneToMany || matching.card == Cardinality::kManyToOne) {
        parser_.Note(expr->range, fmt::format("no grouping allowed for {} operation",
                                              Quoted(OperatorText(expr->op))));
      }
      if (matching.card != Cardinality::kManyToMany) {
        parser_.Note(expr->range, "set operations must always be many-to-many");
      }
      if (fills)
        parser_.Note(expr->range, "filling in missing series not allowed for set operators");
    }
  }

  void CheckCall(Call* call) {
    const Function& function = *call->function;
    const auto name = Quoted(function.name);
    const std::size_t declared = function.args.size();
    const std::size_t given = call->args.size();
    if (function.variadic == 0) {
      if (declared != given) {
        parser_.Note(call->range, fmt::format("expected {} argument(s) in call to {}, got {}",
                                              declared, name, given));
      }
    } else {
      const std::size_t least = declared - 1;
      const std::size_t most = least + static_cast<std::size_t>(std::max(function.variadic, 0));
      if (least > given) {
        parser_.Note(call->range,
                     fmt::format("expected at least {} argument(s) in call to {}, got {}", least,
                                 name, given));
      } else if (function.variadic > 0 && most < given) {
        parser_.Note(call->range,
                     fmt::format("expected at most {} argument(s) in call to {}, got {}", most,
                                 name, given));
      }
    }
    if (function.name == "info" && given > 1) CheckInfoSelector(*call);
    for (std::size_t i = 0; i < given; ++i) {
      if (i >= declared && function.variadic == 0) break;
      const ValueType wanted = function.args[std::min(i, declared - 1)];
      Expect(call->args[i].get(), wanted, fmt::format("call to function {}", name));
    }
  }

  // info() takes matchers in the form of a selector without a name.
  void CheckInfoSelector(const Call& call) {
    Expr* selector = call.args[1].get();
    if (const ValueType type = TypeOf(*selector); type != ValueType::kVector) {
      parser_.Note(call.range,
                   fmt::format("expected type {} in call to function \"info\", got {}",
                               DocumentedType(ValueType::kVector), DocumentedType(type)));
    }
    if (selector->kind != ExprKind::kVectorSelector) {
      parser_.Note(selector->range, "expected label selectors only");
    } else if (!As<VectorSelector>(*selector).name.empty()) {
      parser_.Note(selector->range, "expected label selectors only, got vector selector instead");
    } else {
      static_cast<VectorSelector*>(selector)->allows_empty_matchers = true;
    }
  }

  void CheckUnary(UnaryExpr* expr) {
    const ValueType type = Check(expr->expr.get());
    if (type != ValueType::kScalar && type != ValueType::kVector) {
      parser_.Note(expr->range, fmt::format("unary expression only allowed on expressions of type "
                                            "scalar or instant vector, got {}",
                                            Quoted(DocumentedType(type))));
    }
  }

  void CheckSubquery(SubqueryExpr* expr) {
    const ValueType type = Check(expr->expr.get());
    if (type != ValueType::kVector) {
      parser_.Note(expr->range,
                   fmt::format("subquery is only allowed on instant vector, got {} instead",
                               ValueTypeName(type)));
    }
  }

  void CheckSelector(const VectorSelector& selector) {
    if (!selector.name.empty()) {
      for (std::size_t i = 0; i + 1 < selector.matchers.size(); ++i) {
        const model::Matcher& matcher = selector.matchers[i];
        if (matcher.name() == model::kMetricName) {
          parser_.Note(selector.range, fmt::format("metric name must not be set twice: {} or {}",
                                                   Quoted(selector.name), Quoted(matcher.value())));
        }
      }
      return;
    }
    const bool selective = std::any_of(selector.matchers.begin(), selector.matchers.end(),
                                       [](const model::Matcher& m) { return !m.MatchesEmpty(); });
    if (!selective && !selector.allows_empty_matchers) {
      parser_.Note(selector.range, "vector selector must contain at least one non-empty matcher");
    }
  }

  Parser& parser_;
};

}  // namespace

void CheckTypes(Expr* expr, Parser* parser) { TypeChecker(parser).Check(expr); }

}  // namespace aevum::promql
