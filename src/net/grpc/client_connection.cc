#include "net/grpc/client_connection.h"

#include "net/grpc/session.h"

namespace aevum::net::grpc {
namespace {

using std::chrono::steady_clock;

constexpr std::uint64_t kAlivePing = 0x6576696c61;
// Ids are odd and end at 2^31; half of them leaves time to move elsewhere.
constexpr std::int32_t kLastStreamId = 1 << 30;

CallStream& Of(Stream& stream) { return static_cast<CallStream&>(stream); }

}  // namespace

bool ClientConnection::HasRoom() const {
  // nghttp2 would keep what is above the peer's limit in a queue where cancelled calls stay.
  return !closed() && !retired_ && peer_ready_ &&
         open_streams() <
             nghttp2_session_get_remote_settings(session_, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS);
}

bool ClientConnection::Submit(const std::shared_ptr<CallStream>& call) {
  HeaderFields fields = call->request.headers;
  if (call->deadline != TimePoint::max()) {
    // Counted from now, not from when the call began to wait for a connection.
    fields.emplace_back("grpc-timeout", FormatTimeout(call->deadline - steady_clock::now()));
  }
  const std::vector<nghttp2_nv> nv = MakeNv(fields);
  const nghttp2_data_provider provider = ProviderOf(*call);
  const std::int32_t id =
      nghttp2_submit_request(session_, nullptr, nv.data(), nv.size(), &provider, call.get());
  if (id < 0) {
    Retire();
    return false;
  }
  call->id = id;
  call->gone = false;
  call->out_progress = steady_clock::now();
  Adopt(call);
  // Whoever cancelled before Adopt found no connection to wake.
  if (call->IsClosed()) Reset(*call, NGHTTP2_CANCEL);
  if (id > kLastStreamId) Retire();
  return true;
}

void ClientConnection::Retire() {
  if (std::exchange(retired_, true)) return;
  if (const auto owner = owner_.lock()) owner->OnRetired(*this);
}

void ClientConnection::OnPeerReady() {
  if (const auto owner = owner_.lock()) owner->OnReady(*this);
}

Status ClientConnection::OnSecured(const tls::Engine& engine) {
  if (engine.alpn() != "h2") return Unavailable("the server did not negotiate h2");
  return OkStatus();
}

void ClientConnection::OnClosed(const Status& reason) {
  if (const auto owner = owner_.lock()) owner->OnGone(*this, reason);
}

bool ClientConnection::OnHeader(Stream& stream, std::string_view name, std::string_view value) {
  Of(stream).TakeHeader(name, value);
  return true;
}

void ClientConnection::OnHeaders(Stream& stream, bool /*end_stream*/) {
  CallStream& call = Of(stream);
  if (std::exchange(call.answered, true)) return;
  if (Status status = call.CheckHeaders(); !status.ok()) {
    call.Finish(std::move(status));
    Reset(stream, NGHTTP2_CANCEL);
  }
}

void ClientConnection::OnData(Stream& stream, std::string_view bytes) {
  CallStream& call = Of(stream);
  if (Status status = call.TakeData(bytes); !status.ok()) {
    call.Finish(std::move(status));
    Reset(stream, NGHTTP2_CANCEL);
  }
}

void ClientConnection::OnEnd(Stream& stream) {
  // An answer before the end of our request: nobody wants the rest.
  if (nghttp2_session_get_stream_local_close(session_, stream.id) == 0) {
    Reset(stream, NGHTTP2_NO_ERROR);
  }
}

void ClientConnection::OnStreamClosed(Stream& stream, std::uint32_t error_code) {
  CallStream& call = Of(stream);
  const auto owner = owner_.lock();
  const bool refused = error_code == NGHTTP2_REFUSED_STREAM && !call.answered;
  if (refused && owner && !call.IsClosed() && !std::exchange(call.retried, true)) {
    owner->OnRefused(std::static_pointer_cast<CallStream>(call.shared_from_this()));
  } else {
    call.Finish(call.FinalStatus(error_code));
  }
  if (owner) owner->OnRoom(*this);
}

void ClientConnection::OnStreamLost(Stream& stream, const Status& reason) {
  Of(stream).Finish(reason);
}

void ClientConnection::OnWoken(Stream& stream) {
  if (stream.gone) return;
  if (Of(stream).IsClosed()) {
    Reset(stream, NGHTTP2_CANCEL);
  } else {
    Credit(stream);
  }
}

void ClientConnection::OnPingAnswered(std::uint64_t /*payload*/) { ping_out_ = false; }

void ClientConnection::OnTickMore(TimePoint now) {
  for (const auto& [id, stream] : streams_) {
    CallStream& call = Of(*stream);
    if (now < call.deadline || call.IsClosed()) continue;
    call.Finish(MakeError(StatusCode::kDeadlineExceeded, "context deadline exceeded"));
    Reset(call, NGHTTP2_CANCEL);
  }
  if (ping_out_) {
    if (now - ping_sent_ >= limits_.client_ping_timeout) {
      Close(Unavailable("keepalive: the peer does not answer"));
    }
  } else if (open_streams() > 0 && now - last_received_ >= limits_.client_ping_after) {
    ping_out_ = true;
    ping_sent_ = now;
    SendPing(kAlivePing);
  }
}

}  // namespace aevum::net::grpc
