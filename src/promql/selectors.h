// The selectors of an expression.
#pragma once

#include <vector>

#include "promql/ast.h"

namespace aevum::promql {

// All selectors of a tree, in the order of the text, those of range selectors too; equal ones come
// again. The tree must outlive the pointers.
std::vector<const VectorSelector*> SelectorsOf(const Expr& expr);

}  // namespace aevum::promql
