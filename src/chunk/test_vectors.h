// What the tests of this module read vectors of Prometheus with; testdata/README.md has their form.
#pragma once

#include <bit>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "chunk/chunk.h"

namespace aevum::chunk {

inline std::string FromHex(const std::string& hex) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
    bytes += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  return bytes;
}

inline double ReadFloat(const std::string& text) {
  if (text == "stale") return std::bit_cast<double>(kStaleNanBits);
  if (text == "NaN") return std::bit_cast<double>(kNormalNanBits);
  if (text.starts_with("NaN:"))
    return std::bit_cast<double>(
        static_cast<std::uint64_t>(std::stoull(text.substr(4), nullptr, 16)));
  return std::strtod(text.c_str(), nullptr);
}

inline std::uint64_t Bits(double value) { return std::bit_cast<std::uint64_t>(value); }

}  // namespace aevum::chunk
