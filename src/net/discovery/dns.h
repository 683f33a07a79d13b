// Addresses behind the DNS schemes of Thanos: dns+, dnssrv+ and dnssrvnoa+.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/context.h"
#include "base/logging.h"
#include "base/mutex.h"
#include "base/status.h"
#include "net/discovery/dns_lookup.h"

namespace prometheus {
class Registry;
}

namespace aevum::net {

// An address as it stands in a flag or a file.
struct DnsAddress {
  enum class Kind {
    kPlain,         // "host:port": nothing is looked up
    kAddresses,     // "dns+host:port"
    kService,       // "dnssrv+_grpc._tcp.host": SRV records, then their addresses
    kServiceNames,  // "dnssrvnoa+…": SRV records, their names as they are
  };
  Kind kind = Kind::kPlain;
  std::string scheme;  // "http://" or the like before the host, put before each result
  std::string host;
  std::string port;  // "" when absent: of a service its records say it

  // InvalidArgument when dns+ has no port, or the host is empty.
  static StatusOr<DnsAddress> Parse(std::string_view text);
};

// Resolves a list of addresses and keeps the last good answer of each. Thread-safe; Resolve blocks
// for the look-ups, the others never.
class DnsResolver {
 public:
  struct Options {
    std::string metrics_prefix;  // "thanos_query_endpoints": …_dns_lookups_total and so on
    std::map<std::string, std::string> metrics_labels = {};
    // The name that rules and dashboards still know the two counters by; "": none.
    std::string metrics_old_prefix = {};
    DnsOptions dns = {};
  };
  // `metrics` may be null.
  DnsResolver(Options options, Logger logger, const std::shared_ptr<prometheus::Registry>& metrics);
  ~DnsResolver();

  // Looks all addresses up, in order, and forgets those not given. A name that DNS does not know
  // has no results; one whose look-up fails keeps its last ones, and the first such error is
  // returned when all are through.
  Status Resolve(const Context& context, const std::vector<std::string>& addresses);

  // All results, sorted, each once.
  std::vector<std::string> Addresses() const;
  // Those of one address as it was given to Resolve; empty when it was not.
  std::vector<std::string> AddressesOf(const std::string& address) const;

 private:
  struct Metrics;
  StatusOr<std::vector<std::string>> LookUp(const Context& context, const DnsAddress& address);
  StatusOr<std::vector<std::string>> LookUpService(const Context& context,
                                                   const DnsAddress& address);

  const Logger logger_;
  const DnsLookup lookup_;
  const std::unique_ptr<Metrics> metrics_;
  Mutex resolve_mutex_;  // one Resolve at a time; taken before mutex_
  mutable Mutex mutex_;
  std::map<std::string, std::vector<std::string>> results_ AEVUM_GUARDED_BY(mutex_);
};

}  // namespace aevum::net
