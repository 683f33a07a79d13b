// Expressions of PromQL over several lines, as people read them best.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "promql/ast.h"

namespace aevum::promql {

// The expression as /api/v1/format_query of Prometheus gives it: what does not fit into 100
// characters is split at its arguments and operands, two blanks deeper each.
std::string Prettify(const Expr& expr);

// The same in pieces that hold whole characters: the text of a deep tree, with its blanks, may be a
// thousand times as long as what was parsed.
using PrettySink = std::function<void(std::string_view piece)>;
void Prettify(const Expr& expr, const PrettySink& sink);

}  // namespace aevum::promql
