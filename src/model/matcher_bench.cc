#include <random>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include "model/matcher.h"

namespace aevum::model {
namespace {

// 10,000 different pod names, as a label of a large cluster holds them.
std::vector<std::string> PodNames() {
  std::mt19937 random(1);
  std::vector<std::string> names;
  for (int i = 0; i < 10'000; ++i) {
    names.push_back(fmt::format("{}-{:08x}-{:05x}", i % 3 == 0 ? "checkout" : "frontend", random(),
                                random() % 0xfffff));
  }
  return names;
}

std::string Alternation(int count) {
  std::string pattern;
  for (int i = 0; i < count; ++i) pattern += fmt::format("{}pod-{}", i > 0 ? "|" : "", i);
  return pattern;
}

void BM_RegexMatch(benchmark::State& state, const std::string& pattern) {
  const std::vector<std::string> values = PodNames();
  const Matcher matcher = *Matcher::Create(MatchType::kRegex, "pod", pattern);
  std::int64_t matched = 0;
  for (auto _ : state) {
    for (const std::string& value : values) matched += matcher.Matches(value) ? 1 : 0;
  }
  benchmark::DoNotOptimize(matched);
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(values.size()));
}

BENCHMARK_CAPTURE(BM_RegexMatch, literal, "checkout-00000000-00000");
BENCHMARK_CAPTURE(BM_RegexMatch, prefix, "checkout-.+");
BENCHMARK_CAPTURE(BM_RegexMatch, suffix, ".*-00fff");
BENCHMARK_CAPTURE(BM_RegexMatch, contains, ".*out-.*");
BENCHMARK_CAPTURE(BM_RegexMatch, set_of_100, Alternation(100));
BENCHMARK_CAPTURE(BM_RegexMatch, set_of_50000, Alternation(50'000));
BENCHMARK_CAPTURE(BM_RegexMatch, general, "(checkout|frontend)-[0-9a-f]+-[0-9]+");

void BM_LabelsCompare(benchmark::State& state) {
  std::vector<Labels> labels;
  for (const std::string& pod : PodNames()) {
    labels.push_back(Labels::Of({{"__name__", "http_request_duration_seconds_bucket"},
                                 {"cluster", "europe-west1-production"},
                                 {"job", "kubernetes-pods"},
                                 {"namespace", "default"},
                                 {"pod", pod}}));
  }
  std::size_t i = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(labels[i] < labels[i + 1]);
    i = (i + 1) % (labels.size() - 1);
  }
}
BENCHMARK(BM_LabelsCompare);

}  // namespace
}  // namespace aevum::model
