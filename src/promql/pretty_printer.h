// Expressions of PromQL over several lines, as people read them best.
#pragma once

#include <string>

#include "promql/ast.h"

namespace aevum::promql {

// The expression as /api/v1/format_query of Prometheus gives it: what does not fit into 100
// characters is split at its arguments and operands, two blanks deeper each.
std::string Prettify(const Expr& expr);

}  // namespace aevum::promql
