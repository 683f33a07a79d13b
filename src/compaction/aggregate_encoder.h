// The windows of a series made into aggregate chunks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/status.h"
#include "chunk/xor.h"
#include "model/histogram_column.h"
#include "tsdb/block_writer.h"

namespace aevum::compaction {

// An aggregate chunk that was made.
struct AggregateChunk {
  TimestampMs min_time = 0;  // of the first window
  TimestampMs max_time = 0;  // of the last one
  std::uint32_t windows = 0;
  std::string data;  // as JoinAggregateParts writes it

  // Borrows the data.
  tsdb::WrittenChunk View() const;
};

// A chunk says in 16 bits how many samples it has; a counter has two more than windows.
inline constexpr std::size_t kMostWindows = 65'000;

// One aggregate, in columns.
struct FloatPart {
  std::vector<TimestampMs> times;
  std::vector<double> values;

  void Add(TimestampMs time, double value) {
    times.push_back(time);
    values.push_back(value);
  }
  void Clear() {
    times.clear();
    values.clear();
  }
};

struct HistogramPart {
  std::vector<TimestampMs> times;
  model::HistogramColumn histograms;

  void Clear() {
    times.clear();
    histograms.clear();
  }
};

// Of floats. A part without samples is absent.
struct FloatParts {
  FloatPart count;
  FloatPart sum;
  FloatPart min;
  FloatPart max;
  // With the first raw value before all windows, and the last one behind them, at the time of the
  // last window.
  FloatPart counter;

  void Clear() {
    for (FloatPart* part : {&count, &sum, &min, &max, &counter}) part->Clear();
  }
};

// Of native histograms.
struct HistogramParts {
  FloatPart count;
  HistogramPart sum;
  HistogramPart counter;
  bool are_gauges = false;

  void Clear() {
    count.Clear();
    sum.Clear();
    counter.Clear();
  }
};

// Keeps its buffers from one series to the next. Thread-compatible.
class AggregateEncoder {
 public:
  // Appends one chunk; none when there are no windows. Corruption when it does not lie behind the
  // last one of `out`, or has more than kMostWindows.
  Status Encode(const FloatParts& parts, std::vector<AggregateChunk>* out);

  // Appends one chunk, or more where the layout of a sum or a counter changes in a way that one
  // chunk can't hold: all of its parts then end at the same window. Corruption as above, and when a
  // histogram is not well formed.
  Status Encode(const HistogramParts& parts, std::vector<AggregateChunk>* out);

 private:
  std::string EncodeFloats(const FloatPart& part, std::size_t from, std::size_t to);

  chunk::XorEncoder encoder_;
};

}  // namespace aevum::compaction
