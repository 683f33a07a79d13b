#include "query/query_service.h"

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "net/grpc/server.h"
#include "store/grpc_server.h"
#include "wire/query_api.h"

namespace aevum::query {
namespace {

using net::grpc::Server;
using net::grpc::ServerCall;

constexpr std::int64_t kSecond = 1000;
// The times that the HTTP API takes too: 64 bits of nanoseconds.
constexpr std::int64_t kMaxSeconds = std::int64_t{9'223'372'036};
// More series or values than these are never put into one message, whatever a client asks for.
constexpr std::int64_t kMaxBatchSeries = 10'000;
constexpr std::size_t kMaxBatchValues = 65'536;

Status CheckSeconds(std::string_view what, std::int64_t seconds) {
  if (seconds < -kMaxSeconds || seconds > kMaxSeconds)
    return InvalidArgument("{} is out of range: {} seconds", what, seconds);
  return OkStatus();
}

// Messages of an answer, in their order.
class AnswerWriter {
 public:
  AnswerWriter(ServerCall& call, std::int64_t batch_size)
      : call_(call),
        batch_size_(
            static_cast<std::size_t>(std::clamp(batch_size, std::int64_t{1}, kMaxBatchSeries))) {}

  Status Warning(std::string_view text) { return Send(wire::EncodeQueryWarning(text)); }

  Status Series(wire::QuerySeries series) {
    values_ += series.times.size() + series.histograms.size();
    series_.push_back(std::move(series));
    if (series_.size() < batch_size_ && values_ < kMaxBatchValues) return OkStatus();
    return Flush();
  }

  Status Finish(const promql::QueryStats& stats) {
    RETURN_IF_ERROR(Flush());
    return Send(wire::EncodeQueryStats(
        {.samples_total = stats.samples, .peak_samples = stats.peak_bytes / kSampleBytes}));
  }

 private:
  static constexpr std::int64_t kSampleBytes = 16;

  Status Flush() {
    if (series_.empty()) return OkStatus();
    const Status status = Send(wire::EncodeQuerySeries(series_, batch_size_ > 1));
    series_.clear();
    values_ = 0;
    return status;
  }

  Status Send(std::string message) { return store::SendMessage(call_, std::move(message)); }

  ServerCall& call_;
  const std::size_t batch_size_;
  std::vector<wire::QuerySeries> series_;
  std::size_t values_ = 0;
};

wire::QuerySeries SeriesOf(const promql::QueryResult& result, std::size_t row) {
  const promql::RowBatch& rows = result.rows;
  wire::QuerySeries series{.labels = rows.labels(row)};
  const promql::HistogramPtr* histograms = rows.histograms(row);
  for (std::size_t k = 0; k < rows.steps(); ++k) {
    if (rows.present(row)[k] != 0) {
      series.times.push_back(result.TimeOf(k));
      series.values.push_back(rows.values(row)[k]);
    }
    if (histograms != nullptr && histograms[k] != nullptr) {
      series.histogram_times.push_back(result.TimeOf(k));
      series.histograms.push_back(*histograms[k]);
    }
  }
  return series;
}

Status WriteResult(const promql::QueryResult& result, AnswerWriter& writer) {
  for (const auto* texts : {&result.store_warnings, &result.warnings, &result.infos}) {
    for (const std::string& text : *texts) RETURN_IF_ERROR(writer.Warning(text));
  }
  if (result.type == promql::ValueType::kScalar)
    RETURN_IF_ERROR(writer.Series({.times = {result.start}, .values = {result.scalar}}));
  for (std::size_t row = 0; row < result.rows.size(); ++row) {
    if (result.rows.AnyPresent(row)) RETURN_IF_ERROR(writer.Series(SeriesOf(result, row)));
  }
  return writer.Finish(result.stats);
}

class QueryService {
 public:
  QueryService(Evaluator& evaluator, QueryServiceOptions options, const Clock& clock)
      : evaluator_(evaluator), options_(std::move(options)), clock_(clock) {}

  Status Query(ServerCall& call) const {
    ASSIGN_OR_RETURN(const wire::QueryRequest request,
                     wire::DecodeQueryRequest(call.request().view));
    RETURN_IF_ERROR(CheckSeconds("time", request.time_seconds));
    ASSIGN_OR_RETURN(QueryParams params, ParamsOf(request));
    params.instant = true;
    params.start = params.end =
        request.time_seconds == 0 ? clock_.NowMs() : request.time_seconds * kSecond;
    AnswerWriter writer(call, request.response_batch_size);
    auto result = Evaluate(call, params);
    if (result.ok()) return WriteResult(*result, writer);
    if (!request.enable_partial_response || result.status().code() != StatusCode::kAborted)
      return result.status();
    return writer.Warning(result.status().message());
  }

  Status QueryRange(ServerCall& call) const {
    ASSIGN_OR_RETURN(const wire::QueryRangeRequest request,
                     wire::DecodeQueryRangeRequest(call.request().view));
    RETURN_IF_ERROR(CheckSeconds("start time", request.start_seconds));
    RETURN_IF_ERROR(CheckSeconds("end time", request.end_seconds));
    RETURN_IF_ERROR(CheckSeconds("interval", request.interval_seconds));
    ASSIGN_OR_RETURN(QueryParams params, ParamsOf(request));
    params.instant = false;
    params.start = request.start_seconds * kSecond;
    params.end = request.end_seconds * kSecond;
    params.step_ms = request.interval_seconds * kSecond;
    if (params.step_ms <= 0) {
      return MakeError(StatusCode::kAborted,
                       "zero or negative query resolution step widths are not accepted. Try a "
                       "positive integer");
    }
    AnswerWriter writer(call, request.response_batch_size);
    ASSIGN_OR_RETURN(const promql::QueryResult result, Evaluate(call, params));
    return WriteResult(result, writer);
  }

 private:
  StatusOr<promql::QueryResult> Evaluate(const ServerCall& call, const QueryParams& params) const {
    ASSIGN_OR_RETURN(const model::TenantName tenant,
                     CheckedTenant(options_.tenancy, call.context().request().tenant));
    const Context identified = call.context().WithRequest(
        {.tenant = tenant.value(), .request_id = call.context().request().request_id});
    auto result = evaluator_.Evaluate(identified, params);
    if (result.ok()) return result;
    const bool no_query = result.status().code() == StatusCode::kInvalidArgument;
    return MakeError(no_query ? StatusCode::kUnknown : StatusCode::kAborted,
                     std::string(result.status().message()));
  }

  StatusOr<QueryParams> ParamsOf(const wire::QueryApiOptions& request) const {
    RETURN_IF_ERROR(CheckSeconds("timeout", request.timeout_seconds));
    RETURN_IF_ERROR(CheckSeconds("max resolution", request.max_resolution_seconds));
    RETURN_IF_ERROR(CheckSeconds("lookback delta", request.lookback_delta_seconds));
    const ParamDefaults& defaults = options_.defaults;
    QueryParams params;
    params.query = request.query;
    params.dedup = request.enable_dedup;
    params.replica_labels =
        request.replica_labels.empty() ? defaults.replica_labels : request.replica_labels;
    params.partial_response = request.enable_partial_response;
    params.store_matchers = request.store_matchers;
    params.timeout = defaults.timeout;
    if (request.timeout_seconds > 0)
      params.timeout =
          std::min<Nanoseconds>(params.timeout, std::chrono::seconds(request.timeout_seconds));
    params.max_source_resolution_ms =
        request.max_resolution_seconds != 0
            ? request.max_resolution_seconds * kSecond
            : defaults.instant_max_source_resolution.count() / 1'000'000;
    params.shard_info = request.shard_info;
    params.lookback_delta_ms = request.lookback_delta_seconds * kSecond;
    params.analyzable = request.engine == wire::QueryEngine::kDefault
                            ? defaults.engine == "thanos"
                            : request.engine == wire::QueryEngine::kThanos;
    return params;
  }

  Evaluator& evaluator_;
  const QueryServiceOptions options_;
  const Clock& clock_;
};

}  // namespace

void RegisterQuery(Server& server, Evaluator& evaluator, QueryServiceOptions options,
                   const Clock& clock) {
  const auto service = std::make_shared<QueryService>(evaluator, std::move(options), clock);
  server.Register("/thanos.Query/Query", Server::Kind::kServerStream,
                  [service](ServerCall& call) { return service->Query(call); });
  server.Register("/thanos.Query/QueryRange", Server::Kind::kServerStream,
                  [service](ServerCall& call) { return service->QueryRange(call); });
}

}  // namespace aevum::query
