// Trees of PromQL back to text.
#pragma once

#include <string>

#include "promql/ast.h"

namespace aevum::promql {

// The expression on one line, as Prometheus prints it.
std::string ToString(const Expr& expr);

// The node alone, without what is below it, as plans and errors name it: "sum by (job)".
std::string ShortString(const Expr& expr);

}  // namespace aevum::promql
