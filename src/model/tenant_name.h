// The name of a tenant, checked where it enters.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include "base/status.h"

namespace aevum::model {

// A name that is safe as one component of a path, as the value of a label and in a log line: 1 to
// 150 bytes of UTF-8 without '/', '\' and control characters, and neither "." nor "..". All ports
// take names of tenants through Parse. Immutable.
class TenantName {
 public:
  static constexpr std::size_t kMaxBytes = 150;

  // InvalidArgument that says what is wrong, at which byte, and what is allowed.
  static StatusOr<TenantName> Parse(std::string_view text);

  const std::string& value() const { return value_; }
  friend bool operator==(const TenantName& a, const TenantName& b) = default;

 private:
  explicit TenantName(std::string value) : value_(std::move(value)) {}

  std::string value_;
};

}  // namespace aevum::model
