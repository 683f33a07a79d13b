// Made-up series for blocks of benchmarks, the same for the same seed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "model/labels.h"

namespace aevum::bench {

enum class Shape : std::uint8_t {
  kCounters,    // counters with a reset now and then, all of them there all the time
  kChurn,       // each pod lives for a tenth of the time, then another takes its place
  kSparse,      // gauges of which one sample in ten is there
  kKubernetes,  // half counters, a quarter gauges, the rest constants and histogram buckets
};

// By its name: counters, churn, sparse, kubernetes.
std::optional<Shape> ShapeNamed(std::string_view name);

struct BlockDataOptions {
  Shape shape = Shape::kCounters;
  std::uint64_t series = 1000;
  std::uint64_t samples = 480;  // of a series that is always there
  TimestampMs start = 0;
  TimestampMs interval_ms = 15'000;
  // The series are spread over so many names and, of each name, codes; each pod has all of them.
  std::uint64_t metrics = 1;
  std::uint64_t codes = 1;
  std::uint64_t seed = 1;
};

// The series of one block, numbered in the order of their labels. Labels and samples of a series
// are functions of the options and its number, so that no block is ever held in memory. With one
// seed the series of blocks of other times are the same. Immutable.
class BlockData {
 public:
  explicit BlockData(const BlockDataOptions& options);

  const BlockDataOptions& options() const { return options_; }
  // __name__, code, container, job, namespace, node and pod; the views are into `storage`, which
  // has to outlive them.
  void LabelsOf(std::uint64_t series, std::vector<std::string>* storage,
                std::vector<model::Label>* labels) const;
  // Replaces the samples. There may be none.
  void SamplesOf(std::uint64_t series, std::vector<TimestampMs>* times,
                 std::vector<double>* values) const;

 private:
  const BlockDataOptions options_;
  const std::uint64_t pods_;
};

}  // namespace aevum::bench
