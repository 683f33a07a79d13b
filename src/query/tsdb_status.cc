#include "query/tsdb_status.h"

#include <algorithm>
#include <map>
#include <utility>

namespace aevum::query {
namespace {

using StatisticList = std::vector<wire::Statistic>;

std::int64_t BytesOf(const wire::TsdbStatisticsByTenant& by_tenant) {
  std::size_t bytes = 0;
  for (const auto& [tenant, statistics] : by_tenant) {
    bytes += sizeof statistics + tenant.size();
    for (const StatisticList* list :
         {&statistics.series_by_metric, &statistics.values_by_label,
          &statistics.memory_bytes_by_label, &statistics.series_by_label_pair}) {
      for (const wire::Statistic& one : *list) bytes += sizeof one + one.name.size();
    }
  }
  return static_cast<std::int64_t>(bytes);
}

// Wraps around: what peers count may be anything.
std::int64_t Sum(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
}

std::uint64_t Added(std::uint64_t a, std::uint64_t b) { return a + b; }
std::uint64_t Larger(std::uint64_t a, std::uint64_t b) { return std::max(a, b); }

template <typename Join>
void Merge(const StatisticList& more, Join join, StatisticList* list) {
  std::map<std::string, std::uint64_t> values;
  for (const StatisticList* one : {static_cast<const StatisticList*>(list), &more}) {
    for (const wire::Statistic& statistic : *one) {
      const auto [known, is_new] = values.emplace(statistic.name, statistic.value);
      if (!is_new) known->second = join(known->second, statistic.value);
    }
  }
  list->clear();
  for (auto& [name, value] : values) list->push_back({.name = name, .value = value});
  // Names of equal values stay in their order.
  std::stable_sort(
      list->begin(), list->end(),
      [](const wire::Statistic& a, const wire::Statistic& b) { return a.value > b.value; });
}

}  // namespace

Status TsdbStatusProxy::Ask(const Context& context, const wire::TsdbStatisticsRequest& request,
                            const Sink& sink) {
  FanOutQuestion question;
  question.path = "/thanos.Status/TSDBStatistics";
  question.what = "TSDB statistics";
  question.span = "proxy_tsdb_statistics";
  question.request = wire::Encode(request);
  question.partial_response = request.partial_response;
  question.offered = [](const wire::InfoResponse& info) { return info.status; };
  std::vector<std::string> warnings;
  RETURN_IF_ERROR(fan_out_.Ask(
      context, question,
      [&](const ServiceEndpoint& /*endpoint*/, std::string_view message) -> Status {
        ASSIGN_OR_RETURN(wire::TsdbStatisticsResponse response,
                         wire::DecodeTsdbStatisticsResponse(message));
        sink(std::move(response));
        return OkStatus();
      },
      &warnings));
  for (std::string& warning : warnings) sink({.warning = std::move(warning)});
  return OkStatus();
}

StatusOr<TsdbStatusAnswer> TsdbStatusProxy::Collect(const Context& context,
                                                    const wire::TsdbStatisticsRequest& request) {
  TsdbStatusAnswer answer;
  MemoryCharge charge(context.budget());
  Status budget;
  RETURN_IF_ERROR(Ask(context, request, [&](const wire::TsdbStatisticsResponse& response) {
    if (!response.statistics) {
      answer.warnings.push_back(response.warning);
      return;
    }
    if (budget.ok()) budget = charge.Add(BytesOf(*response.statistics), "TSDB statistics");
    if (!budget.ok()) return;
    for (const auto& [tenant, statistics] : *response.statistics)
      MergeTsdbStatistics(statistics, &answer.statistics[tenant]);
  }));
  RETURN_IF_ERROR(budget);
  NormaliseWarnings(&answer.warnings);
  return answer;
}

void MergeTsdbStatistics(const wire::TsdbStatistics& more, wire::TsdbStatistics* statistics) {
  wire::HeadStatistics& head = statistics->head;
  head.series += more.head.series;
  head.label_pairs = Sum(head.label_pairs, more.head.label_pairs);
  head.chunks = Sum(head.chunks, more.head.chunks);
  if (head.min_time <= 0 || head.min_time > more.head.min_time) head.min_time = more.head.min_time;
  head.max_time = std::max(head.max_time, more.head.max_time);
  Merge(more.series_by_metric, Added, &statistics->series_by_metric);
  Merge(more.values_by_label, Larger, &statistics->values_by_label);
  Merge(more.memory_bytes_by_label, Added, &statistics->memory_bytes_by_label);
  Merge(more.series_by_label_pair, Added, &statistics->series_by_label_pair);
}

}  // namespace aevum::query
