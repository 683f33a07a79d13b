// What one request reads from a bucket, counted and bounded before it is read.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "base/status.h"

namespace aevum::storegateway {

enum class DataType : std::uint8_t { kPostings, kSeries, kChunks };
inline constexpr std::size_t kDataTypes = 3;
// As labels of metrics name it.
inline const char* NameOf(DataType type) {
  static constexpr const char* kNames[] = {"postings", "series", "chunks"};
  return kNames[static_cast<std::size_t>(type)];
}

// Thread-safe: the blocks of a request are read side by side.
class RequestReads {
 public:
  struct Counts {
    std::uint64_t touched = 0;  // items used, wherever they came from
    std::uint64_t touched_bytes = 0;
    std::uint64_t fetched = 0;  // reads of the bucket
    std::uint64_t fetched_bytes = 0;
  };

  // 0: unlimited.
  explicit RequestReads(std::uint64_t limit_bytes = 0) : limit_bytes_(limit_bytes) {}

  // Before bytes are read from the bucket. ResourceExhausted when they would pass the limit.
  Status Charge(DataType type, std::uint64_t bytes, std::uint64_t reads);
  void Touch(DataType type, std::uint64_t items, std::uint64_t bytes);

  Counts counts(DataType type) const;
  bool refused() const { return refused_.load(std::memory_order_relaxed); }

 private:
  struct Shared {
    std::atomic<std::uint64_t> touched = 0;
    std::atomic<std::uint64_t> touched_bytes = 0;
    std::atomic<std::uint64_t> fetched = 0;
    std::atomic<std::uint64_t> fetched_bytes = 0;
  };

  const std::uint64_t limit_bytes_;
  std::atomic<std::uint64_t> bytes_ = 0;
  std::atomic<bool> refused_ = false;
  std::array<Shared, kDataTypes> types_;
};

}  // namespace aevum::storegateway
