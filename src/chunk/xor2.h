// XOR2 chunks: floats with the changes of time and value in one prefix, and optional start
// timestamps.
//
//     samples u16 | start timestamp header u8 | t0 varint | v0 64 bits | delta uvarint | value |
//     ...
//
// docs/format/chunk.md has the bits; the source is Prometheus's tsdb/chunkenc/xor2.go.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/status.h"
#include "chunk/bit_writer.h"
#include "chunk/chunk.h"
#include "chunk/start_time.h"

namespace aevum::chunk {

// Appends the samples of an XOR2 chunk, with start timestamps where `out` wants them. Corruption
// when the bytes end before the samples do, with the samples of `out` unchanged.
Status DecodeXor2(std::string_view data, Columns* out);

// Encodes up to 65,535 samples; Prometheus cuts at 120. Thread-compatible.
class Xor2Encoder {
 public:
  // Times should ascend; any are encoded faithfully. `start`: 0 where it is not known.
  void Append(TimestampMs time, double value, TimestampMs start = 0);
  std::uint16_t samples() const { return samples_; }
  // The chunk so far.
  std::string Bytes() const;
  // Starts another chunk.
  void Reset() { *this = Xor2Encoder(); }

 private:
  void PutLater(std::uint64_t delta_of_delta, std::uint64_t bits);
  void PutValue(std::uint64_t bits);

  BitWriter out_;
  XorStreamWriter values_;  // without staleness markers
  StartTimeWriter starts_;
  std::uint16_t samples_ = 0;
  std::uint64_t time_ = 0;
  std::uint64_t delta_ = 0;
};

}  // namespace aevum::chunk
