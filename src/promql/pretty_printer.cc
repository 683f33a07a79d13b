#include "promql/pretty_printer.h"

#include "promql/function_table.h"
#include "promql/printer.h"

namespace aevum::promql {
namespace {

constexpr std::size_t kLineLength = 100;
constexpr std::size_t kPiece = 32 << 10;

// True when the one-line form is longer than a line. Each level of a tree takes a character at
// least, so that deep trees need no printing to know; this bounds the work for each node.
bool NeedsSplit(const Expr& expr) {
  return static_cast<std::size_t>(expr.depth) > kLineLength + 1 ||
         ToString(expr).size() > kLineLength;
}

class PrettyPrinter {
 public:
  explicit PrettyPrinter(const PrettySink& sink) : sink_(sink) {}

  void Print(const Expr& expr, int level) {
    switch (expr.kind) {
      case ExprKind::kSubquery:
        return PrintSubquery(As<SubqueryExpr>(expr), level);
      case ExprKind::kUnary:
        Indent(level);
        Write(ShortString(expr));
        // The operand stands right behind its sign.
        skip_indent_ = true;
        return Print(*As<UnaryExpr>(expr).expr, level);
      case ExprKind::kAggregate:
      case ExprKind::kBinary:
      case ExprKind::kCall:
      case ExprKind::kParen:
        if (NeedsSplit(expr)) return PrintSplit(expr, level);
        break;
      default:
        break;
    }
    Indent(level);
    Write(ToString(expr));
  }

  void Finish() {
    if (!out_.empty()) sink_(out_);
    out_.clear();
  }

 private:
  void PrintSubquery(const SubqueryExpr& expr, int level) {
    // One that fits is not indented, which is how Prometheus has it.
    if (!NeedsSplit(expr)) return Write(ToString(expr));
    Print(*expr.expr, level);
    Write(ShortString(expr));
  }

  void PrintSplit(const Expr& expr, int level) {
    if (expr.kind == ExprKind::kBinary) {
      const auto& binary = As<BinaryExpr>(expr);
      Print(*binary.lhs, level + 1);
      Write("\n");
      Indent(level);
      Write(ShortString(expr));
      Write("\n");
      return Print(*binary.rhs, level + 1);
    }
    Indent(level);
    if (expr.kind != ExprKind::kParen) Write(ShortString(expr));
    Write("(\n");
    if (expr.kind == ExprKind::kParen) {
      Print(*As<ParenExpr>(expr).expr, level + 1);
    } else if (expr.kind == ExprKind::kAggregate) {
      const auto& aggregate = As<AggregateExpr>(expr);
      if (aggregate.param) {
        Print(*aggregate.param, level + 1);
        Write(",\n");
      }
      Print(*aggregate.expr, level + 1);
    } else {
      bool first = true;
      for (const ExprPtr& arg : As<Call>(expr).args) {
        if (!first) Write(",\n");
        first = false;
        Print(*arg, level + 1);
      }
    }
    Write("\n");
    Indent(level);
    Write(")");
  }

  void Indent(int level) {
    if (!skip_indent_) out_.append(2 * static_cast<std::size_t>(level), ' ');
    skip_indent_ = false;
  }

  void Write(std::string_view text) {
    skip_indent_ = false;
    out_ += text;
    if (out_.size() >= kPiece) Finish();
  }

  const PrettySink& sink_;
  std::string out_;
  bool skip_indent_ = false;
};

}  // namespace

void Prettify(const Expr& expr, const PrettySink& sink) {
  PrettyPrinter printer(sink);
  printer.Print(expr, 0);
  printer.Finish();
}

std::string Prettify(const Expr& expr) {
  std::string out;
  Prettify(expr, [&out](std::string_view piece) { out += piece; });
  return out;
}

}  // namespace aevum::promql
