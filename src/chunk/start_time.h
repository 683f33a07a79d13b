// Start timestamps, which XOR2 and the newer histogram chunks have behind their samples.
#pragma once

#include <cstdint>

#include "base/clock.h"
#include "chunk/bit_reader.h"

namespace aevum::chunk {

// Reads them one after the other. The header byte tells whether the first sample has one, and from
// which sample on each has its change.
class StartTimeReader {
 public:
  explicit StartTimeReader(std::uint8_t header)
      : first_known_(header >> 7), first_change_(header & 0x7f) {}

  // Behind sample `index`, from 0, at `time`; `previous` is the time of the sample before. Damaged
  // chunks may wrap.
  void Read(BitReader& reader, unsigned index, std::uint64_t time, std::uint64_t previous) {
    if (index == 0) {
      if (first_known_) start_ = time - static_cast<std::uint64_t>(reader.ReadVarint());
    } else if (first_change_ > 0 && index >= first_change_) {
      age_ += static_cast<std::uint64_t>(reader.ReadVarbit());
      start_ = previous - age_;
    }
  }

  // Of the last sample that was read, 0 when it has none.
  TimestampMs start() const { return static_cast<TimestampMs>(start_); }

 private:
  bool first_known_;
  unsigned first_change_;
  std::uint64_t start_ = 0;
  std::uint64_t age_ = 0;  // of the count at the sample before the last one
};

}  // namespace aevum::chunk
