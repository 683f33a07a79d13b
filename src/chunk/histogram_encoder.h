// Writes chunks of native histograms, of integer and of float counts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/status.h"
#include "chunk/bit_writer.h"
#include "chunk/chunk.h"
#include "chunk/start_time.h"
#include "model/histogram.h"

namespace aevum::chunk {

// One chunk of histograms that share their layout: schema, zero threshold, spans and bounds. Where
// a chunk ends, and which empty buckets histograms are given so that they share a layout, is the
// caller's business. docs/format/chunk.md has the bits. Thread-compatible.
class HistogramEncoder {
 public:
  // `encoding` is one of the four of histograms; those without start timestamps drop them. `hint`
  // says what is known of a reset of the counter before the chunk, or that these are gauges.
  explicit HistogramEncoder(Encoding encoding, model::ResetHint hint = model::ResetHint::kUnknown);

  // Whether the layout of a histogram is that of the chunk. A staleness marker, a histogram whose
  // sum is one, fits any chunk, and behind it nothing else does. Any histogram fits an empty chunk.
  bool Fits(const model::FloatHistogram& histogram) const;

  // Adds a histogram that fits. InvalidArgument when its buckets are not as many as its spans say,
  // or when the encoding wants integers and a count is none: negative, with a fraction, or beyond
  // what 64 bits hold. Nothing is written then.
  Status Append(TimestampMs time, const model::FloatHistogram& histogram, TimestampMs start = 0);

  std::uint16_t samples() const { return samples_; }
  // As many as Append takes: the header has 14 bits for the number where it has start timestamps.
  std::uint16_t most_samples() const { return has_starts_ ? 0x3fff : 0xffff; }
  // The chunk so far.
  std::string Bytes() const;

 private:
  // A number of a series of integers: written is how its difference from the one before changed.
  struct IntegerStream {
    std::uint64_t value = 0;
    std::uint64_t delta = 0;
  };

  Status SetNumbers(const model::FloatHistogram& histogram);
  Status AddNumber(double count);
  void PutLayout(const model::FloatHistogram& histogram);
  void PutFirst();
  void PutNumber(std::size_t index);
  void PutChange(IntegerStream& stream, std::uint64_t next);

  const bool floats_;
  const bool has_starts_;
  const model::ResetHint hint_;
  BitWriter out_;
  StartTimeWriter starts_;
  std::uint16_t samples_ = 0;
  bool stale_ = false;            // the last one was a staleness marker
  model::FloatHistogram layout_;  // its counts mean nothing
  IntegerStream time_;
  XorStreamWriter sum_;
  // Count, zero count and buckets: of the histogram that is being added, the bits of floats or
  // integers, buckets of the latter as differences from the bucket to their left;
  std::vector<std::uint64_t> numbers_;
  // and of the one before.
  std::vector<IntegerStream> integers_;
  std::vector<XorStreamWriter> xored_;
};

}  // namespace aevum::chunk
