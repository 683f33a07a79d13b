#include "cache/server_selector.h"

#include <algorithm>
#include <utility>

#include <xxhash.h>

namespace aevum::cache {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// The run of digits at the front, without leading zeros; it is taken off `text`.
std::string_view TakeNumber(std::string_view& text) {
  std::size_t end = 0;
  while (end < text.size() && IsDigit(text[end])) ++end;
  std::string_view number = text.substr(0, end);
  text.remove_prefix(end);
  while (number.size() > 1 && number.front() == '0') number.remove_prefix(1);
  return number;
}

}  // namespace

bool NaturallyLess(std::string_view a, std::string_view b) {
  while (!a.empty() && !b.empty()) {
    if (IsDigit(a.front()) && IsDigit(b.front())) {
      const std::string_view left = TakeNumber(a);
      const std::string_view right = TakeNumber(b);
      if (left.size() != right.size()) return left.size() < right.size();
      if (left != right) return left < right;
      continue;
    }
    if (a.front() != b.front())
      return static_cast<unsigned char>(a.front()) < static_cast<unsigned char>(b.front());
    a.remove_prefix(1);
    b.remove_prefix(1);
  }
  return a.empty() && !b.empty();
}

std::size_t JumpHash(std::uint64_t key, std::size_t buckets) {
  constexpr double kTwoTo31 = static_cast<double>(std::uint64_t{1} << 31);
  std::int64_t bucket = -1;
  std::int64_t next = 0;
  while (next < static_cast<std::int64_t>(buckets)) {
    bucket = next;
    key = key * 2862933555777941757U + 1;
    next = static_cast<std::int64_t>(static_cast<double>(bucket + 1) *
                                     (kTwoTo31 / static_cast<double>((key >> 33) + 1)));
  }
  return static_cast<std::size_t>(bucket);
}

ServerSelector::ServerSelector(std::vector<std::string> servers) : servers_(std::move(servers)) {
  std::sort(servers_.begin(), servers_.end(), NaturallyLess);
}

std::size_t ServerSelector::ServerOf(std::string_view key) const {
  if (servers_.size() == 1) return 0;
  return JumpHash(XXH64(key.data(), key.size(), 0), servers_.size());
}

}  // namespace aevum::cache
