#include "net/grpc/listener.h"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "net/grpc/server_connection.h"
#include "net/grpc/socket.h"

namespace aevum::net::grpc {
namespace {

// Accepted in one go, before the connections have their turn.
constexpr int kAcceptRounds = 64;

// On the loop that the connection is to live on. A place is reserved already.
void Begin(ServerCore& core, ServerLoop& home, int fd) {
  std::unique_ptr<tls::Engine> engine;
  if (core.tls) {
    StatusOr<std::unique_ptr<tls::Engine>> made = tls::Engine::ForServer(core.tls->Get());
    if (!made.ok()) {
      core.logger.Warn("can't begin TLS", {{"err", made.status()}});
      ::close(fd);
      MutexLock lock(core.mutex);
      --core.connections;
      return;
    }
    engine = *std::move(made);
  }
  std::make_shared<ServerConnection>(core, home, fd, std::move(engine))->Start();
}

}  // namespace

Status Listener::Start() { return loop().Watch(fd_, EPOLLIN, shared_from_this()); }

void Listener::Close() {
  if (fd_ < 0) return;
  loop().Forget(fd_);
  ::close(std::exchange(fd_, -1));
}

bool Listener::Reserve() {
  MutexLock lock(core_.mutex);
  if (core_.connections >= core_.options.max_connections) return false;
  ++core_.connections;
  return true;
}

void Listener::Pause() {
  loop().Change(fd_, 0);
  loop().After(core_.options.limits.accept_pause, [weak = weak_from_this()] {
    if (const auto self = weak.lock(); self && self->fd_ >= 0) {
      self->loop().Change(self->fd_, EPOLLIN);
    }
  });
}

void Listener::OnReady(std::uint32_t /*events*/) {
  for (int round = 0; round < kAcceptRounds && fd_ >= 0; ++round) {
    const int fd = ::accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0) {
      if (errno == EINTR || errno == ECONNABORTED) continue;
      // Out of descriptors or memory: the backlog stays readable, so wait instead of spinning.
      if (errno != EAGAIN) Pause();
      return;
    }
    if (!Reserve()) {
      ::close(fd);
      continue;
    }
    SetNoDelay(fd);
    ServerLoop& home = *loops_[next_++ % loops_.size()];
    home.loop.Post([&core = core_, &home, fd] { Begin(core, home, fd); });
  }
}

}  // namespace aevum::net::grpc
