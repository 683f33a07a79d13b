#include "net/grpc/connection.h"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <exception>
#include <system_error>

#include "net/grpc/session.h"

namespace aevum::net::grpc {
namespace {

using std::chrono::steady_clock;

// How often one readiness reads, and one flush writes, before the neighbours have their turn.
constexpr int kReadRounds = 4;
constexpr int kWriteRounds = 16;
constexpr std::size_t kPieces = 256;

std::string ErrnoText() { return std::generic_category().message(errno); }

}  // namespace

Connection::Connection(Loop& loop, int fd, std::unique_ptr<tls::Engine> tls, Role role,
                       const Limits& limits)
    : loop_(loop),
      limits_(limits),
      role_(role),
      created_(steady_clock::now()),
      last_received_(created_),
      fd_(fd),
      tls_(std::move(tls)),
      last_progress_(created_),
      linger_until_(created_) {}

Connection::~Connection() {
  nghttp2_session_del(session_);
  if (fd_ >= 0) ::close(fd_);
}

template <typename Step>
void Connection::Guarded(Step step) {
  const auto self = shared_from_this();
  try {
    step();
  } catch (const std::exception& error) {
    Close(MakeError(StatusCode::kResourceExhausted, error.what()));
  }
}

void Connection::Start() {
  Guarded([this] {
    wake_list_ = std::make_shared<WakeList>(
        loop_, [weak = weak_from_this()](const WakeList::Streams& streams) {
          if (const auto self = weak.lock()) self->Drained(streams);
        });
    interest_ = EPOLLIN;
    if (Status status = loop_.Watch(fd_, interest_, shared_from_this()); !status.ok()) {
      Close(std::move(status));
      return;
    }
    if (Status status = OpenSession(); !status.ok()) {
      Close(std::move(status));
      return;
    }
    Flush();
  });
}

Status Connection::OpenSession() {
  ASSIGN_OR_RETURN(session_, SessionCallbacks::Open(*this));
  return OkStatus();
}

void Connection::OnReady(std::uint32_t events) {
  Guarded([this, events] {
    if (state_ == State::kClosed) return;
    if ((events & EPOLLOUT) != 0) write_blocked_ = false;
    if ((events & (EPOLLIN | EPOLLERR | EPOLLHUP)) != 0) ReadSome();
    if (state_ == State::kOpen) Flush();
  });
}

void Connection::ReadSome() {
  for (int round = 0; round < kReadRounds && state_ != State::kClosed; ++round) {
    const ssize_t size = ::recv(fd_, loop_.read_buffer(), Loop::kReadBufferBytes, 0);
    if (size < 0) {
      if (errno == EINTR) continue;
      if (errno != EAGAIN) Close(Unavailable("connection lost: {}", ErrnoText()));
      return;
    }
    if (size == 0) {
      Close(terminated_.ok() ? Unavailable("connection closed by the peer") : terminated_);
      return;
    }
    if (state_ == State::kLingering) continue;  // read and forget
    last_received_ = steady_clock::now();
    TakeBytes({loop_.read_buffer(), static_cast<std::size_t>(size)});
    if (static_cast<std::size_t>(size) < Loop::kReadBufferBytes) return;
    if (nghttp2_session_get_outbound_queue_size(session_) > limits_.outbound_frames) return;
  }
}

void Connection::TakeBytes(std::string_view bytes) {
  if (!tls_) {
    FeedSession(bytes);
    return;
  }
  std::string& plain = loop_.plain();
  plain.clear();
  Status status = tls_->Receive(bytes, plain);
  if (status.ok() && tls_->established() && !std::exchange(secured_, true)) {
    status = OnSecured(*tls_);
  }
  FeedSession(plain);
  plain.clear();
  if (state_ != State::kOpen) return;
  if (!status.ok()) {
    // Our alert tells the peer why.
    WriteTls();
    if (state_ == State::kOpen) Close(std::move(status));
  } else if (tls_->peer_closed()) {
    Close(Unavailable("connection closed by the peer"));
  }
}

void Connection::FeedSession(std::string_view bytes) {
  if (bytes.empty()) return;
  const ssize_t taken = nghttp2_session_mem_recv(
      session_, reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
  if (!failure_.ok()) {
    Close(failure_);
  } else if (taken < 0) {
    Close(Unavailable("bad HTTP/2 from the peer: {}", nghttp2_strerror(static_cast<int>(taken))));
  }
}

void Connection::Drained(const WakeList::Streams& streams) {
  Guarded([this, &streams] {
    for (const auto& stream : streams) {
      if (state_ != State::kOpen) return;
      OnWoken(*stream);
    }
    Flush();
  });
}

void Connection::Flush() {
  if (state_ != State::kOpen) return;
  Guarded([this] { FlushOpen(); });
}

void Connection::FlushOpen() {
  if (tls_ && !tls_->established()) {
    WriteTls();  // the handshake's bytes; the session's wait for its end
    if (state_ == State::kOpen) UpdateInterest();
    return;
  }
  for (int round = 0;; ++round) {
    if (const int result = nghttp2_session_send(session_); result != 0) {
      Close(Unavailable("HTTP/2 session failed: {}", nghttp2_strerror(result)));
      return;
    }
    if (output_.empty() && (!tls_ || tls_->output().empty())) break;
    if (write_blocked_ || !WriteSome()) break;
    if (round == kWriteRounds) {
      if (!std::exchange(flush_posted_, true)) {
        loop_.Post([self = shared_from_this()] {
          self->flush_posted_ = false;
          self->Flush();
        });
      }
      break;
    }
  }
  if (state_ == State::kOpen) Settle();
}

bool Connection::WriteSome() { return tls_ ? WriteTls() : WritePlain(); }

bool Connection::AfterWrite(ssize_t written) {
  if (written >= 0) {
    return true;
  }
  if (errno == EINTR) return true;
  if (errno == EAGAIN || errno == EWOULDBLOCK) {
    // The stall clock starts here: before, there was nothing that the peer did not take.
    if (!std::exchange(write_blocked_, true)) last_progress_ = steady_clock::now();
  } else {
    Close(Unavailable("connection lost: {}", ErrnoText()));
  }
  return false;
}

bool Connection::WritePlain() {
  while (!output_.empty()) {
    std::array<iovec, kPieces> pieces;
    msghdr message{};
    message.msg_iov = pieces.data();
    message.msg_iovlen = output_.Gather(pieces.data(), kPieces);
    const ssize_t written = ::sendmsg(fd_, &message, MSG_NOSIGNAL);
    if (!AfterWrite(written)) return false;
    if (written > 0) output_.Drop(static_cast<std::size_t>(written));
  }
  return true;
}

bool Connection::WriteTls() {
  std::string& encrypted = tls_->output();
  if (tls_->established() && encrypted.empty() && !output_.empty()) {
    // In one piece, or each small one would become a record.
    std::string& plain = loop_.plain();
    plain.clear();
    output_.FlattenInto(plain);
    Status status = tls_->Send(plain);
    plain.clear();
    if (!status.ok()) {
      Close(std::move(status));
      return false;
    }
  }
  while (tls_sent_ < encrypted.size()) {
    const ssize_t written =
        ::send(fd_, encrypted.data() + tls_sent_, encrypted.size() - tls_sent_, MSG_NOSIGNAL);
    if (!AfterWrite(written)) return false;
    if (written > 0) tls_sent_ += static_cast<std::size_t>(written);
  }
  encrypted.clear();
  tls_sent_ = 0;
  return true;
}

void Connection::Settle() {
  if (!failure_.ok()) {
    Close(failure_);
    return;
  }
  const bool written = output_.empty() && (!tls_ || tls_->output().empty());
  if (written && nghttp2_session_want_read(session_) == 0 &&
      nghttp2_session_want_write(session_) == 0 && (!terminated_.ok() || MayEnd())) {
    Linger();
    return;
  }
  read_paused_ = nghttp2_session_get_outbound_queue_size(session_) > limits_.outbound_frames;
  UpdateInterest();
}

void Connection::UpdateInterest() {
  const std::uint32_t interest = (read_paused_ ? 0u : static_cast<std::uint32_t>(EPOLLIN)) |
                                 (write_blocked_ ? static_cast<std::uint32_t>(EPOLLOUT) : 0u);
  if (interest == interest_) return;
  interest_ = interest;
  loop_.Change(fd_, interest);
}

// A close with unread bytes in the socket becomes a reset, and the peer would not read our GOAWAY.
void Connection::Linger() {
  state_ = State::kLingering;
  linger_until_ = steady_clock::now() + limits_.linger;
  LoseStreams(terminated_.ok() ? Unavailable("connection closed") : terminated_);
  if (tls_) {
    tls_->Shutdown();
    WriteTls();
    if (state_ != State::kLingering) return;
  }
  ::shutdown(fd_, SHUT_WR);
  read_paused_ = write_blocked_ = false;
  UpdateInterest();
}

void Connection::LoseStreams(const Status& reason) {
  wake_list_->Close();
  const auto streams = std::exchange(streams_, {});
  for (const auto& [id, stream] : streams) {
    stream->gone = true;
    OnStreamLost(*stream, reason);
  }
}

void Connection::Close(Status reason) {
  if (state_ == State::kClosed) return;
  const auto self = shared_from_this();
  state_ = State::kClosed;
  loop_.Forget(fd_);
  ::close(std::exchange(fd_, -1));
  if (wake_list_) LoseStreams(reason);
  output_.Clear();
  OnClosed(reason);
}

void Connection::OnTick(TimePoint now) {
  Guarded([this, now] {
    if (state_ == State::kLingering && now >= linger_until_) {
      Close(Unavailable("connection closed"));
    }
    if (state_ != State::kOpen) return;
    const bool pending = !output_.empty() || (tls_ && !tls_->output().empty());
    if (!peer_ready_ && now - created_ >= limits_.preface_timeout) {
      Close(Unavailable("no HTTP/2 settings from the peer in time"));
    } else if (pending && write_blocked_ && now - last_progress_ >= limits_.socket_stall) {
      Close(Unavailable("the peer reads nothing"));
    }
    if (state_ != State::kOpen) return;
    ResetStalled(now);
    OnTickMore(now);
    Flush();
  });
}

void Connection::ResetStalled(TimePoint now) {
  for (const auto& [id, stream] : streams_) {
    bool queued = false;
    {
      MutexLock lock(stream->mutex);
      queued = !stream->out.empty();
    }
    if (!queued) {
      stream->out_progress = now;
    } else if (now - stream->out_progress >= limits_.stream_stall) {
      Reset(*stream, NGHTTP2_CANCEL);
    }
  }
}

void Connection::Fail(Status reason) {
  if (failure_.ok()) failure_ = std::move(reason);
}

void Connection::Terminate(std::uint32_t error_code, std::string_view why) {
  if (!terminated_.ok()) return;
  terminated_ = Unavailable("connection ended: {}", why);
  const std::string text(why);
  // terminate_session cannot carry a text, so the GOAWAY goes first.
  nghttp2_submit_goaway(session_, NGHTTP2_FLAG_NONE,
                        nghttp2_session_get_last_proc_stream_id(session_), error_code,
                        reinterpret_cast<const std::uint8_t*>(text.data()), text.size());
  nghttp2_session_terminate_session(session_, error_code);
}

void Connection::Reset(const Stream& stream, std::uint32_t error_code) {
  if (stream.gone) return;
  nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, stream.id, error_code);
}

void Connection::SendPing(std::uint64_t payload) {
  std::array<std::uint8_t, sizeof(payload)> bytes;
  std::memcpy(bytes.data(), &payload, sizeof(payload));
  nghttp2_submit_ping(session_, NGHTTP2_FLAG_NONE, bytes.data());
}

void Connection::Adopt(std::shared_ptr<Stream> stream) {
  {
    MutexLock lock(stream->mutex);
    stream->wake_list = wake_list_;
  }
  streams_[stream->id] = std::move(stream);
}

nghttp2_data_provider Connection::ProviderOf(Stream& stream) const {
  nghttp2_data_provider provider{};
  provider.source.ptr = &stream;
  provider.read_callback = SessionCallbacks::Read;
  return provider;
}

void Connection::Credit(Stream& stream) {
  if (stream.gone) return;
  const std::size_t credit = stream.TakeCredit();
  if (credit > 0) nghttp2_session_consume_stream(session_, stream.id, credit);
}

}  // namespace aevum::net::grpc
