// Which random cases a test of the truth draws.
#pragma once

#include <cstdint>
#include <cstdlib>

namespace aevum::store::dedup::testing {

// first .. end - 1.
struct Seeds {
  std::uint64_t first = 1;
  std::uint64_t end = 1;
  // Whether there are so many that means tell the algorithms apart.
  bool many() const { return end - first >= 200; }
};

// AEVUM_DEDUP_CASES sets their number and AEVUM_DEDUP_SEED the first; `otherwise` is the number
// where that is not set, of which sanitizers get a tenth.
inline Seeds SeedsFromEnvironment(std::uint64_t otherwise) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  otherwise /= 10;
#endif
  const auto setting = [](const char* name, std::uint64_t value) {
    const char* text = std::getenv(name);
    return text == nullptr ? value : std::strtoull(text, nullptr, 10);
  };
  const std::uint64_t first = setting("AEVUM_DEDUP_SEED", 1);
  return {.first = first, .end = first + setting("AEVUM_DEDUP_CASES", otherwise)};
}

}  // namespace aevum::store::dedup::testing
