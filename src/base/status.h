// The result of what can fail: a code as in gRPC and a message for people.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/core.h>

#include "base/check.h"

namespace aevum {

// The codes of gRPC, with the same numbers, so that a status crosses the wire as it is.
enum class StatusCode : std::uint8_t {
  kOk = 0,
  kCancelled = 1,
  kUnknown = 2,
  kInvalidArgument = 3,
  kDeadlineExceeded = 4,
  kNotFound = 5,
  kAlreadyExists = 6,
  kPermissionDenied = 7,
  kResourceExhausted = 8,
  kFailedPrecondition = 9,
  kAborted = 10,
  kOutOfRange = 11,
  kUnimplemented = 12,
  kInternal = 13,
  kUnavailable = 14,
  kDataLoss = 15,
  kUnauthenticated = 16,
};

// The name that gRPC's documents and metrics use, for example "InvalidArgument".
std::string_view StatusCodeName(StatusCode code);

// A code and a message. OK holds no memory; an error is shared, so copies cost a counter.
// Immutable, hence safe to share between threads.
class [[nodiscard]] Status {
 public:
  Status() = default;
  Status(StatusCode code, std::string message);

  bool ok() const { return error_ == nullptr; }
  StatusCode code() const { return error_ ? error_->code : StatusCode::kOk; }
  // Empty when ok. Valid as long as this status or a copy lives.
  std::string_view message() const {
    return error_ ? std::string_view(error_->message) : std::string_view();
  }
  // "<CodeName>: <message>" or "OK".
  std::string ToString() const;

  // Says that the result is dropped on purpose; the reason stands in a comment beside the call.
  void IgnoreError() const {}

 private:
  struct Error {
    StatusCode code;
    std::string message;
  };
  std::shared_ptr<const Error> error_;
};

inline Status OkStatus() { return {}; }

std::ostream& operator<<(std::ostream& stream, const Status& status);

// Makes an error from a finished message. One line, lower case, cause first, values last.
Status MakeError(StatusCode code, std::string message);

// Puts "<context>: " before the message and keeps the code. OK stays OK.
Status Annotate(Status status, std::string_view context);

// The bytes are not what the format says. Never retried; the object is set aside.
template <typename... Args>
Status Corruption(fmt::format_string<Args...> format, Args&&... args) {
  return MakeError(StatusCode::kDataLoss, fmt::format(format, std::forward<Args>(args)...));
}
// The caller or the user gave something that can't be right whatever the state of the system.
template <typename... Args>
Status InvalidArgument(fmt::format_string<Args...> format, Args&&... args) {
  return MakeError(StatusCode::kInvalidArgument, fmt::format(format, std::forward<Args>(args)...));
}
// A limit or budget is used up.
template <typename... Args>
Status ResourceExhausted(fmt::format_string<Args...> format, Args&&... args) {
  return MakeError(StatusCode::kResourceExhausted,
                   fmt::format(format, std::forward<Args>(args)...));
}
// A peer or the environment does not answer now; worth another try.
template <typename... Args>
Status Unavailable(fmt::format_string<Args...> format, Args&&... args) {
  return MakeError(StatusCode::kUnavailable, fmt::format(format, std::forward<Args>(args)...));
}
template <typename... Args>
Status NotFound(fmt::format_string<Args...> format, Args&&... args) {
  return MakeError(StatusCode::kNotFound, fmt::format(format, std::forward<Args>(args)...));
}
template <typename... Args>
Status Unimplemented(fmt::format_string<Args...> format, Args&&... args) {
  return MakeError(StatusCode::kUnimplemented, fmt::format(format, std::forward<Args>(args)...));
}
template <typename... Args>
Status Internal(fmt::format_string<Args...> format, Args&&... args) {
  return MakeError(StatusCode::kInternal, fmt::format(format, std::forward<Args>(args)...));
}

// A value, or the reason why there is none. Reading the value of an error ends the process.
template <typename T>
class [[nodiscard]] StatusOr {
 public:
  StatusOr(Status status) : status_(std::move(status)) {  // NOLINT: implicit, so that errors return
    AEVUM_CHECK(!status_.ok());
  }
  StatusOr(T value) : value_(std::move(value)) {}  // NOLINT: implicit, so that values return
  template <typename U>
    requires(std::is_convertible_v<U &&, T> && !std::is_same_v<std::decay_t<U>, T> &&
             !std::is_same_v<std::decay_t<U>, Status> && !std::is_same_v<std::decay_t<U>, StatusOr>)
  StatusOr(U&& value)  // NOLINT: as above
      : value_(std::in_place, std::forward<U>(value)) {}

  bool ok() const { return value_.has_value(); }
  const Status& status() const { return status_; }

  T& value() & { return Checked(); }
  const T& value() const& { return Checked(); }
  T&& value() && { return std::move(Checked()); }
  T& operator*() & { return Checked(); }
  const T& operator*() const& { return Checked(); }
  T&& operator*() && { return std::move(Checked()); }
  T* operator->() { return &Checked(); }
  const T* operator->() const { return &Checked(); }

  void IgnoreError() const {}

 private:
  T& Checked() {
    AEVUM_CHECK(value_.has_value());
    return *value_;
  }
  const T& Checked() const {
    AEVUM_CHECK(value_.has_value());
    return *value_;
  }

  Status status_;
  std::optional<T> value_;
};

}  // namespace aevum

#define AEVUM_STATUS_CONCAT_INNER(a, b) a##b
#define AEVUM_STATUS_CONCAT(a, b) AEVUM_STATUS_CONCAT_INNER(a, b)

// Returns the status of an expression from the enclosing function when it is an error.
#define RETURN_IF_ERROR(expression)                             \
  do {                                                          \
    if (auto aevum_status = (expression); !aevum_status.ok()) { \
      return aevum_status;                                      \
    }                                                           \
  } while (false)

// ASSIGN_OR_RETURN(auto x, F()): x is the value of F(), or the enclosing function returns its
// error.
#define ASSIGN_OR_RETURN(declaration, expression) \
  AEVUM_ASSIGN_OR_RETURN(AEVUM_STATUS_CONCAT(aevum_result_, __LINE__), declaration, expression)
#define AEVUM_ASSIGN_OR_RETURN(result, declaration, expression) \
  auto result = (expression);                                   \
  if (!result.ok()) return result.status();                     \
  declaration = std::move(result).value()
