// What the API tells beside series: metadata of metrics, exemplars, what databases hold.
#include <charconv>
#include <cmath>
#include <string>
#include <utility>

#include <fmt/core.h>

#include "query/answer.h"
#include "query/api.h"
#include "query/json_writer.h"

namespace aevum::query {
namespace {

wire::PartialResponse StrategyOf(bool partial_response) {
  return partial_response ? wire::PartialResponse::kWarn : wire::PartialResponse::kAbort;
}

// Whatever the reason: these questions fail on the server's side.
Status Failed(std::string_view what, const Status& status) {
  return MakeError(StatusCode::kInternal, fmt::format("{}: {}", what, status.message()));
}

// The shortest digits without an exponent, as exemplars have them.
std::string FixedText(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  char buffer[512];
  const auto [end, error] =
      std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::fixed);
  return {buffer, end};
}

void WriteMetadata(const wire::MetricMetadata& metadata, JsonWriter& writer) {
  writer.Raw("{");
  bool first_metric = true;
  for (const auto& [metric, metas] : metadata) {
    if (!std::exchange(first_metric, false)) writer.Raw(",");
    writer.String(metric);
    writer.Raw(":[");
    bool first = true;
    for (const wire::Metadata& meta : metas) {
      writer.Raw(std::exchange(first, false) ? "{\"type\":" : ",{\"type\":");
      writer.String(meta.type);
      writer.Raw(",\"help\":");
      writer.String(meta.help);
      writer.Raw(",\"unit\":");
      writer.String(meta.unit);
      writer.Raw("}");
    }
    writer.Raw("]");
  }
  writer.Raw("}");
}

void WriteExemplars(const std::vector<wire::ExemplarSeries>& all, JsonWriter& writer) {
  writer.Raw("[");
  bool first_series = true;
  for (const wire::ExemplarSeries& series : all) {
    writer.Raw(std::exchange(first_series, false) ? "{\"seriesLabels\":" : ",{\"seriesLabels\":");
    writer.Labels(series.labels);
    writer.Raw(",\"exemplars\":[");
    bool first = true;
    for (const wire::Exemplar& exemplar : series.exemplars) {
      writer.Raw(std::exchange(first, false) ? "{\"labels\":" : ",{\"labels\":");
      writer.Labels(exemplar.labels);
      writer.Raw(fmt::format(",\"timestamp\":{},\"value\":\"{}\"}}",
                             FixedText(static_cast<double>(exemplar.time) / 1000),
                             FixedText(exemplar.value)));
    }
    writer.Raw("]}");
  }
  writer.Raw("]");
}

void WriteStatistics(std::string_view name, const std::vector<wire::Statistic>& statistics,
                     std::int32_t limit, JsonWriter& writer) {
  writer.Raw(fmt::format(",\"{}\":[", name));
  std::int32_t written = 0;
  for (const wire::Statistic& statistic : statistics) {
    if (written == limit) break;
    writer.Raw(written++ == 0 ? "{\"name\":" : ",{\"name\":");
    writer.String(statistic.name);
    writer.Raw(fmt::format(",\"value\":{}}}", statistic.value));
  }
  writer.Raw("]");
}

void WriteTsdbStatus(const wire::TsdbStatistics& statistics, std::int32_t limit,
                     JsonWriter& writer) {
  const wire::HeadStatistics& head = statistics.head;
  writer.Raw(
      fmt::format("{{\"headStats\":{{\"numSeries\":{},\"numLabelPairs\":{},\"chunkCount\":{}"
                  ",\"minTime\":{},\"maxTime\":{}}}",
                  head.series, head.label_pairs, head.chunks, head.min_time, head.max_time));
  WriteStatistics("seriesCountByMetricName", statistics.series_by_metric, limit, writer);
  WriteStatistics("labelValueCountByLabelName", statistics.values_by_label, limit, writer);
  WriteStatistics("memoryInBytesByLabelName", statistics.memory_bytes_by_label, limit, writer);
  WriteStatistics("seriesCountByLabelValuePair", statistics.series_by_label_pair, limit, writer);
  writer.Raw("}");
}

}  // namespace

Status Api::MetricMetadata(const Context& context, const net::HttpRequest& request,
                           net::HttpResponse& response) {
  ASSIGN_OR_RETURN(MetricMetadataParams params, ParseMetricMetadataParams(request));
  const auto answer = services_.metadata.metadata.Collect(
      Bounded(context), {.metric = std::move(params.metric),
                         .limit = params.limit,
                         .partial_response = StrategyOf(options_.metadata_partial_response)});
  if (!answer.ok()) return Failed("retrieving metadata: proxy MetricMetadata", answer.status());
  if (!answer->warnings.empty()) response.SetHeader("Cache-Control", "no-store");
  JsonWriter writer(SinkOf(response));
  BeginAnswer(writer);
  WriteMetadata(answer->metadata, writer);
  return FinishAnswer(writer, answer->warnings);
}

Status Api::Exemplars(const Context& context, const net::HttpRequest& request,
                      net::HttpResponse& response) {
  ASSIGN_OR_RETURN(ExemplarsParams params, ParseExemplarsParams(request));
  const auto answer = services_.metadata.exemplars.Collect(
      Bounded(context), {.query = std::move(params.query),
                         .start = params.start,
                         .end = params.end,
                         .partial_response = StrategyOf(options_.exemplar_partial_response)});
  if (!answer.ok()) return Failed("retrieving exemplars: proxy Exemplars", answer.status());
  if (!answer->warnings.empty()) response.SetHeader("Cache-Control", "no-store");
  JsonWriter writer(SinkOf(response));
  BeginAnswer(writer);
  WriteExemplars(answer->series, writer);
  return FinishAnswer(writer, answer->warnings);
}

Status Api::TsdbStatus(const Context& context, const net::HttpRequest& request,
                       net::HttpResponse& response) {
  constexpr std::string_view kWhat = "retrieving tsdb statistics";
  ASSIGN_OR_RETURN(TsdbStatusParams params, ParseTsdbStatusParams(request));
  const std::string& tenant = context.request().tenant;
  if (options_.tenancy.enforce)
    params.matchers.push_back(model::Matcher::Equal(options_.tenancy.label, tenant));
  const auto answer = services_.metadata.tsdb_status.Collect(
      Bounded(context), {.tenant = {},
                         .limit = params.limit,
                         .partial_response = StrategyOf(options_.status_partial_response),
                         .matchers = std::move(params.matchers)});
  if (!answer.ok()) return Failed(fmt::format("{}: proxy TSDBStatistics", kWhat), answer.status());
  wire::TsdbStatistics statistics;
  if (options_.tenancy.enforce) {
    const auto own = answer->statistics.find(tenant);
    if (own == answer->statistics.end())
      return MakeError(StatusCode::kInternal,
                       fmt::format("{}: {} tenant not found", kWhat, tenant));
    statistics = own->second;
  } else {
    for (const auto& [name, one] : answer->statistics) MergeTsdbStatistics(one, &statistics);
  }
  if (!answer->warnings.empty()) response.SetHeader("Cache-Control", "no-store");
  JsonWriter writer(SinkOf(response));
  BeginAnswer(writer);
  WriteTsdbStatus(statistics, params.limit, writer);
  return FinishAnswer(writer, answer->warnings);
}

}  // namespace aevum::query
