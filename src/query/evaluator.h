// Evaluates requests: where a query waits for its turn, gets its limits and is counted.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/context.h"
#include "base/status.h"
#include "model/matcher.h"
#include "promql/engine/engine.h"
#include "query/active_query_log.h"
#include "query/distribution.h"
#include "query/engine_metrics.h"
#include "query/federation.h"
#include "query/params.h"
#include "query/refused_queries.h"
#include "query/select_metrics.h"
#include "query/tenancy.h"
#include "store/gate.h"
#include "store/proxy.h"
#include "store/queryable.h"

namespace prometheus {
class Registry;
}

namespace aevum::query {

struct EvaluatorOptions {
  bool dynamic_lookback = true;
  std::chrono::milliseconds lookback_delta = std::chrono::minutes(5);
  store::DedupFunction dedup_function = store::DedupFunction::kAdaptive;
  std::int64_t query_memory_bytes = MemoryBudget::kUnlimited;  // of one query
  std::shared_ptr<MemoryBudget> total_memory;  // of all queries together; may be null
  std::size_t max_concurrent = 20;
  SelectMetricsOptions selects;
  TenancyOptions tenancy;
  std::shared_ptr<ActiveQueryLog> active_queries;       // may be null
  std::shared_ptr<RefusedQueriesFile> refused_queries;  // may be null
  DistributionOptions distribution;
};

// The lookback of a query that may read data as coarse as this: downsampled data has samples
// further apart, so that a wider one is needed to see them. Coarser than five minutes: an hour,
// else five minutes, but never less than the lookback of raw data, which also is the least
// resolution that counts as downsampled.
std::int64_t DynamicLookback(std::int64_t lookback_ms, std::int64_t max_source_resolution_ms);

// The endpoints of the moment. Called once a query; must be thread-safe; never null.
using QueryEndpointSource = std::function<std::shared_ptr<const QueryEndpoints>()>;

// One for all ways that queries come in, so that they share the gate. Borrows the engine.
// Thread-safe.
class Evaluator {
 public:
  Evaluator(EvaluatorOptions options, const promql::Engine& engine,
            std::shared_ptr<store::Proxy> proxy, QueryEndpointSource endpoints,
            prometheus::Registry& metrics);

  // The answer to a query of the context's tenant. Waits at the gate first. Errors are those of
  // the engine; FailedPrecondition when the query is refused or the request ends at the gate. What
  // the answer lacks goes to `missing`, which may be null.
  StatusOr<promql::QueryResult> Evaluate(const Context& context, const QueryParams& params,
                                         std::shared_ptr<store::MissingParts> missing = nullptr);

  // The newest samples up to `now`, within the lookback, of the series that the request selects;
  // its times are not looked at. Waits at the gate first, as Evaluate.
  StatusOr<NewestSamples> Newest(const Context& context, const MetadataParams& params,
                                 TimestampMs now);

  // What Evaluate would do. Doesn't wait.
  StatusOr<promql::PlanNode> Explain(const Context& context, const QueryParams& params) const;

  const promql::Engine& engine() const { return engine_; }
  // The stores that a request is about. What they lack goes to `missing`, which may be null.
  std::shared_ptr<store::Store> StoreFor(const std::vector<model::Matchers>& store_matchers,
                                         std::shared_ptr<store::MissingParts> missing) const;
  // The memory of one request.
  std::shared_ptr<MemoryBudget> MakeBudget() const;

 private:
  // With a place in the gate.
  StatusOr<promql::QueryResult> EvaluateInGate(const Context& context, const QueryParams& params,
                                               std::shared_ptr<store::MissingParts> missing);
  std::unique_ptr<promql::Queryable> QueryableFor(
      const QueryParams& params, const std::string& tenant,
      std::shared_ptr<store::MissingParts> missing) const;
  // A place in the gate, or FailedPrecondition.
  static Status EnterGate(const Context& context, store::GatePass* pass);
  std::int64_t LookbackFor(const QueryParams& params) const;
  // Queriers that may evaluate parts of the query; nullopt when this one reads all series itself.
  std::optional<promql::Distribution> DistributionFor(
      const QueryParams& params, const std::string& tenant,
      std::shared_ptr<store::MissingParts> missing) const;

  const EvaluatorOptions options_;
  const promql::Engine& engine_;
  const std::shared_ptr<store::Proxy> proxy_;
  const QueryEndpointSource endpoints_;
  store::Gate gate_;
  EngineMetrics metrics_;
  SelectMetrics select_metrics_;
};

}  // namespace aevum::query
