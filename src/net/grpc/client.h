// The gRPC client over nghttp2: a channel to one address, and the calls on it.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/context.h"
#include "base/logging.h"
#include "base/status.h"
#include "net/grpc/limits.h"

namespace prometheus {
class Registry;
}

namespace aevum::net::grpc {

struct ClientTls {
  bool enabled = false;
  bool insecure_skip_verify = false;
  std::string cert_file = {};
  std::string key_file = {};
  std::string ca_file = {};      // "": the system's
  std::string server_name = {};  // "": the host of the address
  std::string min_version = "1.3";
};

enum class Compression : std::uint8_t { kNone, kSnappy };

struct ChannelOptions {
  std::string address;  // host:port; a host name is resolved at each dial
  ClientTls tls = {};
  Compression compression = Compression::kNone;
  std::size_t max_message_bytes = (std::size_t{1} << 31) - 1;
};

// The event loops that channels share, and the metrics grpc_client_*. Must outlive its channels and
// their calls.
class ClientRuntime {
 public:
  ClientRuntime(std::size_t loops, std::shared_ptr<prometheus::Registry> metrics,
                Logger logger = {}, Limits limits = {});
  ~ClientRuntime();
  class Impl;
  Impl& impl() { return *impl_; }

 private:
  std::unique_ptr<Impl> impl_;
};

// One call, used by one thread at a time. Destroying it cancels what still runs.
class ClientCall {
 public:
  virtual ~ClientCall() = default;
  // The next response message; nullopt at the end of a call that ended OK; else the call's status,
  // whose message starts with nothing added: the caller knows whom it asked. Blocks; observes the
  // deadline and cancellation of the context the call was started with.
  virtual StatusOr<std::optional<SharedBytes>> Next() = 0;
  virtual void Cancel() = 0;
  // After an error: the memory budget of the context could not hold the answer. No fault of the
  // peer, unlike a message that alone is larger than the budget.
  virtual bool over_budget() const = 0;
  // Bytes of messages received so far, uncompressed.
  virtual std::uint64_t bytes_received() const = 0;
};

// A connection that dials when a call wants it and dials again after losses, with backoff.
// Thread-safe.
class Channel {
 public:
  Channel(ClientRuntime& runtime, ChannelOptions options);
  ~Channel();

  // Starts a call with one request message. What comes is charged to the budget of the context
  // until Next() gives it out; whoever keeps it charges it from then on. `metadata` keys are lower
  // case; tenant and request id of the context are added as `thanos-tenant` and `request-id`, its
  // trace as `traceparent`, in which the call is a span. Never blocks; failure to connect shows in
  // Next().
  std::unique_ptr<ClientCall> Start(const Context& context, std::string_view path,
                                    SharedBytes request,
                                    std::vector<std::pair<std::string, std::string>> metadata = {});
  // A unary call: exactly one message. ResourceExhausted when it has more than `max_bytes`, which
  // is seen before they have come.
  struct UnaryOptions {
    std::size_t max_bytes = SIZE_MAX;
    std::vector<std::pair<std::string, std::string>> metadata = {};
  };
  StatusOr<SharedBytes> Unary(const Context& context, std::string_view path, SharedBytes request,
                              UnaryOptions options);
  StatusOr<SharedBytes> Unary(const Context& context, std::string_view path, SharedBytes request) {
    return Unary(context, path, std::move(request), UnaryOptions());
  }

  const std::string& address() const;

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace aevum::net::grpc
