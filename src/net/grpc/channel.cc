#include "net/grpc/channel.h"

#include <unistd.h>

#include <algorithm>
#include <cmath>

namespace aevum::net::grpc {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

StatusOr<std::unique_ptr<tls::Context>> MakeContext(const ClientTls& tls, const Logger& logger) {
  ASSIGN_OR_RETURN(const tls::Version version, tls::ParseVersion(tls.min_version));
  tls::ClientConfig config;
  config.cert.file = tls.cert_file;
  config.key.file = tls.key_file;
  config.ca.file = tls.ca_file;
  config.insecure_skip_verify = tls.insecure_skip_verify;
  config.min_version = version;
  config.alpn = {"h2"};
  return tls::Context::ForClient(std::move(config), logger);
}

}  // namespace

Channel::Impl::Impl(ClientRuntime::Impl& shared, ChannelOptions channel_options)
    : options(std::move(channel_options)), runtime(shared), loop(shared.NextLoop()) {}

void Channel::Impl::Enqueue(std::shared_ptr<CallStream> call) {
  if (state_ == State::kBackoff && steady_clock::now() >= next_attempt_) state_ = State::kIdle;
  if (state_ == State::kShutdown) {
    call->Finish(Unavailable("the channel is closed"));
    return;
  }
  if (state_ == State::kBackoff) {
    call->Finish(last_error_);
    return;
  }
  if (pending_.size() >= runtime.limits.pending_calls) {
    std::erase_if(pending_, [](const auto& waiting) { return waiting->IsClosed(); });
  }
  if (pending_.size() >= runtime.limits.pending_calls) {
    call->Finish(ResourceExhausted("too many calls wait for the connection: {}", pending_.size()));
    return;
  }
  pending_.push_back(std::move(call));
  if (state_ == State::kReady) {
    Pump();
    if (current_) current_->Flush();
  } else if (state_ == State::kIdle) {
    Dial();
  }
}

// --- Dialling.

void Channel::Impl::Dial() {
  state_ = State::kConnecting;
  if (IsNumeric(options.address)) {
    DialAddresses(Resolve(options.address, false));
    return;
  }
  const bool submitted = runtime.resolver.Submit([self = shared_from_this()] {
    // The task may be the last owner: it must end on the loop.
    self->loop.Post([self, addresses = Resolve(self->options.address, false)] {
      self->DialAddresses(addresses);
    });
  });
  if (!submitted) Failed(Unavailable("too many names to resolve"));
}

void Channel::Impl::DialAddresses(StatusOr<std::vector<SocketAddress>> addresses) {
  if (state_ != State::kConnecting) return;
  if (!addresses.ok()) {
    Failed(addresses.status());
    return;
  }
  dialer_ = std::make_shared<Dialer>(loop, *std::move(addresses), runtime.limits.connect_timeout,
                                     [weak = weak_from_this()](StatusOr<int> fd) {
                                       if (const auto self = weak.lock()) {
                                         self->Connected(std::move(fd));
                                       } else if (fd.ok()) {
                                         ::close(*fd);
                                       }
                                     });
  const auto dialer = dialer_;
  dialer->Start();
}

StatusOr<std::unique_ptr<tls::Engine>> Channel::Impl::MakeEngine() {
  if (!options.tls.enabled) return std::unique_ptr<tls::Engine>();
  // Made at the first dial that finds the files; then it follows them.
  if (!tls_) {
    ASSIGN_OR_RETURN(tls_, MakeContext(options.tls, runtime.logger));
  }
  std::string name = options.tls.server_name;
  if (name.empty()) {
    ASSIGN_OR_RETURN(const HostPort parts, SplitHostPort(options.address));
    name = parts.host;
  }
  return tls::Engine::ForClient(tls_->Get(), name);
}

void Channel::Impl::Connected(StatusOr<int> fd) {
  dialer_.reset();
  if (!fd.ok()) {
    Failed(fd.status());
    return;
  }
  StatusOr<std::unique_ptr<tls::Engine>> engine = MakeEngine();
  if (!engine.ok()) {
    ::close(*fd);
    Failed(engine.status());
    return;
  }
  current_ = std::make_shared<ClientConnection>(loop, *fd, *std::move(engine), runtime.limits,
                                                weak_from_this());
  const auto connection = current_;
  connection->Start();
}

void Channel::Impl::Failed(const Status& reason) {
  const Limits& limits = runtime.limits;
  const double grown = static_cast<double>(limits.backoff_first.count()) *
                       std::pow(limits.backoff_factor, failures_);
  const double capped = std::min(grown, static_cast<double>(limits.backoff_limit.count()));
  const double spread = std::uniform_real_distribution<double>(0.8, 1.2)(random_);
  next_attempt_ = steady_clock::now() + milliseconds(static_cast<std::int64_t>(capped * spread));
  failures_ = std::min(failures_ + 1, 100);
  state_ = State::kBackoff;
  last_error_ = reason;
  FailPending(reason);
}

void Channel::Impl::FailPending(const Status& reason) {
  const auto calls = std::exchange(pending_, {});
  for (const auto& call : calls) call->Finish(reason);
}

// --- What the connection says.

void Channel::Impl::OnReady(ClientConnection& connection) {
  if (&connection != current_.get()) return;
  state_ = State::kReady;
  ready_at_ = steady_clock::now();
  Pump();
}

void Channel::Impl::OnRetired(ClientConnection& connection) {
  if (&connection != current_.get()) return;
  std::erase_if(retired_, [](const auto& weak) { return weak.expired(); });
  retired_.push_back(current_);
  current_.reset();
  if (state_ == State::kReady) {
    failures_ = 0;
    state_ = State::kIdle;
    if (!pending_.empty()) Dial();
  }
}

void Channel::Impl::OnGone(ClientConnection& connection, const Status& reason) {
  if (&connection != current_.get()) {
    // One that said goodbye before it was ready leaves the dial without an end.
    if (state_ == State::kConnecting && !current_ && !dialer_ && !connection.was_ready()) {
      Failed(reason);
    }
    return;
  }
  current_.reset();
  if (state_ == State::kShutdown) return;
  const bool was_ready = state_ == State::kReady;
  if (!was_ready || steady_clock::now() - ready_at_ < runtime.limits.short_life) {
    Failed(reason);
    return;
  }
  failures_ = 0;
  state_ = State::kIdle;
  if (!pending_.empty()) Dial();
}

void Channel::Impl::OnRoom(ClientConnection& connection) {
  if (&connection == current_.get()) Pump();
}

void Channel::Impl::OnRefused(std::shared_ptr<CallStream> call) {
  call->QueueRequest();
  // Not from within the session that has just closed the stream.
  loop.Post([self = shared_from_this(), call = std::move(call)] { self->Enqueue(call); });
}

void Channel::Impl::Pump() {
  while (!pending_.empty() && current_ && current_->HasRoom()) {
    const std::shared_ptr<CallStream> call = pending_.front();
    if (call->IsClosed()) {
      pending_.pop_front();
      continue;
    }
    const auto connection = current_;
    // A refused submission retires the connection, and the call stays for the next one.
    if (!connection->Submit(call)) return;
    pending_.pop_front();
  }
}

void Channel::Impl::Shutdown() {
  state_ = State::kShutdown;
  const Status reason = Unavailable("the channel is closed");
  FailPending(reason);
  if (dialer_) dialer_->Cancel();
  dialer_.reset();
  if (const auto connection = std::exchange(current_, nullptr)) connection->Close(reason);
  for (const auto& weak : std::exchange(retired_, {})) {
    if (const auto connection = weak.lock()) connection->Close(reason);
  }
}

}  // namespace aevum::net::grpc
