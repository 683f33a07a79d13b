// Start timestamps, which XOR2 and the newer histogram chunks have behind their samples.
#pragma once

#include <cstdint>

#include "chunk/bit_reader.h"

namespace aevum::chunk {

// Reads over them: nothing asks for them yet. The header byte tells whether the first sample has
// one, and from which sample on each has its change.
class StartTimeReader {
 public:
  explicit StartTimeReader(std::uint8_t header)
      : first_known_(header >> 7), first_change_(header & 0x7f) {}

  // Behind sample `index`, from 0.
  void Read(BitReader& reader, unsigned index) const {
    if (index == 0) {
      if (first_known_) reader.ReadVarint();
    } else if (first_change_ > 0 && index >= first_change_) {
      reader.ReadVarbit();
    }
  }

 private:
  bool first_known_;
  unsigned first_change_;
};

}  // namespace aevum::chunk
