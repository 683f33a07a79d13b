// Trees of PromQL back to text.
#pragma once

#include <string>

#include "promql/ast.h"

namespace aevum::promql {

// The expression on one line, as Prometheus prints it.
std::string ToString(const Expr& expr);

// The node alone, without what is below it, as plans and errors name it: "sum by (job)".
std::string ShortString(const Expr& expr);

// Shortest digits that read back equal, without an exponent: 0.000001, +Inf.
std::string FormatNumber(double value);
// The same with an exponent below 1e-4 and from 1e6 on: 1e-06, +Inf.
std::string FormatShort(double value);

}  // namespace aevum::promql
