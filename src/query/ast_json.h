// Trees of PromQL as JSON, in the form that Prometheus's /api/v1/parse_query has.
#pragma once

#include "promql/ast.h"
#include "query/json_writer.h"

namespace aevum::query {

// Writes the tree, with the names of each object sorted. Recursion is as deep as the tree, which
// the parser bounds.
void WriteAst(const promql::Expr& expr, JsonWriter& writer);

}  // namespace aevum::query
