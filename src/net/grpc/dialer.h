// Connects to the first of a list of addresses that answers.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "net/grpc/loop.h"
#include "net/grpc/socket.h"

namespace aevum::net::grpc {

// Runs on its loop. One use.
class Dialer final : public Loop::Handler, public std::enable_shared_from_this<Dialer> {
 public:
  // A connected socket, which the receiver owns, or why there is none.
  using Done = std::function<void(StatusOr<int>)>;

  Dialer(Loop& loop, std::vector<SocketAddress> addresses, std::chrono::milliseconds timeout,
         Done done);
  ~Dialer() override;

  void Start() { Next(); }
  // No answer will come.
  void Cancel();

  void OnReady(std::uint32_t events) override;
  void OnTick(Loop::TimePoint now) override;

 private:
  // Tries the next address, or gives up with the error of the last.
  void Next();
  void CloseSocket();
  void Answer(StatusOr<int> result);

  Loop& loop_;
  const std::vector<SocketAddress> addresses_;
  const Loop::TimePoint deadline_;
  Done done_;
  std::size_t next_ = 0;
  int fd_ = -1;
  Status error_;
};

}  // namespace aevum::net::grpc
