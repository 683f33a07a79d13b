// Series in memory as encoded chunks, what a store would hand to the engine.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "chunk/chunk.h"
#include "model/histogram.h"
#include "model/labels.h"
#include "promql/queryable.h"

namespace aevum::bench {

// The samples of a series in chunks of at most 120, their bytes one behind another.
struct EncodedSamples {
  struct Chunk {
    TimestampMs min_time = 0;
    TimestampMs max_time = 0;
    std::size_t offset = 0;
    std::size_t size = 0;
    chunk::Encoding encoding = chunk::Encoding::kNone;
  };
  std::string bytes;
  std::vector<Chunk> chunks;  // ascending, not overlapping
};

// The spans have the same size; times ascend.
EncodedSamples EncodeFloats(std::span<const TimestampMs> times, std::span<const double> values);
// The same of histograms with integer counts. A chunk ends where the layout changes.
EncodedSamples EncodeHistograms(std::span<const TimestampMs> times,
                                std::span<const model::FloatHistogram> histograms);

// Holds series and finds them by the name of their metric; other matchers are tried on each of
// that name. A select gives the chunks that touch the hints' times. Streams and batches borrow from
// the storage. Selects may run beside one another.
class ChunkStorage final : public promql::Queryable {
 public:
  struct Series {
    model::Labels labels;
    EncodedSamples samples;
  };

  // Each label set once, in any order.
  explicit ChunkStorage(std::vector<Series> series);
  ChunkStorage(const ChunkStorage&) = delete;
  ChunkStorage& operator=(const ChunkStorage&) = delete;

  StatusOr<std::unique_ptr<promql::SelectStream>> Select(const Context& context,
                                                         const model::Matchers& matchers,
                                                         const promql::SelectHints& hints) override;

 private:
  std::span<const Series> Candidates(const model::Matchers& matchers) const;

  std::vector<Series> series_;  // sorted by labels
  // Series of one name stand together, since no label of the data sorts before the name.
  std::map<std::string, std::span<const Series>, std::less<>> by_name_;
};

}  // namespace aevum::bench
