// The typed tree of a PromQL expression, with the place of each node in the text.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "model/matcher.h"

namespace aevum::promql {

struct Function;  // promql/function_table.h

// Byte offsets into the text of the query; `end` is behind the last byte.
struct PositionRange {
  int start = 0;
  int end = 0;
};

enum class ValueType : std::uint8_t { kNone, kScalar, kVector, kMatrix, kString };
// "scalar", "instant vector", "range vector", "string": how documents and errors name a type.
std::string_view DocumentedType(ValueType type);
// "scalar", "vector", "matrix", "string", "none": how the API names it.
std::string_view ValueTypeName(ValueType type);

enum class ExprKind : std::uint8_t {
  kNumber,
  kString,
  kVectorSelector,
  kMatrixSelector,
  kSubquery,
  kCall,
  kAggregate,
  kBinary,
  kUnary,
  kParen,
  kDuration,
};

// A node. Owned by its parent; immutable once parsed and checked, hence safe to share then.
struct Expr {
  explicit Expr(ExprKind k) : kind(k) {}
  virtual ~Expr() = default;
  Expr(const Expr&) = delete;
  Expr& operator=(const Expr&) = delete;

  const ExprKind kind;
  PositionRange range;
  int depth = 1;  // of the tree below; bounded by the parser, so that recursion over it is safe
};
using ExprPtr = std::unique_ptr<Expr>;

// The type of what an expression evaluates to.
ValueType TypeOf(const Expr& expr);

enum class BinaryOp : std::uint8_t {
  kAdd,
  kSub,
  kMul,
  kDiv,
  kMod,
  kPow,
  kAtan2,
  kEqual,
  kNotEqual,
  kGreater,
  kLess,
  kGreaterEqual,
  kLessEqual,
  kTrimUpper,
  kTrimLower,
  kAnd,
  kOr,
  kUnless,
};
std::string_view OperatorText(BinaryOp op);
inline bool IsComparison(BinaryOp op) {
  return op >= BinaryOp::kEqual && op <= BinaryOp::kLessEqual;
}
inline bool IsSetOperator(BinaryOp op) { return op >= BinaryOp::kAnd; }

enum class AggregateOp : std::uint8_t {
  kSum,
  kAvg,
  kCount,
  kMin,
  kMax,
  kGroup,
  kStddev,
  kStdvar,
  kTopk,
  kBottomk,
  kCountValues,
  kQuantile,
  kLimitk,
  kLimitRatio,
};
std::string_view AggregateName(AggregateOp op);
inline bool HasParameter(AggregateOp op) { return op >= AggregateOp::kTopk; }

// start() and end() of the @ modifier.
enum class AtEdge : std::uint8_t { kNone, kStart, kEnd };

struct NumberLiteral final : Expr {
  NumberLiteral() : Expr(ExprKind::kNumber) {}
  double value = 0;
  bool is_duration = false;  // written as a duration, 5m; the value is in seconds
};

struct StringLiteral final : Expr {
  StringLiteral() : Expr(ExprKind::kString) {}
  std::string value;
};

// A duration that has to be calculated: arithmetic over durations, step(), range().
struct DurationExpr final : Expr {
  enum class Op : std::uint8_t {
    kAdd,
    kSub,
    kMul,
    kDiv,
    kMod,
    kPow,
    kStep,
    kRange,
    kMinOf,
    kMaxOf
  };
  DurationExpr() : Expr(ExprKind::kDuration) {}
  Op op = Op::kAdd;
  ExprPtr lhs;  // null for a unary operator, step() and range()
  ExprPtr rhs;  // null for step() and range()
  bool in_parens = false;
};

// What may follow a selector or subquery: offset and @. Times are milliseconds.
struct TimeModifiers {
  std::int64_t offset_ms = 0;
  std::unique_ptr<DurationExpr> offset_expr;  // set instead of offset_ms
  std::optional<TimestampMs> at;
  AtEdge at_edge = AtEdge::kNone;
};

struct VectorSelector final : Expr {
  VectorSelector() : Expr(ExprKind::kVectorSelector) {}
  std::string name;          // written before the braces, else ""
  model::Matchers matchers;  // with the one for `name`, last
  TimeModifiers time;
  bool anchored = false;
  bool smoothed = false;
  bool allows_empty_matchers = false;  // the second argument of info()
};

struct MatrixSelector final : Expr {
  MatrixSelector() : Expr(ExprKind::kMatrixSelector) {}
  std::unique_ptr<VectorSelector> selector;
  std::int64_t range_ms = 0;
  std::unique_ptr<DurationExpr> range_expr;  // set instead of range_ms
};

struct SubqueryExpr final : Expr {
  SubqueryExpr() : Expr(ExprKind::kSubquery) {}
  ExprPtr expr;
  std::int64_t range_ms = 0;
  std::unique_ptr<DurationExpr> range_expr;
  std::int64_t step_ms = 0;  // 0: the default
  std::unique_ptr<DurationExpr> step_expr;
  TimeModifiers time;
};

struct Call final : Expr {
  Call() : Expr(ExprKind::kCall) {}
  const Function* function = nullptr;  // never null in a checked tree
  std::vector<ExprPtr> args;
};

struct AggregateExpr final : Expr {
  AggregateExpr() : Expr(ExprKind::kAggregate) {}
  AggregateOp op = AggregateOp::kSum;
  ExprPtr expr;
  ExprPtr param;  // of topk and its kin
  std::vector<std::string> grouping;
  bool without = false;
};

enum class Cardinality : std::uint8_t { kOneToOne, kManyToOne, kOneToMany, kManyToMany };

struct VectorMatching {
  Cardinality card = Cardinality::kOneToOne;
  std::vector<std::string> labels;  // of on or ignoring
  bool on = false;
  std::vector<std::string> include;  // of group_left and group_right
  std::optional<double> fill_lhs;
  std::optional<double> fill_rhs;
};

struct BinaryExpr final : Expr {
  BinaryExpr() : Expr(ExprKind::kBinary) {}
  BinaryOp op = BinaryOp::kAdd;
  ExprPtr lhs;
  ExprPtr rhs;
  bool return_bool = false;
  bool of_scalars = false;  // both sides are; kept, since asking a long chain anew takes long
  std::optional<VectorMatching> matching;  // only between two vectors
};

struct UnaryExpr final : Expr {
  UnaryExpr() : Expr(ExprKind::kUnary) {}
  bool negate = false;
  ExprPtr expr;
};

struct ParenExpr final : Expr {
  ParenExpr() : Expr(ExprKind::kParen) {}
  ExprPtr expr;
};

// The node as its type; the kind must be the right one.
template <typename T>
const T& As(const Expr& expr) {
  return static_cast<const T&>(expr);
}

// The expression inside any number of parentheses.
const Expr& WithoutParens(const Expr& expr);

}  // namespace aevum::promql
