#include "histogram_data.h"

#include <string>
#include <vector>

#include <fmt/core.h>

namespace aevum::bench {
namespace {

using model::FloatHistogram;

constexpr int kSeries = 3000;
constexpr int kSamples = 2000;
constexpr std::int64_t kIntervalMs = 15'000;

// The i-th of a counter that grows by one in each bucket.
FloatHistogram Exponential(int i) {
  const double n = i;
  const std::vector<model::Span> spans = {{.offset = 0, .length = 2}, {.offset = 1, .length = 2}};
  const std::vector<double> buckets = {n + 1, n + 2, n + 1, n + 1};
  return {.schema = 1,
          .zero_threshold = 0.001,
          .zero_count = n + 2,
          .count = 9 * n + 12,
          .sum = 18.4 * (n + 1),
          .positive_spans = spans,
          .negative_spans = spans,
          .positive_buckets = buckets,
          .negative_buckets = buckets};
}

FloatHistogram CustomBuckets(int i) {
  const double n = i;
  return {.schema = model::kCustomBucketsSchema,
          .count = 4 * n + 5,
          .sum = 18.4 * (n + 1),
          .positive_spans = {{.offset = 0, .length = 2}, {.offset = 1, .length = 2}},
          .positive_buckets = {n + 1, n + 2, n + 1, n + 1},
          .custom_values = {0, 1, 2, 3, 4}};
}

// What every series begins with: a higher schema, which all that add histograms must reduce.
FloatHistogram FinerExponential() {
  return {.schema = 3,
          .count = 13,
          .positive_spans = {{.offset = -5, .length = 2},
                             {.offset = 2, .length = 3},
                             {.offset = 2, .length = 2}},
          .positive_buckets = {1, 3, 1, 2, 1, 1, 4}};
}

std::vector<ChunkStorage::Series> Copies(std::string_view name,
                                         const std::vector<FloatHistogram>& histograms) {
  std::vector<TimestampMs> times;
  for (int i = 0; i < kSamples; ++i) times.push_back(i * kIntervalMs);
  const EncodedSamples samples = EncodeHistograms(times, histograms);
  std::vector<ChunkStorage::Series> series;
  for (int i = 0; i < kSeries; ++i) {
    const std::string h = fmt::format("{}", i);
    series.push_back(
        {.labels = model::Labels::Of({{model::kMetricName, name}, {"foo", "bar"}, {"h", h}}),
         .samples = samples});
  }
  return series;
}

}  // namespace

ChunkStorage& ExponentialHistograms() {
  static ChunkStorage storage([] {
    std::vector<FloatHistogram> histograms = {FinerExponential()};
    for (int i = 1; i < kSamples; ++i) histograms.push_back(Exponential(i));
    return Copies("native_histogram_series", histograms);
  }());
  return storage;
}

ChunkStorage& CustomBucketHistograms() {
  static ChunkStorage storage([] {
    std::vector<FloatHistogram> histograms;
    for (int i = 0; i < kSamples; ++i) histograms.push_back(CustomBuckets(i));
    return Copies("native_histogram_custom_bucket_series", histograms);
  }());
  return storage;
}

}  // namespace aevum::bench
