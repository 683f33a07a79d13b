#include "promql/script/classic_histograms.h"

#include <cmath>
#include <limits>
#include <map>
#include <optional>
#include <string_view>
#include <utility>

namespace aevum::promql::script {
namespace {

// What is known of one histogram at one time.
struct Classic {
  std::map<double, double> buckets;  // cumulative counts by upper bound
  std::optional<double> count;
  double sum = 0;
};

model::FloatHistogram Convert(Classic classic) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const double highest = classic.buckets.empty() ? 0 : classic.buckets.rbegin()->second;
  model::FloatHistogram histogram;
  histogram.schema = model::kCustomBucketsSchema;
  histogram.count = classic.count.value_or(highest);
  histogram.sum = classic.sum;
  classic.buckets.emplace(kInfinity, histogram.count);
  double below = 0;
  for (const auto& [bound, count] : classic.buckets) {
    if (bound != kInfinity) histogram.custom_values.push_back(bound);
    histogram.positive_buckets.push_back(count - below);
    below = count;
  }
  histogram.positive_spans = {{0, static_cast<std::uint32_t>(histogram.positive_buckets.size())}};
  return histogram;
}

enum class Part : std::uint8_t { kNone, kBucket, kCount, kSum };

// Which part of a classic histogram a metric is; cuts the suffix off.
Part TakeSuffix(std::string_view* name) {
  constexpr std::pair<std::string_view, Part> kSuffixes[] = {
      {"_bucket", Part::kBucket}, {"_count", Part::kCount}, {"_sum", Part::kSum}};
  for (const auto& [suffix, part] : kSuffixes) {
    if (!name->ends_with(suffix)) continue;
    name->remove_suffix(suffix.size());
    return part;
  }
  return Part::kNone;
}

}  // namespace

void AppendCustomBuckets(const Load& load, MemoryStorage* storage) {
  std::map<model::Labels, std::map<TimestampMs, Classic>> histograms;
  for (const SeriesLine& line : load.series) {
    std::string_view name = line.labels.Get(model::kMetricName);
    const Part part = TakeSuffix(&name);
    double bound = 0;
    if (part == Part::kNone ||
        (part == Part::kBucket &&
         (!ParseNumber(line.labels.Get("le"), &bound) || std::isnan(bound)))) {
      continue;
    }
    model::LabelsBuilder builder(line.labels);
    builder.Set(model::kMetricName, name).Remove("le");
    auto& by_time = histograms[builder.Build()];
    TimestampMs time = 0;
    for (const SequenceValue& value : line.values) {
      const TimestampMs at = std::exchange(time, time + load.step_ms);
      if (value.missing || value.histogram) continue;
      Classic& classic = by_time[at];
      if (part == Part::kBucket) {
        classic.buckets[bound] = value.value;
      } else if (part == Part::kCount) {
        classic.count = value.value;
      } else {
        classic.sum = value.value;
      }
    }
  }
  for (auto& [labels, by_time] : histograms) {
    for (auto& [time, classic] : by_time) {
      storage->AppendHistogram(labels, time, Convert(std::move(classic)));
    }
  }
}

}  // namespace aevum::promql::script
