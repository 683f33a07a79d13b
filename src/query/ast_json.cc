#include "query/ast_json.h"

#include <array>
#include <cmath>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "promql/function_table.h"
#include "promql/printer.h"

namespace aevum::query {
namespace {

using promql::As;
using promql::Expr;
using promql::ExprKind;

// What is written of a node stands in functions that are not inlined: a tree is as deep as the
// parser allows, and each level holds the stack of all that is.
class AstWriter {
 public:
  explicit AstWriter(JsonWriter& writer) : writer_(writer) {}

  void Write(const Expr& expr) {
    switch (expr.kind) {
      case ExprKind::kNumber:
        return Number(As<promql::NumberLiteral>(expr));
      case ExprKind::kString:
        Type("stringLiteral");
        Text("val", As<promql::StringLiteral>(expr).value);
        return End();
      case ExprKind::kVectorSelector:
        return Selector(As<promql::VectorSelector>(expr));
      case ExprKind::kMatrixSelector:
        return Matrix(As<promql::MatrixSelector>(expr));
      case ExprKind::kSubquery:
        return Subquery(As<promql::SubqueryExpr>(expr));
      case ExprKind::kCall:
        return Call(As<promql::Call>(expr));
      case ExprKind::kAggregate:
        return Aggregate(As<promql::AggregateExpr>(expr));
      case ExprKind::kBinary:
        return Binary(As<promql::BinaryExpr>(expr));
      case ExprKind::kUnary:
        Child("expr", As<promql::UnaryExpr>(expr).expr.get());
        Text("op", As<promql::UnaryExpr>(expr).negate ? "-" : "+");
        Type("unaryExpr");
        return End();
      case ExprKind::kParen:
        Child("expr", As<promql::ParenExpr>(expr).expr.get());
        Type("parenExpr");
        return End();
      case ExprKind::kDuration:
        return Duration(&expr);
    }
  }

 private:
  // The first name opens its object.
  [[gnu::noinline]] void Name(std::string_view name) {
    writer_.Raw(std::exchange(begins_, false) ? "{\"" : ",\"");
    writer_.Raw(name);
    writer_.Raw("\":");
  }
  // What follows a name and is an object.
  void Begin(std::string_view name) {
    Name(name);
    begins_ = true;
  }
  void End() { writer_.Raw("}"); }
  void Type(std::string_view type) { Text("type", type); }
  [[gnu::noinline]] void Text(std::string_view name, std::string_view text) {
    Name(name);
    writer_.String(text);
  }
  void Bool(std::string_view name, bool value) {
    Name(name);
    writer_.Raw(value ? "true" : "false");
  }
  [[gnu::noinline]] void Integer(std::string_view name, std::int64_t value) {
    Name(name);
    writer_.Raw(fmt::format("{}", value));
  }
  void Null(std::string_view name) {
    Name(name);
    writer_.Raw("null");
  }
  [[gnu::noinline]] void List(std::string_view name, const std::vector<std::string>& strings) {
    Name(name);
    writer_.Strings(strings);
  }
  template <typename Items, typename WriteItem>
  void Array(std::string_view name, const Items& items, WriteItem write_item) {
    Name(name);
    writer_.Raw("[");
    bool first = true;
    for (const auto& item : items) {
      if (!std::exchange(first, false)) writer_.Raw(",");
      write_item(item);
    }
    writer_.Raw("]");
  }
  void Child(std::string_view name, const Expr* expr) {
    if (expr == nullptr) return Null(name);
    Begin(name);
    Write(*expr);
  }
  void DurationChild(std::string_view name, const Expr* expr) {
    if (expr == nullptr) return Null(name);
    Begin(name);
    Duration(expr);
  }

  [[gnu::noinline]] void Number(const promql::NumberLiteral& expr) {
    Type("numberLiteral");
    Text("val", promql::FormatNumber(expr.value));
    End();
  }

  // An operand of arithmetic over durations says of a number whether it was written as a duration.
  void Duration(const Expr* expr) {
    if (expr->kind == ExprKind::kNumber) {
      Bool("duration", As<promql::NumberLiteral>(*expr).is_duration);
      return Number(As<promql::NumberLiteral>(*expr));
    }
    if (expr->kind != ExprKind::kDuration) return Write(*expr);
    const auto& duration = As<promql::DurationExpr>(*expr);
    DurationChild("lhs", duration.lhs.get());
    Text("op", OperatorOf(duration.op));
    DurationChild("rhs", duration.rhs.get());
    Type("durationExpr");
    Bool("wrapped", duration.in_parens);
    End();
  }

  static std::string_view OperatorOf(promql::DurationExpr::Op op) {
    static constexpr std::array<std::string_view, 10> kNames = {
        "+", "-", "*", "/", "%", "^", "step", "range", "min_of", "max_of"};
    return kNames[static_cast<std::size_t>(op)];
  }

  [[gnu::noinline]] void Offset(const promql::TimeModifiers& time) {
    Integer("offset", time.offset_ms);
    DurationChild("offsetExpr", time.offset_expr.get());
  }

  void Edge(const promql::TimeModifiers& time) {
    if (time.at_edge == promql::AtEdge::kNone) return Null("startOrEnd");
    Text("startOrEnd", time.at_edge == promql::AtEdge::kStart ? "start" : "end");
  }

  [[gnu::noinline]] void At(const promql::TimeModifiers& time) {
    time.at ? Integer("timestamp", *time.at) : Null("timestamp");
  }

  [[gnu::noinline]] void Matchers(const model::Matchers& matchers) {
    static constexpr std::array<std::string_view, 4> kTypes = {"=", "!=", "=~", "!~"};
    Array("matchers", matchers, [this](const model::Matcher& matcher) {
      begins_ = true;
      Text("name", matcher.name());
      Type(kTypes[static_cast<std::size_t>(matcher.type())]);
      Text("value", matcher.value());
      End();
    });
  }

  [[gnu::noinline]] void Selector(const promql::VectorSelector& selector) {
    Bool("anchored", selector.anchored);
    Matchers(selector.matchers);
    Text("name", selector.name);
    Offset(selector.time);
    Bool("smoothed", selector.smoothed);
    Edge(selector.time);
    At(selector.time);
    Type("vectorSelector");
    End();
  }

  void Matrix(const promql::MatrixSelector& matrix) {
    const promql::VectorSelector& selector = *matrix.selector;
    Bool("anchored", selector.anchored);
    Matchers(selector.matchers);
    Text("name", selector.name);
    Offset(selector.time);
    Integer("range", matrix.range_ms);
    DurationChild("rangeExpr", matrix.range_expr.get());
    Bool("smoothed", selector.smoothed);
    Edge(selector.time);
    At(selector.time);
    Type("matrixSelector");
    End();
  }

  void Subquery(const promql::SubqueryExpr& subquery) {
    Child("expr", subquery.expr.get());
    Offset(subquery.time);
    Integer("range", subquery.range_ms);
    DurationChild("rangeExpr", subquery.range_expr.get());
    Edge(subquery.time);
    Integer("step", subquery.step_ms);
    DurationChild("stepExpr", subquery.step_expr.get());
    At(subquery.time);
    Type("subquery");
    End();
  }

  void Call(const promql::Call& call) {
    Array("args", call.args, [this](const promql::ExprPtr& arg) {
      begins_ = true;
      Write(*arg);
    });
    Begin("func");
    Array("argTypes", call.function->args,
          [this](promql::ValueType type) { writer_.String(promql::ValueTypeName(type)); });
    Text("name", call.function->name);
    Text("returnType", promql::ValueTypeName(call.function->return_type));
    Integer("variadic", call.function->variadic);
    End();
    Type("call");
    End();
  }

  void Aggregate(const promql::AggregateExpr& aggregate) {
    Child("expr", aggregate.expr.get());
    List("grouping", aggregate.grouping);
    Text("op", promql::AggregateName(aggregate.op));
    Child("param", aggregate.param.get());
    Type("aggregation");
    Bool("without", aggregate.without);
    End();
  }

  void Binary(const promql::BinaryExpr& binary) {
    Bool("bool", binary.return_bool);
    Child("lhs", binary.lhs.get());
    binary.matching ? Matching(*binary.matching) : Null("matching");
    Text("op", promql::OperatorText(binary.op));
    Child("rhs", binary.rhs.get());
    Type("binaryExpr");
    End();
  }

  [[gnu::noinline]] void Matching(const promql::VectorMatching& matching) {
    static constexpr std::array<std::string_view, 4> kCards = {"one-to-one", "many-to-one",
                                                               "one-to-many", "many-to-many"};
    Begin("matching");
    Text("card", kCards[static_cast<std::size_t>(matching.card)]);
    Begin("fillValues");
    Fill("lhs", matching.fill_lhs);
    Fill("rhs", matching.fill_rhs);
    End();
    List("include", matching.include);
    List("labels", matching.labels);
    Bool("on", matching.on);
    End();
  }

  void Fill(std::string_view name, const std::optional<double>& value) {
    // JSON has no infinities and no NaN.
    if (!value || !std::isfinite(*value)) return Null(name);
    Name(name);
    writer_.Raw(promql::FormatNumber(*value));
  }

  bool begins_ = true;  // the next name is the first of its object
  JsonWriter& writer_;
};

}  // namespace

void WriteAst(const promql::Expr& expr, JsonWriter& writer) { AstWriter(writer).Write(expr); }

}  // namespace aevum::query
