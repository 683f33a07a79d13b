// Replicas that scrape a native histogram whose every moment is known.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "chunk/chunk.h"
#include "model/histogram.h"
#include "store/dedup/testing/design.h"

namespace aevum::store::dedup::testing {

enum class HistogramKind : std::uint8_t {
  kInteger,
  kFloat,
  kGauge,  // buckets that rise and fall
  kMixed,  // a float first, from some time on a histogram
};
inline constexpr std::size_t kHistogramKinds = 4;
std::string NameOf(HistogramKind kind);

// Observations in exponential buckets on a grid, linear in between. Restarts begin at zero; between
// restarts the schema may become lower once, as clients do that have too many buckets. Immutable.
class HistogramProcess {
 public:
  HistogramProcess(Random& random, HistogramKind kind, const Process::Span& span);

  // What scrapes find up or down.
  const Process& process() const { return process_; }
  // Whether a scrape reads a float, the number of observations.
  bool IsFloat(TimestampMs time) const { return time < float_until_; }
  model::FloatHistogram Read(TimestampMs time) const;
  // What was observed in (from, to]; of a gauge, what it holds in the mean.
  model::FloatHistogram Truth(TimestampMs from, TimestampMs to) const;
  HistogramKind kind() const { return kind_; }
  bool is_gauge() const { return kind_ == HistogramKind::kGauge; }

 private:
  using Buckets = std::vector<double>;
  void AddCounts(Random& random);
  void AddGauge(Random& random);
  Buckets At(TimestampMs time) const;

  HistogramKind kind_;
  Process::Span span_;
  TimestampMs grid_;
  Process process_;
  std::vector<Buckets> points_;
  TimestampMs coarser_from_ = kMaxTime;  // until the next restart
  TimestampMs float_until_ = kMinTime;
};

struct HistogramCase {
  struct Window {
    TimestampMs from = 0;  // left-open
    TimestampMs end = 0;
    model::FloatHistogram truth;
  };
  HistogramProcess process;
  Design design;
  std::vector<chunk::Columns> replicas;
  std::vector<Window> windows;
  double scale = 0;  // mean number of observations of a window
};

// The case of a seed: the same everywhere.
HistogramCase SimulateHistogram(std::uint64_t seed);

}  // namespace aevum::store::dedup::testing
