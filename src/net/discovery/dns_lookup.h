// Asks DNS for the addresses of a name and for the places of a service.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "base/context.h"
#include "base/status.h"

namespace aevum::net {

struct DnsOptions {
  // "address:port"; empty: those of the system, with its search domains and hosts file.
  std::vector<std::string> servers = {};
  std::chrono::milliseconds timeout{2'000};  // of the first try; later ones wait longer
  int tries = 3;
};

struct DnsService {
  std::string target;  // without the dot at the end
  std::uint16_t port = 0;
};

// Look-ups over c-ares, one after another in the caller's thread, which waits at most to the end of
// the context. Immutable, hence safe to share.
class DnsLookup {
 public:
  explicit DnsLookup(DnsOptions options) : options_(std::move(options)) {}

  // IPv4 and IPv6 addresses as text, in no order. NotFound when the name has none, Unavailable when
  // nobody answers.
  StatusOr<std::vector<std::string>> Addresses(const Context& context,
                                               const std::string& host) const;
  // The SRV records of a name. Errors as above.
  StatusOr<std::vector<DnsService>> Services(const Context& context, const std::string& name) const;

 private:
  const DnsOptions options_;
};

}  // namespace aevum::net
