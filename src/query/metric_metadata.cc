#include "query/metric_metadata.h"

#include <algorithm>
#include <utility>

namespace aevum::query {
namespace {

// What a node of the map and a list of one take beside the text.
constexpr std::int64_t kEntryBytes = 200;

std::int64_t BytesOf(const wire::MetricMetadata& metadata) {
  std::int64_t bytes = 0;
  for (const auto& [metric, metas] : metadata) {
    bytes += kEntryBytes + static_cast<std::int64_t>(metric.size());
    for (const wire::Metadata& meta : metas)
      bytes += static_cast<std::int64_t>(sizeof meta + meta.help.size());
  }
  return bytes;
}

}  // namespace

Status MetricMetadataProxy::Ask(const Context& context, const wire::MetricMetadataRequest& request,
                                const Sink& sink) {
  FanOutQuestion question;
  question.path = "/thanos.Metadata/MetricMetadata";
  question.what = "metric metadata";
  question.span = "proxy_metadata";
  question.request = wire::Encode(request);
  question.partial_response = request.partial_response;
  question.offered = [](const wire::InfoResponse& info) { return info.metric_metadata; };
  std::vector<std::string> warnings;
  RETURN_IF_ERROR(fan_out_.Ask(
      context, question,
      [&](const ServiceEndpoint& /*endpoint*/, std::string_view message) -> Status {
        ASSIGN_OR_RETURN(wire::MetricMetadataResponse response,
                         wire::DecodeMetricMetadataResponse(message));
        sink(std::move(response));
        return OkStatus();
      },
      &warnings));
  for (std::string& warning : warnings) sink({.warning = std::move(warning)});
  return OkStatus();
}

StatusOr<MetricMetadataAnswer> MetricMetadataProxy::Collect(
    const Context& context, const wire::MetricMetadataRequest& request) {
  MetricMetadataAnswer answer;
  MemoryCharge charge(context.budget());
  Status budget;
  RETURN_IF_ERROR(Ask(context, request, [&](wire::MetricMetadataResponse response) {
    if (!response.metadata) {
      answer.warnings.push_back(std::move(response.warning));
      return;
    }
    if (budget.ok()) budget = charge.Add(BytesOf(*response.metadata), "metadata of metrics");
    if (budget.ok())
      MergeMetricMetadata(*std::move(response.metadata), request.limit, &answer.metadata);
  }));
  RETURN_IF_ERROR(budget);
  NormaliseWarnings(&answer.warnings);
  return answer;
}

void MergeMetricMetadata(wire::MetricMetadata more, std::int32_t limit,
                         wire::MetricMetadata* metadata) {
  for (auto& [metric, metas] : more) {
    const auto known = metadata->find(metric);
    if (known != metadata->end()) {
      for (wire::Metadata& meta : metas) {
        std::vector<wire::Metadata>& list = known->second;
        if (std::find(list.begin(), list.end(), meta) == list.end())
          list.push_back(std::move(meta));
      }
    } else if (limit < 0 || metadata->size() < static_cast<std::size_t>(limit)) {
      metadata->emplace(metric, std::move(metas));
    }
  }
}

}  // namespace aevum::query
