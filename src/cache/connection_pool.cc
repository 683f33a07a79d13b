#include "cache/connection_pool.h"

#include <algorithm>
#include <utility>

namespace aevum::cache {
namespace {

using SteadyClock = std::chrono::steady_clock;

}  // namespace

Status ConnectionPool::Run(const Context& context, std::chrono::nanoseconds timeout,
                           const std::string& address, const Exchange& exchange) {
  RETURN_IF_ERROR(context.status());
  ASSIGN_OR_RETURN(std::unique_ptr<Connection> connection, TakeIdle(address));
  const Context limited = context.WithTimeout(timeout);
  if (connection) {
    const Status status = exchange(limited, *connection);
    if (status.ok()) Succeeded(address, std::move(connection));
    // The server may have been started anew since: what is said of an idle connection says
    // nothing of the server.
    if (status.code() != StatusCode::kUnavailable) {
      if (!status.ok()) Failed(context, address);
      return status;
    }
  }
  StatusOr<std::unique_ptr<Connection>> dialled = dial_(limited, address);
  Status status = dialled.status();
  if (status.ok()) status = exchange(limited, **dialled);
  if (status.ok()) {
    Succeeded(address, *std::move(dialled));
  } else {
    Failed(context, address);
  }
  return status;
}

StatusOr<std::unique_ptr<Connection>> ConnectionPool::TakeIdle(const std::string& address) {
  MutexLock lock(mutex_);
  Server& server = servers_[address];
  if (SteadyClock::now() < server.asleep_until)
    return Unavailable("{} did not answer lately", address);
  while (!server.idle.empty()) {
    std::unique_ptr<Connection> connection = std::move(server.idle.back());
    server.idle.pop_back();
    if (connection->IsFresh()) return connection;
  }
  return std::unique_ptr<Connection>();
}

void ConnectionPool::Succeeded(const std::string& address, std::unique_ptr<Connection> connection) {
  MutexLock lock(mutex_);
  const auto server = servers_.find(address);
  if (server == servers_.end()) return;
  server->second.failures = 0;
  if (server->second.idle.size() < max_idle_) server->second.idle.push_back(std::move(connection));
}

void ConnectionPool::Failed(const Context& context, const std::string& address) {
  // A client that gave up, or that had little time, says nothing of the server.
  if (!context.status().ok()) return;
  MutexLock lock(mutex_);
  const auto server = servers_.find(address);
  if (server == servers_.end()) return;
  if (++server->second.failures < kFailures) return;
  server->second.asleep_until = SteadyClock::now() + kPause;
  server->second.idle.clear();
}

void ConnectionPool::Keep(const std::vector<std::string>& addresses) {
  MutexLock lock(mutex_);
  std::erase_if(servers_, [&](const auto& entry) {
    return std::find(addresses.begin(), addresses.end(), entry.first) == addresses.end();
  });
}

}  // namespace aevum::cache
