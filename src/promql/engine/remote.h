// Other queriers that evaluate parts of an expression: what the engine knows of them and asks them.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/context.h"
#include "base/status.h"
#include "model/labels.h"
#include "model/matcher.h"
#include "promql/engine/row_batch.h"

namespace aevum::promql {

// An expression and when to evaluate it: at start, start + step, ... All times are whole seconds,
// as milliseconds.
struct RemoteQuestion {
  std::string query;
  TimestampMs start = 0;
  std::int64_t step_ms = 0;  // above 0
  std::size_t steps = 1;
  std::int64_t lookback_ms = 0;

  TimestampMs end() const { return start + static_cast<std::int64_t>(steps - 1) * step_ms; }
};

// The rows of an answer, pulled by one thread.
class RemoteStream {
 public:
  virtual ~RemoteStream() = default;
  // Replaces `out` by the next rows, a value a step each. False at the end, with `out` empty.
  virtual StatusOr<bool> Next(RowBatch* out) = 0;
  // What the other querier warned of. Complete after the end.
  virtual std::vector<std::string> warnings() const = 0;
  // The samples it read. Complete after the end.
  virtual std::int64_t samples() const = 0;
};

// One other querier. Thread-safe.
class RemoteEngine {
 public:
  virtual ~RemoteEngine() = default;
  // Begins to evaluate; must not block. Errors come with the stream: Aborted, Unknown,
  // InvalidArgument, FailedPrecondition and Unimplemented say that it can't evaluate the
  // expression, all others that it can't be reached or does not work.
  virtual std::unique_ptr<RemoteStream> Execute(const Context& context,
                                                const RemoteQuestion& question) = 0;
  // How warnings and errors name it.
  virtual const std::string& name() const = 0;
};

// False when there can be no sample of a series that matches, in a span of time with both ends.
using MayHold =
    std::function<bool(const model::Matchers& matchers, TimestampMs first, TimestampMs last)>;

// A querier that may be asked, and which series it reads.
struct Leaf {
  std::shared_ptr<RemoteEngine> engine;
  MayHold may_hold;
  // The external labels of the stores behind it, each set once or more: every series it reads has
  // the labels of one of the sets. None: nothing is known of them.
  std::vector<model::Labels> label_sets;
  TimestampMs min_time = 0;
  TimestampMs max_time = 0;
};

// Where the series of a query are.
struct Distribution {
  std::vector<Leaf> leaves;
  MayHold local_may_hold;  // what this querier alone can read, beside the leaves; never null
  std::vector<std::string> replica_labels;    // these do not tell leaves apart
  std::vector<std::string> partition_labels;  // the labels that do; none: all others
  // Of leaves with the same label sets one whose times cover the query answers alone.
  bool overlapping_intervals = false;
  bool partial_response = true;  // a leaf that fails is a warning, not an error
  model::Matchers enforced;      // of every selector, in place of its own on these labels
};

}  // namespace aevum::promql
