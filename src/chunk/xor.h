// XOR chunks: floats with delta-of-delta times and XORed values.
//
//     samples u16 | t0 varint | v0 64 bits | delta uvarint | value | (delta of delta | value) ...
//
// docs/format/chunk.md has the bits; the source is Facebook's Gorilla paper (VLDB 2015) as
// Prometheus changed it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/status.h"
#include "chunk/chunk.h"

namespace aevum::chunk {

// Appends the samples of an XOR chunk, at most so many. Corruption when the bytes end before the
// samples do.
Status DecodeXor(std::string_view data, Columns* out, std::uint32_t most = 0xffff);

// What decoding notes of a chunk on the way.
struct XorSummary {
  // Of the times from one sample to the next, as the chunk has them; no steps: the ends of time.
  TimestampMs least_step = kMaxTime;
  TimestampMs most_step = kMinTime;
  bool finite = true;  // no value is a NaN or infinite, so none is a staleness marker
};

// Appends all samples and tells what they are like.
Status DecodeXor(std::string_view data, XorSummary* seen, Columns* out);

// Whether it is plain that all values of a chunk are finite, so that none is a staleness marker.
// False where one is not, or the bytes end before the samples do. Looks at no times and keeps of a
// value only what tells it: a fraction of the cost of decoding.
bool IsFiniteXor(std::string_view data);

// Encodes up to 65,535 samples; Prometheus cuts at 120. Thread-compatible.
class XorEncoder {
 public:
  // Appends samples; the spans have the same size. Times should ascend; any are encoded faithfully.
  void Append(std::span<const TimestampMs> times, std::span<const double> values);
  void Append(TimestampMs time, double value) { Append({&time, 1}, {&value, 1}); }
  std::uint16_t samples() const { return state_.samples; }
  // The chunk so far.
  std::string Bytes() const;
  // Starts another chunk.
  void Reset() { state_ = State(); }

 private:
  struct State {
    std::size_t used = 0;    // bytes of the stream that are whole
    std::uint64_t word = 0;  // the bits that fill no byte yet, in the upper ones
    unsigned word_bits = 0;
    unsigned leading = 0;
    unsigned trailing = 0;
    bool has_window = false;
    std::uint16_t samples = 0;
    TimestampMs time = 0;
    std::uint64_t delta = 0;
    std::uint64_t value = 0;
  };
  class Writer;

  std::vector<std::uint8_t> bytes_;  // room for the stream, without the sample count
  State state_;
};

}  // namespace aevum::chunk
