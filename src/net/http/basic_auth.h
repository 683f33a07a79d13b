// Checks the Authorization header of a request against users with bcrypt hashes.
#pragma once

#include <array>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <string_view>

#include "base/mutex.h"

namespace aevum::net {

struct Credentials {
  std::string user;
  std::string password;
};

// Of "Basic <base64>"; nullopt when the header is absent or anything else.
std::optional<Credentials> ParseBasicAuth(std::string_view authorization);

// bcrypt is slow on purpose, some 60 ms at cost 10, so verdicts are remembered: 100 of them, under
// an HMAC of user, hash and password with a key of this process. Thread-safe.
class BasicAuth {
 public:
  using Users = std::map<std::string, std::string>;  // name to hash

  BasicAuth();
  // The verdict when it is known without work.
  std::optional<bool> Known(const Users& users, const Credentials& credentials);
  // Computes the verdict. A user who is not there costs as much as a wrong password.
  bool Verify(const Users& users, const Credentials& credentials);

 private:
  using Digest = std::array<unsigned char, 32>;
  Digest DigestOf(const std::string& hash, const Credentials& credentials) const;

  std::array<unsigned char, 32> key_;
  Mutex mutex_;
  std::map<Digest, bool> verdicts_ AEVUM_GUARDED_BY(mutex_);
  std::minstd_rand random_ AEVUM_GUARDED_BY(mutex_);
};

}  // namespace aevum::net
