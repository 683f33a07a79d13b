// A time to the nanosecond, for what is passed on and shown as it came.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/status.h"

namespace aevum {

// Since the Unix epoch; `nanos` is from 0 to 999,999,999 also before it. Ordered by time.
struct Timestamp {
  std::int64_t seconds = 0;
  std::int32_t nanos = 0;
  friend auto operator<=>(const Timestamp&, const Timestamp&) = default;
};

// What a Go program shows for a time that was never set: the start of the year 1.
inline constexpr Timestamp kUnsetTimestamp{-62'135'596'800, 0};

// From the year 1 to the year 9999, the range of google.protobuf.Timestamp.
bool IsValid(const Timestamp& time);

// RFC 3339; digits of the fraction beyond the ninth are cut.
StatusOr<Timestamp> ParseTimestamp(std::string_view text);
// RFC 3339 in UTC with as many digits as are needed: "2026-01-02T03:04:05.000000678Z". The time
// must be valid.
std::string FormatTimestamp(const Timestamp& time);

}  // namespace aevum
