#include "sidecar/metadata_service.h"

#include <string>
#include <utility>
#include <vector>

#include "net/grpc/server.h"
#include "sidecar/heartbeat.h"
#include "sidecar/metadata_answers.h"
#include "sidecar/prometheus_client.h"
#include "store/external_labels.h"

namespace aevum::sidecar {
namespace {

using net::grpc::Server;
using net::grpc::ServerCall;

constexpr std::string_view kMetadataPath = "/api/v1/metadata";
constexpr std::string_view kExemplarsPath = "/api/v1/query_exemplars";
constexpr std::string_view kTsdbPath = "/api/v1/status/tsdb";

template <typename Response>
Status Send(ServerCall& call, const Response& response) {
  if (call.Write(SharedBytes::Own(wire::Encode(response)))) return OkStatus();
  return MakeError(StatusCode::kCancelled, "the client has gone");
}

template <typename Response>
Status SendWarnings(ServerCall& call, const std::vector<std::string>& warnings) {
  for (const std::string& warning : warnings) {
    Response response;
    response.warning = warning;
    RETURN_IF_ERROR(Send(call, response));
  }
  return OkStatus();
}

// Versions of Prometheus that know no limit give 10 or more.
void Cut(std::int32_t limit, std::vector<wire::Statistic>* statistics) {
  if (limit > 0 && statistics->size() > static_cast<std::size_t>(limit))
    statistics->resize(static_cast<std::size_t>(limit));
}

class MetadataService {
 public:
  MetadataService(std::shared_ptr<PrometheusClient> client, const Heartbeat& heartbeat)
      : client_(std::move(client)), heartbeat_(heartbeat) {}

  Status MetricMetadata(ServerCall& call) const;
  Status Exemplars(ServerCall& call) const;
  Status TsdbStatistics(ServerCall& call) const;

 private:
  StatusOr<std::shared_ptr<const PrometheusState>> CurrentState() const {
    auto state = heartbeat_.state();
    if (state == nullptr) return Unavailable("not ready: {}", heartbeat_.ready().message());
    return state;
  }

  const std::shared_ptr<PrometheusClient> client_;
  const Heartbeat& heartbeat_;
};

Status MetadataService::MetricMetadata(ServerCall& call) const {
  ASSIGN_OR_RETURN(const wire::MetricMetadataRequest request,
                   wire::DecodeMetricMetadataRequest(call.request().view));
  PrometheusClient::Parameters parameters;
  if (!request.metric.empty()) parameters.emplace_back("metric", request.metric);
  if (request.limit >= 0) parameters.emplace_back("limit", fmt::format("{}", request.limit));
  ASSIGN_OR_RETURN(const PrometheusClient::Body body,
                   client_->Get(call.context(), kMetadataPath, parameters));
  StatusOr<MetadataAnswer> answer = ParseMetadataAnswer(body.bytes);
  if (!answer.ok()) return client_->AnnotateAnswer(answer.status(), kMetadataPath);
  RETURN_IF_ERROR(SendWarnings<wire::MetricMetadataResponse>(call, answer->warnings));
  wire::MetricMetadataResponse response;
  response.metadata = std::move(answer->metadata);
  return Send(call, response);
}

Status MetadataService::Exemplars(ServerCall& call) const {
  ASSIGN_OR_RETURN(const wire::ExemplarsRequest request,
                   wire::DecodeExemplarsRequest(call.request().view));
  ASSIGN_OR_RETURN(const auto state, CurrentState());
  ASSIGN_OR_RETURN(const PrometheusClient::Body body,
                   client_->Get(call.context(), kExemplarsPath,
                                {{"query", request.query},
                                 {"start", FormatApiTime(request.start)},
                                 {"end", FormatApiTime(request.end)}}));
  StatusOr<ExemplarsAnswer> answer = ParseExemplarsAnswer(body.bytes);
  if (!answer.ok()) return client_->AnnotateAnswer(answer.status(), kExemplarsPath);
  RETURN_IF_ERROR(SendWarnings<wire::ExemplarsResponse>(call, answer->warnings));
  for (wire::ExemplarSeries& series : answer->series) {
    series.labels = store::ExtendLabels(series.labels, state->external_labels);
    wire::ExemplarsResponse response;
    response.series = std::move(series);
    RETURN_IF_ERROR(Send(call, response));
  }
  return OkStatus();
}

Status MetadataService::TsdbStatistics(ServerCall& call) const {
  ASSIGN_OR_RETURN(const wire::TsdbStatisticsRequest request,
                   wire::DecodeTsdbStatisticsRequest(call.request().view));
  ASSIGN_OR_RETURN(const auto state, CurrentState());
  wire::TsdbStatisticsResponse response;
  response.statistics.emplace();
  if (!request.tenant.empty() || !model::MatchesAll(request.matchers, state->external_labels))
    return Send(call, response);
  PrometheusClient::Parameters parameters;
  if (request.limit > 0) parameters.emplace_back("limit", fmt::format("{}", request.limit));
  ASSIGN_OR_RETURN(const PrometheusClient::Body body,
                   client_->Get(call.context(), kTsdbPath, parameters));
  StatusOr<wire::TsdbStatistics> statistics = ParseTsdbStatusAnswer(body.bytes);
  if (!statistics.ok()) return client_->AnnotateAnswer(statistics.status(), kTsdbPath);
  for (auto* list : {&statistics->series_by_metric, &statistics->values_by_label,
                     &statistics->memory_bytes_by_label, &statistics->series_by_label_pair})
    Cut(request.limit, list);
  response.statistics->emplace("", *std::move(statistics));
  return Send(call, response);
}

}  // namespace

void RegisterMetadataServices(Server& server, std::shared_ptr<PrometheusClient> client,
                              const Heartbeat& heartbeat) {
  const auto service = std::make_shared<const MetadataService>(std::move(client), heartbeat);
  server.Register("/thanos.Metadata/MetricMetadata", Server::Kind::kServerStream,
                  [service](ServerCall& call) { return service->MetricMetadata(call); });
  server.Register("/thanos.Exemplars/Exemplars", Server::Kind::kServerStream,
                  [service](ServerCall& call) { return service->Exemplars(call); });
  server.Register("/thanos.Status/TSDBStatistics", Server::Kind::kServerStream,
                  [service](ServerCall& call) { return service->TsdbStatistics(call); });
}

}  // namespace aevum::sidecar
