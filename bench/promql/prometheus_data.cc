#include "prometheus_data.h"

#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <fmt/core.h>

namespace aevum::bench {
namespace {

using model::Label;
using model::Labels;

std::vector<TimestampMs> Times(int first, int count, std::int64_t interval_ms) {
  std::vector<TimestampMs> times;
  for (int i = first; i < first + count; ++i) times.push_back(i * interval_ms);
  return times;
}

// Series i of n has the value s + i / n at sample s: a slope of one with digits that differ.
std::vector<ChunkStorage::Series> Slopes(const std::vector<Labels>& labels, int samples) {
  const std::vector<TimestampMs> times = Times(0, samples, kPrometheusIntervalMs);
  std::vector<double> values(times.size());
  std::vector<ChunkStorage::Series> series;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const double above = static_cast<double>(i) / static_cast<double>(labels.size());
    for (std::size_t s = 0; s < values.size(); ++s) values[s] = static_cast<double>(s) + above;
    series.push_back({.labels = labels[i], .samples = EncodeFloats(times, values)});
  }
  return series;
}

// The metrics of one X: a_X, b_X, and h_X with its buckets, for a value of `l` that may be "".
void AddMetrics(std::string_view x, std::string_view l, std::vector<Labels>* out) {
  const auto add = [&](std::string_view metric, std::string_view le) {
    const std::string name = fmt::format("{}_{}", metric, x);
    out->push_back(Labels::Of({{model::kMetricName, name}, {"l", l}, {"le", le}}));
  };
  add("a", "");
  add("b", "");
  for (int le = 0; le < 10; ++le) add("h", fmt::format("{}", le));
  add("h", "+Inf");
}

void AddSparse(std::size_t metrics, std::vector<ChunkStorage::Series>* out) {
  constexpr int kPart = kRangeSamples / 50;
  for (int first = 0; first < kRangeSamples; first += kPart) {
    const int count = std::min(kPart, kRangeSamples - first);
    std::vector<double> values;
    for (int s = first; s < first + count; ++s)
      values.push_back(static_cast<double>(s) / static_cast<double>(metrics));
    const std::string l = fmt::format("{}", first / kPart);
    out->push_back({.labels = Labels::Of({{model::kMetricName, "sparse"}, {"l", l}}),
                    .samples = EncodeFloats(Times(first, count, kPrometheusIntervalMs), values)});
  }
}

std::vector<ChunkStorage::Series> MakeRangeQueryData() {
  std::vector<Labels> metrics;
  AddMetrics("one", "", &metrics);
  for (const auto& [x, count] : {std::pair("ten", 10), std::pair("hundred", 100)}) {
    for (int l = 0; l < count; ++l) AddMetrics(x, fmt::format("{}", l), &metrics);
  }
  std::vector<ChunkStorage::Series> series = Slopes(metrics, kRangeSamples);
  AddSparse(metrics.size(), &series);
  return series;
}

std::vector<ChunkStorage::Series> MakeJoinQueryData() {
  constexpr int kInstances = 1000;
  constexpr int kWithZero = 58;  // as many as the seed of the other table gives
  std::mt19937_64 random(0);
  std::vector<Labels> metrics;
  for (int i = 0; i < kInstances; ++i) {
    const std::uint64_t a = random();
    const std::uint64_t b = random();
    const int digit = i < kWithZero ? 0 : 1 + i % 15;
    const std::string instance =
        fmt::format("{:x}{:07x}-{:04x}-4{:03x}-a{:03x}-{:012x}", digit, a >> 36, a & 0xffff,
                    a >> 16 & 0xfff, b >> 52, b & 0xffff'ffff'ffff);
    for (const char* name : {"rpc_request_success_total", "rpc_request_error_total"}) {
      metrics.push_back(Labels::Of({{model::kMetricName, name},
                                    {"cluster", "test-kubernetes-cluster"},
                                    {"domain", "test-domain"},
                                    {"environment", "staging"},
                                    {"instance", instance},
                                    {"job", "worker"},
                                    {"namespace", "test-kubernetes-namespace"},
                                    {"rpc_method", "fetch-my-data-from-this-service"}}));
    }
  }
  return Slopes(metrics, kJoinSamples);
}

std::vector<ChunkStorage::Series> MakeInfoData() {
  constexpr int kTargets = 100;
  constexpr int kSamples = 3600;
  const std::vector<TimestampMs> times = Times(0, kSamples, 2000);
  const EncodedSamples ones = EncodeFloats(times, std::vector<double>(kSamples, 1));
  std::vector<ChunkStorage::Series> series;
  for (int i = 0; i < kTargets; ++i) {
    const std::string instance = fmt::format("instance{}", i);
    const std::string job = fmt::format("job{}", i);
    series.push_back(
        {.labels = Labels::Of({{model::kMetricName, "target_info"},
                               {"instance", instance},
                               {"job", job},
                               {"k8s_cluster_name", i < kTargets / 2 ? "us-east" : "eu-south"}}),
         .samples = ones});
  }
  std::vector<double> counter;
  for (int i = 0; i < kSamples; ++i) counter.push_back(i);
  for (const char* code : {"200", "400", "500"}) {
    series.push_back(
        {.labels = Labels::Of({{model::kMetricName, "http_server_request_duration_seconds_count"},
                               {"http_status_code", code},
                               {"instance", "instance0"},
                               {"job", "job0"}}),
         .samples = EncodeFloats(times, counter)});
  }
  return series;
}

}  // namespace

ChunkStorage& RangeQueryData() {
  static ChunkStorage storage(MakeRangeQueryData());
  return storage;
}

ChunkStorage& JoinQueryData() {
  static ChunkStorage storage(MakeJoinQueryData());
  return storage;
}

ChunkStorage& InfoData() {
  static ChunkStorage storage(MakeInfoData());
  return storage;
}

}  // namespace aevum::bench
