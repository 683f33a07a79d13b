// Rows that are evaluated once and used more than once.
#pragma once

#include <map>
#include <memory>
#include <tuple>

#include "promql/engine/evaluation.h"

namespace aevum::promql {

// Gives the rows of a source on one step at each of `steps` steps.
OperatorPtr MakeBroadcast(QueryState& state, std::size_t steps, OperatorPtr source);

// The rows of parts of a query that come more than once, by part and steps. Held as long as an
// operator reads from them. Thread-compatible.
class SharedParts {
 public:
  // What else tells rows of a part apart: whether only count and sum of histograms are read.
  struct Key {
    const Expr* part;
    Grid grid;
    bool only_statistics;
  };

  // An operator for the part: `make` is called for its first.
  template <typename Make>
  StatusOr<OperatorPtr> Share(QueryState& state, const Key& key, Make make) {
    std::weak_ptr<Rows>& known =
        parts_[{key.part, key.grid.start, key.grid.step, key.grid.steps, key.only_statistics}];
    std::shared_ptr<Rows> rows = known.lock();
    if (rows == nullptr) {
      ASSIGN_OR_RETURN(OperatorPtr source, make());
      rows = MakeRows(state, key.grid.steps, std::move(source));
      known = rows;
    }
    return MakeReader(std::move(rows));
  }

 private:
  struct Rows;
  class Reader;
  static std::shared_ptr<Rows> MakeRows(QueryState& state, std::size_t steps, OperatorPtr source);
  static OperatorPtr MakeReader(std::shared_ptr<Rows> rows);

  std::map<std::tuple<const Expr*, TimestampMs, std::int64_t, std::size_t, bool>,
           std::weak_ptr<Rows>>
      parts_;
};

}  // namespace aevum::promql
