#include "net/http/connection.h"

#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>

#include "net/http/form.h"

namespace aevum::net {
namespace {

using boost::asio::ip::tcp;
using boost::system::error_code;

constexpr std::size_t kSmallRead = 4 << 10;
constexpr std::size_t kLargeRead = 64 << 10;
// What a client may send ahead while a handler runs; more waits in the kernel.
constexpr std::size_t kPipelineBytes = 64 << 10;
// After an answer that ends a connection the client may still be sending. To close at once would
// make the kernel reset the connection, and the answer be lost; so the rest is read and dropped.
constexpr std::chrono::milliseconds kLingerTime{2'000};
constexpr std::size_t kLingerBytes = 1 << 20;

}  // namespace

Connection::Connection(tcp::socket socket, std::unique_ptr<tls::Engine> engine,
                       ConnectionHost* host)
    : socket_(std::move(socket)),
      engine_(std::move(engine)),
      host_(host),
      outbox_(host->options().write_timeout, [this] {
        // Called by who holds the connection.
        boost::asio::post(socket_.get_executor(), [self = shared_from_this()] { self->Write(); });
      }) {
  error_code error;
  const tcp::endpoint remote = socket_.remote_endpoint(error);
  if (!error) {
    const bool v6 = remote.address().is_v6();
    remote_address_ = (v6 ? "[" : "") + remote.address().to_string() + (v6 ? "]:" : ":") +
                      std::to_string(remote.port());
  }
  // Answers are written in whole pieces, so nothing is gained by waiting for more.
  socket_.set_option(tcp::no_delay(true), error);
}

void Connection::Start() {
  Enter(engine_ ? Phase::kHandshake : Phase::kIdle, host_->options().header_timeout);
  Read();
}

void Connection::Enter(Phase phase, std::chrono::milliseconds timeout) {
  phase_ = phase;
  waiting_since_ = std::chrono::steady_clock::now();
  deadline_ = waiting_since_ + timeout;
}

void Connection::CheckDeadlines(TimePoint now) {
  if (writing_ && now >= write_deadline_) return Close();
  if (phase_ == Phase::kHandling || now < deadline_) return;
  if (phase_ == Phase::kHeader) return Answer(408, "the header took too long");
  if (phase_ == Phase::kBody) return Answer(408, "the body took too long");
  Close();
}

void Connection::Cancel() {
  if (scope_) scope_->Cancel();
}

void Connection::Close() {
  if (phase_ == Phase::kClosed) return;
  phase_ = Phase::kClosed;
  const std::shared_ptr<Connection> self = shared_from_this();
  outbox_.Close();
  Cancel();
  error_code ignored;  // there is nobody to tell
  socket_.close(ignored);
  host_->OnClosed(this);
}

void Connection::Read() {
  if (reading_ || read_ended_ || phase_ == Phase::kClosed) return;
  if (phase_ == Phase::kHandling && in_.size() >= kPipelineBytes) return;
  reading_ = true;
  // Idle connections must be cheap, uploads fast.
  const std::size_t wanted = phase_ == Phase::kBody ? kLargeRead : kSmallRead;
  if (read_buffer_.size() != wanted) read_buffer_ = std::string(wanted, '\0');
  socket_.async_read_some(boost::asio::buffer(read_buffer_),
                          [self = shared_from_this()](const error_code& error, std::size_t size) {
                            self->OnRead(error, size);
                          });
}

void Connection::OnRead(const error_code& error, std::size_t size) {
  reading_ = false;
  if (phase_ == Phase::kClosed) return;
  if (error) return OnReadEnd(error);
  if (phase_ == Phase::kLingering) {
    lingered_bytes_ += size;
    if (lingered_bytes_ > kLingerBytes) return Close();
    return Read();
  }
  const std::string_view bytes(read_buffer_.data(), size);
  if (engine_) {
    if (!Decrypt(bytes)) return;
  } else {
    in_.append(bytes);
  }
  if (phase_ == Phase::kHandling) return Read();
  Process();
}

bool Connection::Decrypt(std::string_view bytes) {
  const Status status = engine_->Receive(bytes, in_);
  if (!status.ok()) {
    // Sends the alert, if there is one, and lets the peer read it.
    Enter(Phase::kLingering, kLingerTime);
    Write();
    Read();
    return false;
  }
  if (!engine_->output().empty()) Write();
  if (phase_ == Phase::kHandshake && engine_->established()) {
    Enter(Phase::kIdle, host_->options().header_timeout);
  }
  if (engine_->peer_closed()) {
    OnReadEnd(boost::asio::error::eof);
    return false;
  }
  return true;
}

void Connection::OnReadEnd(const error_code& error) {
  read_ended_ = true;
  // The client is gone, or sends no more; who runs for it may stop. What it still reads, it gets.
  if (phase_ == Phase::kHandling && error == boost::asio::error::eof) return Cancel();
  Close();
}

void Connection::Process() {
  while (!in_.empty() &&
         (phase_ == Phase::kIdle || phase_ == Phase::kHeader || phase_ == Phase::kBody)) {
    if (phase_ == Phase::kIdle) {
      const HttpServerOptions& options = host_->options();
      RequestParser::Limits limits;
      limits.header_bytes = options.max_header_bytes;
      limits.body_bytes = options.max_body_bytes;
      parser_.emplace(limits, host_->body_budget());
      continued_ = false;
      Enter(Phase::kHeader, options.header_timeout);
    }
    const std::size_t used = parser_->Feed(in_);
    in_.erase(0, used);
    if (parser_->state() == RequestParser::State::kFailed) {
      return Answer(parser_->error_status(), parser_->error_text());
    }
    if (parser_->state() == RequestParser::State::kDone) return DispatchRequest();
    if (parser_->state() == RequestParser::State::kBody && phase_ == Phase::kHeader) {
      Enter(Phase::kBody, host_->options().body_timeout);
      if (parser_->expects_continue() && in_.empty() && !continued_) {
        continued_ = true;
        outbox_.Finish("HTTP/1.1 100 Continue\r\n\r\n", Outbox::Ending::kNone);
      }
    }
    // The parser leaves a chunk's header until it is whole; extensions and trailers end here.
    if (phase_ == Phase::kBody && in_.size() > host_->options().max_header_bytes + kLargeRead) {
      return Answer(400, "a chunk's header or the trailer is larger than the limit");
    }
    if (used == 0) break;
  }
  Read();
}

void Connection::DispatchRequest() {
  ReceivedRequest received;
  received.request = std::move(parser_->request());
  received.request.remote_address = remote_address_;
  received.raw_path = parser_->raw_path();
  received.charge = std::move(parser_->body_charge());
  received.form.head = received.request.method == "HEAD";
  received.form.http_1_0 = parser_->http_1_0();
  received.form.keep_alive = parser_->keep_alive() && !host_->draining();
  received.form.accepts_gzip = AcceptsGzip(received.request.Header("Accept-Encoding"));
  if (engine_) {
    tls::PeerName peer = engine_->peer();
    received.request.tls_common_name = std::move(peer.common_name);
    received.request.tls_organization = std::move(peer.organization);
    received.request.tls_organizational_unit = std::move(peer.organizational_unit);
  }
  scope_.emplace(Context::Background());
  received.context = scope_->context();
  parser_.reset();
  phase_ = Phase::kHandling;
  Read();  // to see the client leave
  host_->OnRequest(shared_from_this(), std::move(received));
}

void Connection::Answer(int status, std::string_view text) {
  phase_ = Phase::kHandling;
  outbox_.Finish(PlainAnswer(status, text, "Connection: close\r\n"), Outbox::Ending::kClose);
  parser_.reset();  // not before: the text can be its own
}

void Connection::Write() {
  if (phase_ == Phase::kClosed) return;
  if (outbox_.ending() == Outbox::Ending::kBroken) return Close();
  if (writing_) return;
  std::string plain = outbox_.Take();
  if (engine_) {
    if (!plain.empty() && !engine_->Send(plain).ok()) return Close();
    wire_plain_ = plain.size();
    wire_ = std::move(engine_->output());
    engine_->output().clear();
  } else {
    wire_plain_ = plain.size();
    wire_ = std::move(plain);
  }
  if (wire_.empty()) {
    const Outbox::Ending ending = outbox_.ending();
    if (ending != Outbox::Ending::kNone && phase_ == Phase::kHandling) OnAnswerDone(ending);
    if (phase_ == Phase::kLingering) {
      error_code ignored;  // the peer may have gone first; the read says so
      socket_.shutdown(tcp::socket::shutdown_send, ignored);
    }
    return;
  }
  writing_ = true;
  wire_offset_ = 0;
  WriteSome();
}

void Connection::WriteSome() {
  write_deadline_ = std::chrono::steady_clock::now() + host_->options().write_timeout;
  socket_.async_write_some(
      boost::asio::buffer(wire_.data() + wire_offset_, wire_.size() - wire_offset_),
      [self = shared_from_this()](const error_code& error, std::size_t size) {
        self->OnWritten(error, size);
      });
}

void Connection::OnWritten(const error_code& error, std::size_t size) {
  if (phase_ == Phase::kClosed) return;
  if (error) return Close();
  wire_offset_ += size;
  if (wire_offset_ < wire_.size()) return WriteSome();
  writing_ = false;
  wire_.clear();
  outbox_.Written(wire_plain_);
  Write();
}

void Connection::OnAnswerDone(Outbox::Ending ending) {
  outbox_.Restart();
  scope_.reset();
  if (ending == Outbox::Ending::kClose || read_ended_ || host_->draining()) return Linger();
  if (in_.empty()) in_ = {};  // gives the memory back
  Enter(Phase::kIdle, host_->options().idle_timeout);
  Process();
}

void Connection::Linger() {
  if (read_ended_) return Close();
  Enter(Phase::kLingering, kLingerTime);
  in_.clear();
  if (engine_) engine_->Shutdown();
  Write();  // the closing alert, if any, then the end of our side
  Read();
}

}  // namespace aevum::net
