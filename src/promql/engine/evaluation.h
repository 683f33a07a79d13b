// What an evaluation knows: the steps, the limits, where series come from, what it found on the
// way.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/context.h"
#include "base/mutex.h"
#include "base/status.h"
#include "promql/ast.h"
#include "promql/engine/optimizer.h"
#include "promql/engine/row_batch.h"
#include "promql/queryable.h"

namespace aevum {
class ThreadPool;
}

namespace aevum::promql {

// Labels of Prometheus's type-and-unit-labels.
inline constexpr std::string_view kTypeLabel = "__type__";
inline constexpr std::string_view kUnitLabel = "__unit__";

class Analysis;         // promql/engine/plan.h
class DistributedPlan;  // promql/engine/distribute.h
class StepCounts;       // promql/engine/step_counts.h

// The steps that an expression is evaluated at.
struct Grid {
  TimestampMs start = 0;
  std::int64_t step = 1;  // 0 or more; not used when there is one step
  std::size_t steps = 1;

  TimestampMs At(std::size_t k) const { return start + static_cast<std::int64_t>(k) * step; }
  TimestampMs Last() const { return At(steps - 1); }
};

// Warnings and infos of a query, each text once, with the last place that it came up at, in the
// order of their texts. Thread-safe.
class Annotations {
 public:
  // "PromQL warning: ..." and "PromQL info: ...", with the place in the query.
  void AddWarning(std::string text, const Expr& expr);
  void AddInfo(std::string text, const Expr& expr);
  // A warning that says how often it came up.
  void CountWarning(std::string text, const Expr& expr);
  // What a store said; no part of PromQL.
  void AddStoreWarning(std::string text);
  // Adds what another found later, and empties it.
  void Take(Annotations& later);

  // Before use: the text that places are in, which is borrowed, and who pays for texts; null:
  // nobody.
  void Init(std::string_view query, std::shared_ptr<MemoryBudget> budget);
  std::string_view query() const { return query_; }
  // ResourceExhausted once there was no memory for a text, which is missing then.
  Status status() const;

  std::vector<std::string> warnings() const;
  std::vector<std::string> infos() const;
  std::vector<std::string> store_warnings() const;

 private:
  struct Found {
    std::string place;
    std::int64_t times = 0;  // 0: not counted
  };
  using Placing = std::map<std::string, Found>;  // by text
  std::string PlaceOf(const Expr& expr) const;
  static std::vector<std::string> Texts(const Placing& placing);
  // True when there is room for a new text.
  bool ChargeLocked(std::size_t bytes) AEVUM_REQUIRES(mutex_);

  std::string_view query_;
  mutable Mutex mutex_;
  void PutLocked(Placing& placing, const std::string& text, Found found) AEVUM_REQUIRES(mutex_);
  Placing warnings_ AEVUM_GUARDED_BY(mutex_);
  Placing infos_ AEVUM_GUARDED_BY(mutex_);
  std::set<std::string> store_warnings_ AEVUM_GUARDED_BY(mutex_);
  MemoryCharge charge_ AEVUM_GUARDED_BY(mutex_);
  Status status_ AEVUM_GUARDED_BY(mutex_);
};

class SelectSharing;
class SharedParts;

// Shared by all operators of a query; must outlive them.
struct QueryState {
  const Context& context;
  SelectSharing& selects;       // to the source of the series
  TimestampMs query_start = 0;  // of the whole query, for @ start() and @ end()
  TimestampMs query_end = 0;    // as asked for: it need not be a step
  std::int64_t query_step_ms = 0;
  std::int64_t lookback_ms = 0;
  std::int64_t default_subquery_step_ms = 0;
  bool use_start_timestamps = false;
  Annotations& annotations;
  const PlanNotes& notes;
  SharedParts& shared;
  bool delays_names = false;             // names are dropped at the end of the query
  bool reads_types = false;              // what counts is known by its label __type__
  ThreadPool* helpers = nullptr;         // of the engine; null: all is done in the caller's thread
  std::size_t series_per_range = 0;      // 0: by the size of the query
  MemoryCharge scalars{};                // values of scalars at all steps
  std::atomic<std::int64_t> samples{0};  // read from the source
  std::atomic<bool> saw_types{false};    // a series with __type__ or __unit__ was read
  DistributedPlan* plan = nullptr;       // null: everything is evaluated here

  // Where samples of steps are counted, and operators measured; null when nobody asks.
  StepCounts* counts = nullptr;
  Analysis* analysis = nullptr;

  // Where the planner is: within functions that look at nothing but count and sum of histograms,
  // and within those that look at buckets or may miss a reset.
  int statistics_depth = 0;
  int buckets_depth = 0;
  bool only_statistics() const { return statistics_depth > 0 && buckets_depth == 0; }
  // Whether what is around takes series whole, not step by step: then a number and a histogram may
  // meet at a step.
  bool takes_series = true;
};

// Gives the rows of an expression, batch by batch. Pulled by one thread. Every label set comes
// once.
class Operator {
 public:
  virtual ~Operator() = default;
  // Replaces `out` by the next rows. False at the end, with `out` empty.
  virtual StatusOr<bool> Next(RowBatch* out) = 0;
};
using OperatorPtr = std::unique_ptr<Operator>;

// All rows of an operator in one batch.
StatusOr<RowBatch> Materialize(Operator& source, const QueryState& state, std::size_t steps);

// Gives the rows of a batch, in batches.
OperatorPtr MakeRowSource(RowBatch rows, std::shared_ptr<MemoryBudget> budget);

// How rows with the same labels become one.
enum class EqualLabels : std::uint8_t {
  // No two may have a value at the same step. Whether the name is dropped is up to the one with the
  // earliest.
  kByStep,
  // No two may have numbers, nor histograms, at the same step; a number and a histogram may meet.
  // Whether the name is dropped is up to the first.
  kBySeries,
  // There may be no two.
  kRefused,
};

// The error of Prometheus for two rows with the same labels.
Status SameLabels();

// Puts rows with the same labels together, else gives the error of Prometheus for it. `rows` keeps
// the order of first appearance.
Status MergeEqualLabels(RowBatch* rows, const QueryState& state,
                        EqualLabels rule = EqualLabels::kByStep);

// Whether a label goes where the name of the metric does: the name itself, __type__, __unit__.
bool GoesWithName(std::string_view label);
// Whether the labels have __type__ or __unit__.
bool HasTypeOrUnit(const model::Labels& labels);
// The labels without those that go with the name.
model::Labels WithoutName(const model::Labels& labels);

// Takes the name of a row away: now, or at the end of the query by a mark.
void DropName(const QueryState& state, RowBatch* rows, std::size_t row);
// Takes the names of marked rows away.
void DropMarkedNames(RowBatch* rows);

}  // namespace aevum::promql
