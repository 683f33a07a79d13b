// How far a selector with a modifier looks beyond the bounds of its windows.
#pragma once

#include <cstdint>
#include <limits>
#include <string_view>

#include "base/clock.h"
#include "base/status.h"
#include "promql/ast.h"

namespace aevum::promql {

// Of a window (start, end] an anchored selector sees the samples of (start - lookback, end], a
// smoothed one those of (start - lookback, end + lookback].
struct Extension {
  enum class Kind : std::uint8_t { kNone, kAnchored, kSmoothed };
  Kind kind = Kind::kNone;
  std::int64_t lookback_ms = 0;

  std::int64_t back_ms() const { return kind == Kind::kNone ? 0 : lookback_ms; }
  std::int64_t ahead_ms() const { return kind == Kind::kSmoothed ? lookback_ms : 0; }
};

// A time moved by some milliseconds, held at the ends of time: @ may name any.
inline TimestampMs Moved(TimestampMs time, std::int64_t by_ms) {
  TimestampMs moved = 0;
  if (!__builtin_add_overflow(time, by_ms, &moved)) return moved;
  return by_ms < 0 ? std::numeric_limits<TimestampMs>::min()
                   : std::numeric_limits<TimestampMs>::max();
}

// The extension of a range selector.
Extension ExtensionOf(const VectorSelector& selector, std::int64_t lookback_ms);

// FailedPrecondition, in Prometheus's words, when the function has no meaning over the windows of
// such a selector.
Status CheckExtension(const Extension& extension, std::string_view function);

// FailedPrecondition, in Prometheus's words, when there is an extension: for a query of the range
// itself that finds histograms.
Status RefuseHistograms(const Extension& extension);

}  // namespace aevum::promql
