// Which server of a list holds a key, as Thanos chooses it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace aevum::cache {

// "a2" before "a10": runs of digits are compared as numbers, without leading zeros.
bool NaturallyLess(std::string_view a, std::string_view b);

// The bucket of a key of 64 bits, in [0, buckets), by jump consistent hashing (Lamping and Veach):
// with one bucket more, only 1/buckets of the keys move. `buckets` is at least 1.
std::size_t JumpHash(std::uint64_t key, std::size_t buckets);

// The servers in natural order; a key belongs to the one that the jump hash of its xxhash64 gives.
// Whoever has the same list finds a key at the same server. Immutable.
class ServerSelector {
 public:
  ServerSelector() = default;
  explicit ServerSelector(std::vector<std::string> servers);

  const std::vector<std::string>& servers() const { return servers_; }
  // A position in servers(), of which there must be one at least.
  std::size_t ServerOf(std::string_view key) const;

 private:
  std::vector<std::string> servers_;
};

}  // namespace aevum::cache
