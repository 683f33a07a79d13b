#include "query/evaluator.h"

#include <algorithm>
#include <utility>

#include "base/trace.h"
#include "query/answer.h"

namespace aevum::query {

Evaluator::Evaluator(EvaluatorOptions options, const promql::Engine& engine,
                     std::shared_ptr<store::Proxy> proxy, QueryEndpointSource endpoints,
                     prometheus::Registry& metrics)
    : options_(std::move(options)),
      engine_(engine),
      proxy_(std::move(proxy)),
      endpoints_(std::move(endpoints)),
      gate_(options_.max_concurrent, "thanos_query_concurrent_gate_queries", metrics),
      metrics_(options_.distribution.enabled ? "distributed" : "local", options_.max_concurrent,
               metrics),
      select_metrics_(options_.selects, metrics) {}

StatusOr<promql::QueryResult> Evaluator::Evaluate(const Context& context, const QueryParams& params,
                                                  std::shared_ptr<store::MissingParts> missing) {
  if (options_.refused_queries) RETURN_IF_ERROR(options_.refused_queries->Check(params.query));
  const Context bounded = context.WithTimeout(params.timeout).WithBudget(MakeBudget());
  const auto came = std::chrono::steady_clock::now();
  EngineMetrics::Query query(metrics_,
                             params.analyzable ? EngineName::kThanos : EngineName::kPrometheus);
  store::GatePass pass(gate_);
  {
    Span span(bounded, "query_gate_ismyturn");
    const Status entered = EnterGate(bounded, &pass);
    span.Fail(entered);
    RETURN_IF_ERROR(entered);
  }
  query.Started();
  const auto queued = std::chrono::steady_clock::now() - came;
  const ActiveQueryLog::Entry entry(options_.active_queries.get(), params.query);
  auto result = EvaluateInGate(bounded, params, std::move(missing));
  query.Evaluated(result.ok() ? &result->stats : nullptr);
  if (!result.ok()) return AnnotateStoreError(result.status(), "expanding series: proxy Series()");
  result->stats.queued = queued;
  return result;
}

StatusOr<promql::QueryResult> Evaluator::EvaluateInGate(
    const Context& context, const QueryParams& params,
    std::shared_ptr<store::MissingParts> missing) {
  const auto began = std::chrono::steady_clock::now();
  const std::string& tenant = context.request().tenant;
  const auto queryable = QueryableFor(params, tenant, missing);
  const auto distribution = DistributionFor(params, tenant, std::move(missing));
  const promql::QueryOptions options{
      .lookback_delta = std::chrono::milliseconds(LookbackFor(params)),
      .count_samples = params.stats != StatsDetail::kNone,
      .analyze = params.analyze && params.analyzable,
      .distribution = distribution ? &*distribution : nullptr};
  Span span(context, params.instant ? "instant_query_exec" : "range_query_exec");
  span.Set("query", params.query);
  span.Set("start", params.start);
  if (!params.instant) {
    span.Set("end", params.end);
    span.Set("step", params.step_ms);
  }
  const Context& inner = span.Inner(context);
  CountedSelects selects(*queryable, select_metrics_);
  auto result = params.instant
                    ? engine_.Instant(inner, selects, params.query, params.start, options)
                    : engine_.Range(inner, selects, params.query, params.start, params.end,
                                    params.step_ms, options);
  span.Fail(result.status());
  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - began;
  if (result.ok())
    select_metrics_.Observe(tenant, selects.series(), result->stats.samples, taken.count());
  return result;
}

Status Evaluator::EnterGate(const Context& context, store::GatePass* pass) {
  const Status status = pass->Enter(context);
  if (status.ok()) return status;
  return MakeError(StatusCode::kFailedPrecondition, std::string(status.message()));
}

StatusOr<NewestSamples> Evaluator::Newest(const Context& context, const MetadataParams& params,
                                          TimestampMs now) {
  if (options_.refused_queries)
    RETURN_IF_ERROR(options_.refused_queries->CheckSelectors(params.matchers));
  const Context bounded = context.WithBudget(MakeBudget());
  store::GatePass pass(gate_);
  RETURN_IF_ERROR(EnterGate(bounded, &pass));
  QueryParams select;
  select.dedup = params.dedup;
  select.replica_labels = params.replica_labels;
  select.partial_response = params.partial_response;
  select.store_matchers = params.store_matchers;
  const auto queryable = QueryableFor(select, context.request().tenant, nullptr);
  // As an instant selector looks back: not at its first millisecond.
  auto newest = ReadNewest(bounded, *queryable, params.matchers,
                           now - options_.lookback_delta.count() + 1, now);
  if (!newest.ok()) return AnnotateStoreError(newest.status(), "proxy Series()");
  return newest;
}

StatusOr<promql::PlanNode> Evaluator::Explain(const Context& context,
                                              const QueryParams& params) const {
  const auto queryable = QueryableFor(params, context.request().tenant, nullptr);
  const auto distribution = DistributionFor(params, context.request().tenant, nullptr);
  const promql::QueryOptions options{
      .lookback_delta = std::chrono::milliseconds(LookbackFor(params)),
      .distribution = distribution ? &*distribution : nullptr};
  if (params.instant)
    return engine_.Explain(context, *queryable, params.query, params.start, options);
  return engine_.ExplainRange(context, *queryable, params.query, params.start, params.end,
                              params.step_ms, options);
}

std::shared_ptr<store::Store> Evaluator::StoreFor(
    const std::vector<model::Matchers>& store_matchers,
    std::shared_ptr<store::MissingParts> missing) const {
  if (store_matchers.empty() && !missing) return proxy_;
  return proxy_->Restrict(store_matchers, std::move(missing));
}

std::shared_ptr<MemoryBudget> Evaluator::MakeBudget() const {
  return std::make_shared<MemoryBudget>("query", options_.query_memory_bytes,
                                        options_.total_memory);
}

std::unique_ptr<promql::Queryable> Evaluator::QueryableFor(
    const QueryParams& params, const std::string& tenant,
    std::shared_ptr<store::MissingParts> missing) const {
  store::QueryableOptions options;
  options.replica_labels = params.replica_labels;
  options.deduplicate = params.dedup;
  options.dedup_function = options_.dedup_function;
  options.max_source_resolution_ms = params.max_source_resolution_ms;
  options.partial_response =
      params.partial_response ? wire::PartialResponse::kWarn : wire::PartialResponse::kAbort;
  options.shard_info = params.shard_info;
  auto queryable = std::make_unique<store::StoreQueryable>(
      StoreFor(params.store_matchers, std::move(missing)), std::move(options));
  if (!options_.tenancy.enforce) return queryable;
  return EnforceTenant(std::move(queryable), options_.tenancy.label, tenant);
}

// Which stores a request is about, and which part of their series, leaves would not know.
std::optional<promql::Distribution> Evaluator::DistributionFor(
    const QueryParams& params, const std::string& tenant,
    std::shared_ptr<store::MissingParts> missing) const {
  if (!options_.distribution.enabled || !params.analyzable || !params.store_matchers.empty() ||
      params.shard_info)
    return std::nullopt;
  auto distribution = MakeDistribution(options_.distribution, endpoints_(),
                                       {.replica_labels = params.replica_labels,
                                        .dedup = params.dedup,
                                        .partial_response = params.partial_response,
                                        .max_source_resolution_ms = params.max_source_resolution_ms,
                                        .missing = std::move(missing)});
  if (options_.tenancy.enforce)
    distribution.enforced = {model::Matcher::Equal(options_.tenancy.label, tenant)};
  return distribution;
}

std::int64_t Evaluator::LookbackFor(const QueryParams& params) const {
  if (params.lookback_delta_ms > 0) return params.lookback_delta_ms;
  const std::int64_t base = options_.lookback_delta.count();
  return options_.dynamic_lookback ? DynamicLookback(base, params.max_source_resolution_ms) : base;
}

std::int64_t DynamicLookback(std::int64_t lookback_ms, std::int64_t max_source_resolution_ms) {
  constexpr std::int64_t kFiveMinutes = 5 * 60 * 1000;
  constexpr std::int64_t kHour = 60 * 60 * 1000;
  if (max_source_resolution_ms > std::max(kFiveMinutes, lookback_ms))
    return std::max(kHour, lookback_ms);
  if (max_source_resolution_ms > lookback_ms) return std::max(kFiveMinutes, lookback_ms);
  return lookback_ms;
}

}  // namespace aevum::query
