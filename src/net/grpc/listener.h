// Accepts connections and hands them to the server's loops in turn.
#pragma once

#include <memory>
#include <vector>

#include "net/grpc/server_core.h"

namespace aevum::net::grpc {

// Lives on the first loop. Closes its socket in its destructor.
class Listener final : public Loop::Handler, public std::enable_shared_from_this<Listener> {
 public:
  using Loops = std::vector<std::unique_ptr<ServerLoop>>;

  Listener(int fd, ServerCore& core, const Loops& loops) : fd_(fd), core_(core), loops_(loops) {}
  ~Listener() override { Close(); }

  Status Start();
  void Close();

  void OnReady(std::uint32_t events) override;
  void OnTick(Loop::TimePoint /*now*/) override {}

 private:
  Loop& loop() { return loops_.front()->loop; }
  // False when there is no room.
  bool Reserve();
  void Pause();

  int fd_;
  ServerCore& core_;
  const Loops& loops_;
  std::size_t next_ = 0;
};

}  // namespace aevum::net::grpc
