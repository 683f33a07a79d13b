// The connections to the servers of a cache, and which of them do not answer.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "cache/connection.h"

namespace aevum::cache {

// Keeps idle connections, last used first. A server that failed several times in a row is left
// alone for a while: meanwhile its keys are misses at once, so that a dead cache does not cost each
// request a timeout. Thread-safe.
class ConnectionPool {
 public:
  using Dial = std::function<StatusOr<std::unique_ptr<Connection>>(const Context& context,
                                                                   const std::string& address)>;
  // Asks and reads the answer. Run again on a new connection when an idle one turns out dead.
  using Exchange = std::function<Status(const Context& context, Connection& connection)>;

  // `max_idle` connections are kept of each server.
  ConnectionPool(Dial dial, std::size_t max_idle) : dial_(std::move(dial)), max_idle_(max_idle) {}

  // Dials, if need be, and runs the exchange, for `timeout` at most. Errors are those of the
  // exchange, of Dial, or Unavailable for a server that is left alone. When `context` itself is
  // over, that is not held against the server.
  Status Run(const Context& context, std::chrono::nanoseconds timeout, const std::string& address,
             const Exchange& exchange);

  // Forgets servers that are not in the list.
  void Keep(const std::vector<std::string>& addresses);

  // Failures in a row after which a server is left alone, and how long.
  static constexpr int kFailures = 3;
  static constexpr std::chrono::milliseconds kPause{1'000};

 private:
  struct Server {
    std::vector<std::unique_ptr<Connection>> idle;
    int failures = 0;
    std::chrono::steady_clock::time_point asleep_until;
  };

  // An idle connection, or null.
  StatusOr<std::unique_ptr<Connection>> TakeIdle(const std::string& address);
  void Succeeded(const std::string& address, std::unique_ptr<Connection> connection);
  void Failed(const Context& context, const std::string& address);

  const Dial dial_;
  const std::size_t max_idle_;
  Mutex mutex_;
  std::map<std::string, Server> servers_ AEVUM_GUARDED_BY(mutex_);
};

}  // namespace aevum::cache
