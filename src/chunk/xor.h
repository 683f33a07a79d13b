// XOR chunks: floats with delta-of-delta times and XORed values.
//
//     samples u16 | t0 varint | v0 64 bits | delta uvarint | value | (delta of delta | value) ...
//
// docs/format/chunk.md has the bits; the source is Facebook's Gorilla paper (VLDB 2015) as
// Prometheus changed it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/status.h"
#include "chunk/chunk.h"

namespace aevum::chunk {

// Appends the samples of an XOR chunk. Corruption when the bytes end before the samples do.
Status DecodeXor(std::string_view data, Columns* out);

// Encodes up to 65,535 samples; Prometheus cuts at 120. Thread-compatible.
class XorEncoder {
 public:
  // Times should ascend; any pair is encoded faithfully.
  void Append(TimestampMs time, double value);
  std::uint16_t samples() const { return samples_; }
  // The chunk so far.
  std::string Bytes() const;
  // Starts another chunk.
  void Reset();

 private:
  void Put(std::uint64_t bits, unsigned count);
  void PutByte(std::uint8_t byte) { Put(byte, 8); }
  void PutDelta(std::int64_t delta_of_delta);
  void PutValue(std::uint64_t bits);

  std::string bytes_;  // whole words of the stream, without the sample count
  std::uint64_t word_ = 0;
  unsigned word_bits_ = 0;
  std::uint16_t samples_ = 0;
  TimestampMs time_ = 0;
  std::uint64_t delta_ = 0;
  std::uint64_t value_ = 0;
  unsigned leading_ = 0;
  unsigned trailing_ = 0;
  bool has_window_ = false;
};

}  // namespace aevum::chunk
