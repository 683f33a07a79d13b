// Evaluates PromQL.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/context.h"
#include "base/status.h"
#include "promql/ast.h"
#include "promql/engine/plan.h"
#include "promql/engine/remote.h"
#include "promql/engine/row_batch.h"
#include "promql/parser.h"
#include "promql/queryable.h"

namespace aevum {
class ThreadPool;
}

namespace aevum::promql {

struct PreparedQuery;

struct EngineOptions {
  std::chrono::milliseconds lookback_delta = std::chrono::minutes(5);
  std::chrono::milliseconds default_subquery_step = std::chrono::minutes(1);
  // Names are dropped at the end of a query, so that label_replace() can still keep them; what a
  // query does with __name__ in between is what Prometheus's promql-delayed-name-removal does.
  bool delayed_name_removal = false;
  // rate() and increase() know counters by their label __type__, not by their names.
  bool type_and_unit_labels = false;
  ParseOptions parse;
  // rate, increase, irate and resets look at start timestamps, and start_timestamp() gives them.
  bool use_start_timestamps = false;
  bool optimize = true;  // answers are the same without, tests compare them
  // Threads that a query may use: its own, and helpers that all queries share. 0: one a core.
  std::size_t threads = 0;
  // Series that a thread evaluates at a time. 0: by the size of the query, which is right but for
  // tests.
  std::size_t series_per_range = 0;
};

// What one query may set anew.
struct QueryOptions {
  std::chrono::milliseconds lookback_delta{0};  // 0: the engine's
  bool count_samples = false;                   // fill QueryStats::step_samples
  bool analyze = false;                         // fill QueryResult::analysis
  // Other queriers that evaluate parts of the query; must live until the answer. Null: none.
  const Distribution* distribution = nullptr;
};

struct QueryStats {
  std::int64_t samples = 0;     // read from the source
  std::int64_t peak_bytes = 0;  // of the memory budget, 0 without one
  // The samples that each step looked at, as Prometheus counts them (see StepCounts). Parts that
  // come twice count once, and series that the optimiser knows not to match don't count.
  std::vector<std::int64_t> step_samples;
  std::chrono::nanoseconds preparation{0};  // until the checked tree
  std::chrono::nanoseconds evaluation{0};   // without sorting
  std::chrono::nanoseconds sorting{0};
  std::chrono::nanoseconds queued{0};  // before the evaluation; filled by who let the query wait
};

// The value of a query. Of a range query `type` is always kMatrix; of an instant one the type of
// the expression, where a range vector has its samples in `ranges`.
struct QueryResult {
  // A series of an instant query for a range vector.
  struct Range {
    model::Labels labels;
    std::vector<TimestampMs> times;
    std::vector<double> values;
    std::vector<TimestampMs> histogram_times;
    std::vector<HistogramPtr> histograms;
  };

  ValueType type = ValueType::kNone;
  TimestampMs start = 0;  // of step 0
  std::int64_t step = 0;
  // Vector and matrix: sorted by labels, but for a sorted instant query. A step of a range query
  // may hold a number and a histogram.
  RowBatch rows;
  std::vector<Range> ranges;
  MemoryCharge range_charge;                // of the ranges
  double scalar = 0;                        // of an instant query
  std::string text;                         // of a string
  std::vector<std::string> warnings;        // "PromQL warning: ..."
  std::vector<std::string> infos;           // "PromQL info: ..."
  std::vector<std::string> store_warnings;  // what the source said
  QueryStats stats;
  std::optional<PlanNode> analysis;

  TimestampMs TimeOf(std::size_t k) const { return start + static_cast<std::int64_t>(k) * step; }
};

// An error of a query and whose it is, for the answer of an API.
//   InvalidArgument: the query or a parameter can't be right (parse errors).
//   Unimplemented: this version can't evaluate it; the message names what.
//   FailedPrecondition: the data does not fit the query (many-to-many matching).
//   ResourceExhausted, DeadlineExceeded, Cancelled: limits.
//   Others come from the source of the series.
//
// Evaluates in the caller's thread; where there are many series, helper threads make rows of them.
// Answers don't depend on the number of threads. Thread-safe. Starts its helpers when it is
// constructed; they end with it.
class Engine {
 public:
  explicit Engine(EngineOptions options);
  ~Engine();

  StatusOr<QueryResult> Instant(const Context& context, Queryable& queryable,
                                std::string_view query, TimestampMs time,
                                const QueryOptions& options = {}) const;
  // At start, start + step, ... up to end. InvalidArgument for a step that is not positive or an
  // end before the start.
  StatusOr<QueryResult> Range(const Context& context, Queryable& queryable, std::string_view query,
                              TimestampMs start, TimestampMs end, std::int64_t step_ms,
                              const QueryOptions& options = {}) const;

  // What Instant or Range would do over the source; nothing is evaluated. InvalidArgument where
  // they say so.
  StatusOr<PlanNode> Explain(const Context& context, Queryable& queryable, std::string_view query,
                             TimestampMs time, const QueryOptions& options = {}) const;
  StatusOr<PlanNode> ExplainRange(const Context& context, Queryable& queryable,
                                  std::string_view query, TimestampMs start, TimestampMs end,
                                  std::int64_t step_ms, const QueryOptions& options = {}) const;

  const EngineOptions& options() const { return options_; }

 private:
  StatusOr<PreparedQuery> PrepareInstant(const Queryable& queryable, std::string_view query,
                                         TimestampMs time) const;
  StatusOr<PreparedQuery> PrepareRange(const Queryable& queryable, std::string_view query,
                                       TimestampMs start, TimestampMs end,
                                       std::int64_t step_ms) const;
  PlanNotes Optimized(const Queryable& queryable, ExprPtr* expr) const;

  const EngineOptions options_;
  std::unique_ptr<ThreadPool> helpers_;  // null: there are none
};

}  // namespace aevum::promql
