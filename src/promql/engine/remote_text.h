// The text of a part of an expression, as another querier is to evaluate it.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "base/status.h"
#include "model/matcher.h"
#include "promql/ast.h"
#include "promql/engine/evaluation.h"
#include "promql/parser.h"

namespace aevum::promql {

struct RemoteText {
  std::string text;
  // The nodes of the expression by where they start in `text`, for annotations that name a place.
  std::map<int, const Expr*> places;
};

// What depends on the query as a whole or on this querier's settings is written out: @ start(),
// start(), range(), step(), the default step of subqueries, the matchers that every selector must
// have. With a shift the expression gives at a time t what it would give at t + shift_ms: selectors
// and subqueries outside of subqueries look that much later. Borrows the expression. Internal when
// the text does not read back as the same tree.
StatusOr<RemoteText> MakeRemoteText(const Expr& expr, std::int64_t shift_ms,
                                    const model::Matchers& enforced, const QueryState& state,
                                    const ParseOptions& options);

// The matchers of a selector with the enforced ones, which come first, in place of others on the
// same labels.
model::Matchers WithEnforced(const model::Matchers& enforced, model::Matchers matchers);

}  // namespace aevum::promql
