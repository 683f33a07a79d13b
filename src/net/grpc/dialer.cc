#include "net/grpc/dialer.h"

#include <sys/epoll.h>
#include <unistd.h>

#include <utility>

namespace aevum::net::grpc {

Dialer::Dialer(Loop& loop, std::vector<SocketAddress> addresses, std::chrono::milliseconds timeout,
               Done done)
    : loop_(loop),
      addresses_(std::move(addresses)),
      deadline_(std::chrono::steady_clock::now() + timeout),
      done_(std::move(done)),
      error_(Unavailable("no address to connect to")) {}

Dialer::~Dialer() {
  if (fd_ >= 0) ::close(fd_);
}

void Dialer::CloseSocket() {
  if (fd_ < 0) return;
  loop_.Forget(fd_);
  ::close(std::exchange(fd_, -1));
}

void Dialer::Cancel() {
  done_ = nullptr;
  CloseSocket();
}

void Dialer::Answer(StatusOr<int> result) {
  if (const Done done = std::exchange(done_, nullptr)) done(std::move(result));
}

void Dialer::Next() {
  const auto self = shared_from_this();  // Forget may drop the last owner
  CloseSocket();
  while (next_ < addresses_.size()) {
    const StatusOr<int> begun = BeginConnect(addresses_[next_++]);
    if (!begun.ok()) {
      error_ = begun.status();
      continue;
    }
    fd_ = *begun;
    error_ = loop_.Watch(fd_, EPOLLOUT, self);
    if (error_.ok()) return;
    ::close(std::exchange(fd_, -1));
  }
  Answer(error_);
}

void Dialer::OnReady(std::uint32_t /*events*/) {
  if (Status status = ConnectResult(fd_); !status.ok()) {
    error_ = std::move(status);
    Next();
    return;
  }
  loop_.Forget(fd_);
  SetNoDelay(fd_);
  Answer(std::exchange(fd_, -1));
}

void Dialer::OnTick(Loop::TimePoint now) {
  if (now < deadline_) return;
  error_ = Unavailable("can't connect: no answer in time");
  next_ = addresses_.size();
  Next();
}

}  // namespace aevum::net::grpc
