// Start timestamps, which XOR2 and the newer histogram chunks have behind their samples.
#pragma once

#include <cstdint>

#include "base/clock.h"
#include "chunk/bit_reader.h"
#include "chunk/bit_writer.h"

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

// Writes them one after the other.
class StartTimeWriter {
 public:
  // The header byte holds no later index than this; from there on they are written in any case.
  static constexpr unsigned kLastFirstChange = 0x7f;

  // Behind sample `index`, as StartTimeReader::Read; 0 for one that is not known.
  void Write(BitWriter& out, unsigned index, std::uint64_t time, std::uint64_t previous,
             TimestampMs start) {
    const auto at = static_cast<std::uint64_t>(start);
    if (index == 0) {
      if (start != 0) {
        header_ |= 0x80;
        out.PutVarint(static_cast<std::int64_t>(time - at));
      }
    } else if ((header_ & kLastFirstChange) != 0) {
      out.PutVarbit(static_cast<std::int64_t>(previous - at - age_));
      age_ = previous - at;
    } else if (at != start_ || index == kLastFirstChange) {
      header_ = static_cast<std::uint8_t>(header_ | index);
      out.PutVarbit(static_cast<std::int64_t>(previous - at));
      age_ = previous - at;
    }
    start_ = at;
  }

  std::uint8_t header() const { return header_; }

 private:
  std::uint8_t header_ = 0;
  std::uint64_t start_ = 0;
  std::uint64_t age_ = 0;
};

}  // namespace aevum::chunk
