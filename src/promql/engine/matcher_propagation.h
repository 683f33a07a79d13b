// Matchers that one side of a binary operator can take over from the other.
#pragma once

#include "promql/ast.h"
#include "promql/queryable.h"

namespace aevum::promql {

// Adds the matchers of each side's selector to the other's, for labels in which both must agree to
// match. Not where that would change the answer: a side of `or`, the left of `unless`, sides that
// are filled, matches whose "one" side may hold duplicates, whose error would go, nor where another
// error of a side would; nor for labels that series do not come with as they are stored.
void PropagateMatchers(const Queryable& source, BinaryExpr* expr);

}  // namespace aevum::promql
