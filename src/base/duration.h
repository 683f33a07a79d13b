// Durations and times as users write them.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/status.h"

namespace aevum {

using Nanoseconds = std::chrono::nanoseconds;

// A duration of Prometheus: units y w d h m s ms in descending order, each at most once and with a
// whole number ("1h30m"), or "0". InvalidArgument otherwise, and when it passes 63 bits of
// nanoseconds.
StatusOr<Nanoseconds> ParsePrometheusDuration(std::string_view text);
// As above with an optional leading '-'.
StatusOr<Nanoseconds> ParseSignedPrometheusDuration(std::string_view text);
// A duration of Go: signed decimal numbers with units ns us µs ms s m h, as "1h15m30.918s".
StatusOr<Nanoseconds> ParseGoDuration(std::string_view text);

// Seconds as Go's Duration.Seconds calculates them: whole ones and the rest apart, so that the last
// bit may differ from that of a division (1.118 s is such a duration).
double GoSeconds(Nanoseconds duration);
double GoSeconds(std::chrono::milliseconds duration);

// As Prometheus writes it: "1h30m", "0s"; parts of a millisecond are dropped.
std::string FormatPrometheusDuration(Nanoseconds duration);
// As Go writes it: "1h30m0s", "1.5µs".
std::string FormatGoDuration(Nanoseconds duration);

// A time parameter of the HTTP API: float seconds since the epoch, rounded to milliseconds, or RFC
// 3339.
StatusOr<TimestampMs> ParseApiTime(std::string_view text);
// A duration parameter of the HTTP API: float seconds or a duration of Prometheus.
StatusOr<Nanoseconds> ParseApiDuration(std::string_view text);
// RFC 3339 with optional fraction, as milliseconds (fraction cut).
StatusOr<TimestampMs> ParseRfc3339(std::string_view text);
// Seconds precision dropped to what is needed, UTC: "2026-01-02T03:04:05.678Z".
std::string FormatRfc3339(TimestampMs time);

// The value of --min-time and --max-time: RFC 3339, or a signed duration relative to now.
class TimeOrDuration {
 public:
  static StatusOr<TimeOrDuration> Parse(std::string_view text);
  TimestampMs At(TimestampMs now) const { return relative_ ? now + value_ms_ : value_ms_; }

 private:
  TimeOrDuration(bool relative, std::int64_t value_ms) : relative_(relative), value_ms_(value_ms) {}
  bool relative_;
  std::int64_t value_ms_;
};

}  // namespace aevum
