// The errors that all providers word alike.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/status.h"

namespace aevum::objstore {

// A range that starts where the object has ended.
inline Status OutOfRange(std::string_view object, std::int64_t offset, std::int64_t size_bytes) {
  return MakeError(
      StatusCode::kOutOfRange,
      fmt::format("the range starts behind the end of {}: {} >= {}", object, offset, size_bytes));
}

// The condition of an upload does not hold.
inline Status ConditionFailed(std::string_view object, std::string_view why) {
  return MakeError(StatusCode::kFailedPrecondition, fmt::format("{}: {}", object, why));
}

}  // namespace aevum::objstore
