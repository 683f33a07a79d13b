#include "base/timestamp.h"

#include <algorithm>

#include "base/duration.h"

namespace aevum {
namespace {

constexpr std::int64_t kEnd = 253'402'300'800;  // of the year 9999
constexpr std::int32_t kNanos = 1'000'000'000;

}  // namespace

bool IsValid(const Timestamp& time) {
  return time.seconds >= kUnsetTimestamp.seconds && time.seconds < kEnd && time.nanos >= 0 &&
         time.nanos < kNanos;
}

StatusOr<Timestamp> ParseTimestamp(std::string_view text) {
  ASSIGN_OR_RETURN(const TimestampMs ms, ParseRfc3339(text));
  Timestamp time{.seconds = ms / 1000 - (ms % 1000 < 0 ? 1 : 0)};
  constexpr std::size_t kWholeSeconds = sizeof("2026-01-02T03:04:05") - 1;
  std::string_view rest = text.substr(std::min(kWholeSeconds, text.size()));
  if (rest.starts_with('.') || rest.starts_with(',')) {
    rest.remove_prefix(1);
    rest = rest.substr(0, std::min(rest.find_first_not_of("0123456789"), rest.size()));
    for (std::size_t i = 0; i < 9; ++i)
      time.nanos = time.nanos * 10 + (i < rest.size() ? rest[i] - '0' : 0);
  }
  if (!IsValid(time)) return InvalidArgument("the time \"{}\" is out of range", text);
  return time;
}

std::string FormatTimestamp(const Timestamp& time) {
  std::string out = FormatRfc3339(time.seconds * 1000);
  if (time.nanos == 0) return out;
  out.pop_back();  // Z
  out += fmt::format(".{:09}", time.nanos);
  while (out.back() == '0') out.pop_back();
  return out + "Z";
}

}  // namespace aevum
