// ULIDs: the names of blocks, which sort by the time at which they were made.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/status.h"

namespace aevum::model {

// 16 bytes: 48 bits of Unix milliseconds, then 80 random bits, both big-endian. As text 26
// characters of Crockford's base 32, five bits each behind two that are 0.
struct Ulid {
  static constexpr std::size_t kTextSize = 26;
  static constexpr std::size_t kTimeBytes = 6;

  std::array<std::uint8_t, 16> bytes{};

  // Reads upper and lower case. As Thanos's reader does, takes a character outside the alphabet for
  // one with all bits set, so that each block directory that Thanos takes for one is one here.
  // InvalidArgument when the size is wrong or the time has more than 48 bits.
  static StatusOr<Ulid> Parse(std::string_view text);

  // Upper case.
  std::string ToString() const;
  TimestampMs time_ms() const;

  friend auto operator<=>(const Ulid&, const Ulid&) = default;
};

std::ostream& operator<<(std::ostream& stream, const Ulid& ulid);

// For hash tables: the low bits are random already.
struct UlidHash {
  std::size_t operator()(const Ulid& ulid) const noexcept;
};

// The id of the block whose directory or object prefix this is: the last part of a path, with or
// without '/' at the end, when it is a ULID.
std::optional<Ulid> BlockDirectory(std::string_view path);

// Makes ULIDs that rise, also within a millisecond and when the clock goes back. Thread-safe.
class UlidGenerator {
 public:
  using Random = std::function<std::uint64_t()>;

  // Random numbers of the system. Borrows the clock.
  explicit UlidGenerator(const Clock& clock = Clock::System());
  // Numbers of the caller, for tests.
  UlidGenerator(const Clock& clock, Random random);

  Ulid Next();

 private:
  const Clock& clock_;
  Mutex mutex_;
  Random random_ AEVUM_GUARDED_BY(mutex_);
  Ulid last_ AEVUM_GUARDED_BY(mutex_);
};

}  // namespace aevum::model
