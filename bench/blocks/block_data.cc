#include "block_data.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "base/check.h"

namespace aevum::bench {
namespace {

constexpr std::uint64_t kContainers = 4;
constexpr std::uint64_t kNamespaces = 10;
constexpr std::uint64_t kNodes = 20;
constexpr std::uint64_t kGenerations = 10;  // of a pod that churns

// Numbers that depend on nothing but where they are asked for: splitmix64.
class Random {
 public:
  Random(std::uint64_t seed, std::uint64_t series) : state_(seed * 0x9e3779b97f4a7c15 + series) {
    (*this)();
  }
  std::uint64_t operator()() {
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
  }
  std::uint64_t operator()(std::uint64_t below) { return (*this)() % below; }

 private:
  std::uint64_t state_;
};

enum class Kind : std::uint8_t { kCounter, kGauge, kConstant };

Kind KindOf(Shape shape, std::uint64_t metric, std::uint64_t series) {
  switch (shape) {
    case Shape::kSparse:
      return Kind::kGauge;
    case Shape::kCounters:
    case Shape::kChurn:
      return Kind::kCounter;
    case Shape::kKubernetes:
      break;
  }
  switch ((metric + series) % 8) {
    case 0:
    case 1:
      return Kind::kGauge;
    case 2:
      return Kind::kConstant;
    default:
      return Kind::kCounter;
  }
}

double Next(Kind kind, double value, Random& random) {
  switch (kind) {
    case Kind::kCounter:
      return random(2000) == 0 ? 0 : value + static_cast<double>(random(100));
    case Kind::kGauge:
      return value + (static_cast<double>(random(2001)) - 1000) / 100;
    case Kind::kConstant:
      break;
  }
  return value;
}

}  // namespace

std::optional<Shape> ShapeNamed(std::string_view name) {
  if (name == "counters") return Shape::kCounters;
  if (name == "churn") return Shape::kChurn;
  if (name == "sparse") return Shape::kSparse;
  if (name == "kubernetes") return Shape::kKubernetes;
  return std::nullopt;
}

BlockData::BlockData(const BlockDataOptions& options)
    : options_(options),
      pods_((options.series + options.metrics * options.codes - 1) /
            std::max<std::uint64_t>(options.metrics * options.codes, 1)) {
  AEVUM_CHECK(options.metrics > 0 && options.codes > 0 && options.series > 0);
}

// The digits of the number, the first label's the highest, so that numbers sort as labels do. All
// metrics have the same pods.
void BlockData::LabelsOf(std::uint64_t series, std::vector<std::string>* storage,
                         std::vector<model::Label>* labels) const {
  const std::uint64_t metric = series / pods_ / options_.codes;
  const std::uint64_t code = series / pods_ % options_.codes;
  const std::uint64_t pod = series % pods_;
  // Of all pods in order the first quarter are of the first container, and so on.
  const auto part = [&](std::uint64_t parts) { return pod * parts / pods_; };
  const std::uint64_t container = part(kContainers);
  const std::uint64_t name_space = part(kContainers * kNamespaces);
  const std::uint64_t node = part(kContainers * kNamespaces * kNodes);
  storage->clear();
  storage->push_back(fmt::format("bench_requests_{:04}_total", metric));
  storage->push_back(fmt::format("{:04}", code));
  storage->push_back(fmt::format("container-{}", container));
  storage->push_back("kubernetes-pods");
  storage->push_back(fmt::format("namespace-{:02}", name_space % (kContainers * kNamespaces)));
  storage->push_back(fmt::format("node-{:03}.example.internal", node));
  storage->push_back(options_.shape == Shape::kChurn
                         ? fmt::format("app-{:07}-{}", pod / kGenerations, pod % kGenerations)
                         : fmt::format("app-{:08}", pod));
  static constexpr std::string_view kNames[] = {"__name__",  "code", "container", "job",
                                                "namespace", "node", "pod"};
  labels->clear();
  for (std::size_t i = 0; i < storage->size(); ++i) labels->push_back({kNames[i], (*storage)[i]});
}

void BlockData::SamplesOf(std::uint64_t series, std::vector<TimestampMs>* times,
                          std::vector<double>* values) const {
  times->clear();
  values->clear();
  Random random(options_.seed, series + static_cast<std::uint64_t>(options_.start));
  const std::uint64_t metric = series / pods_ / options_.codes;
  const std::uint64_t pod = series % pods_;
  std::uint64_t begin = 0;
  std::uint64_t end = options_.samples;
  if (options_.shape == Shape::kChurn) {
    begin = options_.samples * (pod % kGenerations) / kGenerations;
    end = options_.samples * (pod % kGenerations + 1) / kGenerations;
  }
  const Kind kind = KindOf(options_.shape, metric, series);
  // A target is scraped at a moment of its own, a few milliseconds early or late.
  const auto interval = static_cast<std::uint64_t>(options_.interval_ms);
  const TimestampMs phase =
      static_cast<TimestampMs>(Random(options_.seed, pod)(interval - interval / 8));
  double value = kind == Kind::kConstant ? 1 : static_cast<double>(random(1'000'000));
  for (std::uint64_t i = begin; i < end; ++i) {
    value = Next(kind, value, random);
    if (options_.shape == Shape::kSparse && random(10) != 0) continue;
    const auto jitter = static_cast<TimestampMs>(random(4) == 0 ? random(1 + interval / 3000) : 0);
    times->push_back(options_.start + static_cast<TimestampMs>(i) * options_.interval_ms + phase +
                     jitter);
    values->push_back(value);
  }
}

}  // namespace aevum::bench
