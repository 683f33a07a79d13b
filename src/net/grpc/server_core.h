// What all connections of a server share.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "base/thread_pool.h"
#include "net/grpc/loop.h"
#include "net/grpc/metrics.h"
#include "net/grpc/reflection.h"
#include "net/grpc/server.h"
#include "net/tls/context.h"

namespace aevum::net::grpc {

class ServerConnection;

// Services that answer on the loop, so that full pools do not silence them.
enum class Builtin : std::uint8_t { kNone, kHealthCheck, kHealthWatch, kReflection };

struct Method {
  Server::Kind kind = Server::Kind::kUnary;
  Builtin builtin = Builtin::kNone;
  Handler handler;
  const MethodMetrics* metrics = nullptr;
};

// A loop and its connections, which only the loop's thread touches.
struct ServerLoop {
  ServerLoop(std::string name, std::chrono::milliseconds tick) : loop(std::move(name), tick) {}
  std::unordered_set<ServerConnection*> connections;
  Loop loop;
};

// Lets a string_view find a key.
struct PathHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view path) const {
    return std::hash<std::string_view>()(path);
  }
};

// Set up before Start, then constant but for the counters. Outlives the loops and pools' threads.
struct ServerCore {
  ServerOptions options;
  Logger logger;
  std::unordered_map<std::string, Method, PathHash, std::equal_to<>> methods;
  Reflection reflection;
  std::unique_ptr<tls::Context> tls;  // null: plain text
  prometheus::Counter* panics = nullptr;

  std::atomic<bool> serving = false;
  std::atomic<std::size_t> request_bytes = 0;

  // Connections, for the bound and for Stop.
  Mutex mutex;
  std::condition_variable changed;
  std::size_t connections AEVUM_GUARDED_BY(mutex) = 0;

  // Unary calls (Info, labels) do not wait behind long streams.
  std::unique_ptr<ThreadPool> unary_pool;
  std::unique_ptr<ThreadPool> stream_pool;
};

// Bytes of requests in flight, given back by Release or at the end of its life. Thread-compatible.
class RequestCharge {
 public:
  explicit RequestCharge(ServerCore& core) : core_(core) {}
  ~RequestCharge() { Release(); }
  RequestCharge(const RequestCharge&) = delete;
  RequestCharge& operator=(const RequestCharge&) = delete;

  // ResourceExhausted when the server has too many already; then nothing is charged.
  Status Add(std::size_t bytes) {
    const std::size_t limit = core_.options.max_request_bytes_in_flight;
    if (core_.request_bytes.fetch_add(bytes) + bytes > limit) {
      core_.request_bytes -= bytes;
      return ResourceExhausted("too many bytes of requests in flight, limit: {}", limit);
    }
    bytes_ += bytes;
    return OkStatus();
  }
  void Release() { core_.request_bytes -= std::exchange(bytes_, 0); }

 private:
  ServerCore& core_;
  std::size_t bytes_ = 0;
};

}  // namespace aevum::net::grpc
