#include "query/stats_json.h"

#include <chrono>
#include <numeric>

#include <fmt/core.h>

#include "base/duration.h"
#include "model/format_float.h"

namespace aevum::query {
namespace {

void WriteSamplesPerStep(const promql::QueryResult& result, JsonWriter& writer) {
  writer.Raw("\"totalQueryableSamplesPerStep\":[");
  const std::vector<std::int64_t>& samples = result.stats.step_samples;
  for (std::size_t k = 0; k < samples.size() && !writer.failed(); ++k) {
    char time[model::kMaxFloatSize];
    writer.Raw(k > 0 ? ",[" : "[");
    writer.Raw(
        {time, static_cast<std::size_t>(model::FormatTimestamp(time, result.TimeOf(k)) - time)});
    writer.Raw(fmt::format(",{}]", samples[k]));
  }
  writer.Raw("],");
}

void WriteChildren(const promql::PlanNode& plan, JsonWriter& writer,
                   void (*write)(const promql::PlanNode&, JsonWriter&)) {
  if (plan.children.empty()) return;
  writer.Raw(",\"children\":[");
  for (std::size_t i = 0; i < plan.children.size() && !writer.failed(); ++i) {
    if (i > 0) writer.Raw(",");
    write(plan.children[i], writer);
  }
  writer.Raw("]");
}

void WriteName(const promql::PlanNode& plan, JsonWriter& writer) {
  writer.Raw("{\"name\":");
  writer.String(plan.name);
}

}  // namespace

void WriteStats(const promql::QueryResult& result, StatsDetail detail, JsonWriter& writer) {
  const promql::QueryStats& stats = result.stats;
  const auto seconds = [](std::chrono::nanoseconds time) {
    return std::chrono::duration<double>(time).count();
  };
  const std::chrono::nanoseconds evaluation = stats.preparation + stats.evaluation + stats.sorting;
  writer.Raw(fmt::format(
      "{{\"timings\":{{\"evalTotalTime\":{},\"resultSortTime\":{},\"queryPreparationTime\":{},"
      "\"innerEvalTime\":{},\"execQueueTime\":{},\"execTotalTime\":{}}},\"samples\":{{",
      seconds(evaluation), seconds(stats.sorting), seconds(stats.preparation),
      seconds(stats.evaluation), seconds(stats.queued), seconds(stats.queued + evaluation)));
  if (detail == StatsDetail::kPerStep) WriteSamplesPerStep(result, writer);
  const std::int64_t total =
      std::accumulate(stats.step_samples.begin(), stats.step_samples.end(), std::int64_t{0});
  writer.Raw(fmt::format("\"totalQueryableSamples\":{},\"peakSamples\":{}}}}}", total,
                         stats.peak_bytes / 16));
}

void WritePlan(const promql::PlanNode& plan, JsonWriter& writer) {
  WriteName(plan, writer);
  WriteChildren(plan, writer, WritePlan);
  writer.Raw("}");
}

void WriteAnalysis(const promql::PlanNode& plan, JsonWriter& writer) {
  WriteName(plan, writer);
  writer.Raw(fmt::format(",\"executionTime\":\"{}\"", FormatGoDuration(plan.execution_time)));
  const auto number = [&writer](std::string_view name, std::int64_t value) {
    if (value != 0) writer.Raw(fmt::format(",\"{}\":{}", name, value));
  };
  number("peakSamples", plan.peak_samples);
  number("totalSamples", plan.total_samples);
  number("series", plan.series);
  WriteChildren(plan, writer, WriteAnalysis);
  writer.Raw("}");
}

}  // namespace aevum::query
