// Texts of PromQL to checked trees.
#pragma once

#include <memory>
#include <string_view>

#include "base/status.h"
#include "promql/ast.h"

namespace aevum::promql {

// What of the grammar is experimental in Prometheus 3.14 and switched by its feature flags, and
// what goes beyond it.
struct ParseOptions {
  bool experimental_functions = false;
  bool duration_expressions = false;
  bool extended_range_selectors = false;  // anchored, smoothed
  bool fill_modifiers = false;
  bool x_functions = false;  // xrate, xincrease, xdelta: not of Prometheus
};

// The longest chain of nested expressions that is accepted, so that no later stage can run out of
// stack. Parentheses, arguments and unary signs nest; so does each operator of a chain.
inline constexpr int kMaxExpressionDepth = 1'500;
inline constexpr int kMaxNesting = 1'000;

// Parses and checks the types. InvalidArgument with Prometheus's text and place:
// "1:5: parse error: unexpected end of input". Depth is bounded by
// the limits above.
StatusOr<ExprPtr> Parse(std::string_view text, const ParseOptions& options = {});

// Parses a selector such as up{job="x"}, as match[] parameters hold it.
StatusOr<model::Matchers> ParseSelector(std::string_view text);

// The text inside quotes of PromQL (", ' or `, which are part of `quoted`).
StatusOr<std::string> Unquote(std::string_view quoted);

// A number as PromQL writes it: decimal, hexadecimal, octal, with underscores, Inf, NaN.
StatusOr<double> ParseNumber(std::string_view text);

}  // namespace aevum::promql
