// The state of a channel, which lives on one loop.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "net/grpc/call_stream.h"
#include "net/grpc/client_connection.h"
#include "net/grpc/client_runtime.h"
#include "net/grpc/dialer.h"
#include "net/tls/context.h"

namespace aevum::net::grpc {

//     idle -> connecting -> ready -> (lost) -> idle or backoff -> idle
//
// Dials only when a call wants it. Calls wait while it connects; in backoff they fail at once with
// the last error. A connection that says goodbye leaves the channel and finishes its calls alone.
//
// Everything but Start and the constant members is for the loop's thread.
class Channel::Impl final : public ClientConnection::Owner,
                            public std::enable_shared_from_this<Channel::Impl> {
 public:
  Impl(ClientRuntime::Impl& runtime, ChannelOptions options);

  const ChannelOptions options;
  ClientRuntime::Impl& runtime;
  Loop& loop;

  // What is called, and how large a message of the answer may be.
  struct Method {
    CallType type;
    std::string_view path;
    std::size_t max_bytes = SIZE_MAX;
  };

  // Any thread.
  std::unique_ptr<ClientCall> Start(const Method& method, const Context& context, SharedBytes body,
                                    std::vector<std::pair<std::string, std::string>> metadata);

  void Enqueue(std::shared_ptr<CallStream> call);
  // Ends everything, for good.
  void Shutdown();

  void OnReady(ClientConnection& connection) override;
  void OnRetired(ClientConnection& connection) override;
  void OnGone(ClientConnection& connection, const Status& reason) override;
  void OnRoom(ClientConnection& connection) override;
  void OnRefused(std::shared_ptr<CallStream> call) override;

 private:
  enum class State : std::uint8_t { kIdle, kConnecting, kReady, kBackoff, kShutdown };

  void Dial();
  void DialAddresses(StatusOr<std::vector<SocketAddress>> addresses);
  void Connected(StatusOr<int> fd);
  StatusOr<std::unique_ptr<tls::Engine>> MakeEngine();
  void Failed(const Status& reason);
  // Submits what waits, as far as there is room.
  void Pump();
  void FailPending(const Status& reason);

  State state_ = State::kIdle;
  std::shared_ptr<ClientConnection> current_;
  std::vector<std::weak_ptr<ClientConnection>> retired_;
  std::shared_ptr<Dialer> dialer_;
  std::unique_ptr<tls::Context> tls_;
  std::deque<std::shared_ptr<CallStream>> pending_;
  Loop::TimePoint next_attempt_;
  Loop::TimePoint ready_at_;
  int failures_ = 0;
  Status last_error_;
  std::minstd_rand random_{std::random_device{}()};
};

}  // namespace aevum::net::grpc
