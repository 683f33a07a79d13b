#include "net/grpc/server_connection.h"

#include <algorithm>
#include <random>

#include "net/grpc/proto_fields.h"
#include "net/grpc/session.h"
#include "net/grpc/snappy_frame.h"
#include "net/grpc/socket.h"

namespace aevum::net::grpc {
namespace {

using std::chrono::nanoseconds;
using std::chrono::steady_clock;

constexpr std::uint64_t kDrainPing = 0x6e69617264;
constexpr std::uint64_t kAlivePing = 0x6576696c61;

constexpr std::size_t kBuiltinRequestBytes = 64 << 10;

// Up to a tenth more or less, so that clients of one start do not all return at once.
steady_clock::time_point DrainTime(nanoseconds age) {
  if (age <= nanoseconds(0)) return steady_clock::time_point::max();
  std::minstd_rand random(std::random_device{}());
  const double factor = std::uniform_real_distribution<double>(0.9, 1.1)(random);
  const auto now = steady_clock::now();
  // An age of centuries must not wrap around.
  if (static_cast<double>(age.count()) * factor >
      static_cast<double>((steady_clock::time_point::max() - now).count()) * 0.99) {
    return steady_clock::time_point::max();
  }
  return now + nanoseconds(static_cast<std::int64_t>(static_cast<double>(age.count()) * factor));
}

ServerStream& Of(Stream& stream) { return static_cast<ServerStream&>(stream); }

std::size_t Half(const ThreadPool& pool) { return std::max<std::size_t>(1, pool.threads() / 2); }

}  // namespace

bool TokenBucket::Take(steady_clock::time_point now) {
  const std::chrono::duration<double> passed = now - last_;
  last_ = now;
  tokens_ = std::min(burst_, tokens_ + passed.count() * per_second_);
  if (tokens_ < 1) return false;
  tokens_ -= 1;
  return true;
}

ServerConnection::ServerConnection(ServerCore& core, ServerLoop& home, int fd,
                                   std::unique_ptr<tls::Engine> tls)
    : Connection(home.loop, fd, std::move(tls), Role::kServer, core.options.limits),
      core_(core),
      home_(home),
      unary_{.pool = *core.unary_pool, .limit = Half(*core.unary_pool)},
      streams_lane_{.pool = *core.stream_pool, .limit = Half(*core.stream_pool)},
      resets_(core.options.limits.reset_burst, core.options.limits.reset_rate),
      drain_at_(DrainTime(core.options.max_connection_age)),
      peer_(core.options.request_log ? PeerAddress(fd) : "") {
  home_.connections.insert(this);
}

ServerConnection::~ServerConnection() {
  home_.connections.erase(this);
  {
    MutexLock lock(core_.mutex);
    --core_.connections;
  }
  core_.changed.notify_all();
}

Status ServerConnection::OnSecured(const tls::Engine& engine) {
  if (engine.alpn() != "h2") return Unavailable("the client did not negotiate h2");
  return OkStatus();
}

void ServerConnection::OnClosed(const Status& reason) {
  unary_.waiting.clear();
  streams_lane_.waiting.clear();
  core_.logger.Debug("gRPC connection closed", {{"reason", reason}});
}

// --- Requests.

std::shared_ptr<Stream> ServerConnection::OnBegin(std::int32_t /*id*/) {
  auto stream = std::make_shared<ServerStream>(core_);
  stream->peer = peer_;
  return stream;
}

bool ServerConnection::OnHeader(Stream& stream, std::string_view name, std::string_view value) {
  return Of(stream).TakeHeader(name, value);
}

Status ServerConnection::CheckHeaders(ServerStream& stream) {
  if (stream.method_name != "POST") {
    return Internal("method is not POST: {}", stream.method_name);
  }
  if (!stream.content_type.starts_with("application/grpc")) {
    return Internal("content-type is not gRPC's: \"{}\"", stream.content_type);
  }
  const auto method = core_.methods.find(stream.path);
  if (method == core_.methods.end()) return Unimplemented("unknown method {}", stream.path);
  stream.method = &method->second;
  stream.method->metrics->started->Increment();
  if (!stream.encoding.empty() && stream.encoding != "snappy") {
    return Unimplemented("grpc: Decompressor is not installed for grpc-encoding \"{}\"",
                         stream.encoding);
  }
  if (stream.timeout) {
    const auto timeout = ParseTimeout(*stream.timeout);
    if (!timeout) return Internal("malformed grpc-timeout: \"{}\"", *stream.timeout);
    stream.deadline = stream.started + *timeout;
  }
  return OkStatus();
}

void ServerConnection::OnHeaders(Stream& base, bool /*end_stream*/) {
  ServerStream& stream = Of(base);
  if (stream.state != ServerStream::State::kHeaders) return;
  stream.state = ServerStream::State::kRequest;
  if (Status status = CheckHeaders(stream); !status.ok()) Answer(stream, std::move(status));
}

void ServerConnection::OnData(Stream& base, std::string_view bytes) {
  ServerStream& stream = Of(base);
  if (stream.state != ServerStream::State::kRequest) return;
  const bool reflects = stream.method->builtin == Builtin::kReflection;
  Status status = stream.charge.Add(bytes.size());
  if (status.ok()) status = stream.Receive(bytes);
  if (status.ok() && !reflects) {
    MutexLock lock(stream.mutex);
    if (stream.in.size() > 1) status = Internal("more than one request message");
  }
  if (!status.ok()) {
    Answer(stream, std::move(status));
  } else if (reflects) {
    ServeBuiltin(stream);
  }
}

void ServerConnection::OnEnd(Stream& base) {
  ServerStream& stream = Of(base);
  if (stream.state != ServerStream::State::kRequest) return;
  if (stream.method->builtin == Builtin::kReflection) {
    Answer(stream, OkStatus());
    return;
  }
  bool whole = false;
  {
    MutexLock lock(stream.mutex);
    whole = stream.in.size() == 1;
  }
  if (!whole || stream.reader.partial_bytes() > 0) {
    Answer(stream, Internal("the request ends without a whole message"));
    return;
  }
  if (stream.method->builtin != Builtin::kNone) {
    ServeBuiltin(stream);
  } else {
    stream.method->metrics->received->Increment();
    Dispatch(stream);
  }
}

// --- Lanes.

ServerConnection::Lane& ServerConnection::LaneOf(const ServerStream& stream) {
  return stream.method->kind == Server::Kind::kUnary ? unary_ : streams_lane_;
}

void ServerConnection::Dispatch(ServerStream& stream) {
  stream.state = ServerStream::State::kWaiting;
  stream.Prepare();
  Lane& lane = LaneOf(stream);
  lane.waiting.push_back(std::static_pointer_cast<ServerStream>(stream.shared_from_this()));
  StartWaiting(lane);
}

void ServerConnection::StartWaiting(Lane& lane) {
  while (lane.running < lane.limit && !lane.waiting.empty()) {
    const std::shared_ptr<ServerStream> stream = std::move(lane.waiting.front());
    lane.waiting.pop_front();
    if (stream->gone || stream->state != ServerStream::State::kWaiting) continue;
    if (!lane.pool.Submit([stream] { stream->Run(); })) {
      Answer(*stream, ResourceExhausted("too many calls wait for a handler"));
      continue;
    }
    stream->state = ServerStream::State::kRunning;
    ++lane.running;
  }
}

void ServerConnection::StopWaiting(ServerStream& stream) {
  if (stream.state != ServerStream::State::kWaiting) return;
  std::erase_if(LaneOf(stream).waiting, [&](const auto& other) { return other.get() == &stream; });
}

void ServerConnection::OnWoken(Stream& base) {
  ServerStream& stream = Of(base);
  if (stream.TakeReturned()) {
    Lane& lane = LaneOf(stream);
    --lane.running;
    StartWaiting(lane);
  }
  if (!stream.gone) Resume(stream);
}

// --- Answers.

void ServerConnection::Answer(ServerStream& stream, Status status) {
  if (stream.state == ServerStream::State::kAnswered) return;
  StopWaiting(stream);
  stream.state = ServerStream::State::kAnswered;
  stream.SetResult(status);
  stream.CountEnd(status.code());
  {
    MutexLock lock(stream.mutex);
    stream.out_finished = true;
    stream.out_deferred = false;
  }
  Resume(stream);
}

HeaderFields ServerConnection::Trailers(Stream& base) {
  const Status status = Of(base).Result();
  HeaderFields fields = {{"grpc-status", fmt::format("{}", static_cast<int>(status.code()))}};
  if (!status.ok()) fields.emplace_back("grpc-message", EncodeStatusMessage(status.message()));
  return fields;
}

void ServerConnection::Resume(ServerStream& stream) {
  if (stream.headers_sent) {
    nghttp2_session_resume_data(session_, stream.id);
    return;
  }
  bool empty = false;
  bool finished = false;
  {
    MutexLock lock(stream.mutex);
    empty = stream.out.empty();
    finished = stream.out_finished;
  }
  if (empty && !finished) return;
  stream.headers_sent = true;
  HeaderFields fields = {{":status", "200"}, {"content-type", "application/grpc"}};
  const bool alone = empty && finished;
  if (stream.encoding == "snappy" && stream.accepts_snappy && !alone) {
    fields.emplace_back("grpc-encoding", "snappy");
  }
  if (!stream.encoding.empty() && stream.encoding != "snappy") {
    fields.emplace_back("grpc-accept-encoding", "snappy,identity");
  }
  if (alone) {
    for (auto& field : Trailers(stream)) fields.push_back(std::move(field));
  }
  const std::vector<nghttp2_nv> nv = MakeNv(fields);
  const nghttp2_data_provider provider = ProviderOf(stream);
  const int result = nghttp2_submit_response(session_, stream.id, nv.data(), nv.size(),
                                             alone ? nullptr : &provider);
  if (result != 0) Reset(stream, NGHTTP2_INTERNAL_ERROR);
}

void ServerConnection::OnSent(const nghttp2_frame& frame) {
  if (frame.hd.type != NGHTTP2_HEADERS && frame.hd.type != NGHTTP2_DATA) return;
  strikes_ = 0;  // grpc-go pings for bandwidth between our frames
  if (frame.hd.type == NGHTTP2_HEADERS && (frame.hd.flags & NGHTTP2_FLAG_END_STREAM) != 0) {
    const auto stream = streams_.find(frame.hd.stream_id);
    if (stream != streams_.end()) Of(*stream->second).trailers_sent = true;
  }
}

void ServerConnection::OnStreamClosed(Stream& base, std::uint32_t /*error_code*/) {
  ServerStream& stream = Of(base);
  stream.MarkClosed();
  if (stream.trailers_sent) return;
  StopWaiting(stream);  // or resets would pile up behind a long call
  if (stream.state != ServerStream::State::kRunning) stream.CountEnd(StatusCode::kCancelled);
  stream.Cancel();
  EndedEarly();
}

void ServerConnection::OnStreamLost(Stream& base, const Status& /*reason*/) {
  ServerStream& stream = Of(base);
  stream.MarkClosed();
  if (stream.state != ServerStream::State::kRunning) stream.CountEnd(StatusCode::kCancelled);
  stream.Cancel();
}

// nghttp2 counts only the resets that it receives; those we are made to send cost as much.
void ServerConnection::EndedEarly() {
  if (!resets_.Take(steady_clock::now())) Terminate(NGHTTP2_ENHANCE_YOUR_CALM, "too_many_resets");
}

// --- Health and reflection.

void ServerConnection::ServeBuiltin(ServerStream& stream) {
  std::vector<WireMessage> messages;
  {
    MutexLock lock(stream.mutex);
    messages.swap(stream.in);
    stream.consumed += std::exchange(stream.in_charge, 0);
  }
  for (WireMessage& message : messages) {
    stream.method->metrics->received->Increment();
    if (message.compressed) {
      // On the loop, hence small: these requests name one service, file or symbol.
      StatusOr<SharedBytes> plain = SnappyDecompress(message.bytes.view, kBuiltinRequestBytes);
      if (!plain.ok()) {
        Answer(stream, plain.status());
        return;
      }
      message.bytes = *std::move(plain);
    }
    switch (stream.method->builtin) {
      case Builtin::kHealthCheck:
        AnswerHealthCheck(stream, message.bytes.view);
        break;
      case Builtin::kHealthWatch:
        StartWatch(stream, message.bytes.view);
        break;
      case Builtin::kReflection: {
        bool full = false;
        {
          MutexLock lock(stream.mutex);
          full = stream.out.bytes() > stream.high_water;
        }
        if (full) {
          Answer(stream, ResourceExhausted("the client does not read its answers"));
          return;
        }
        stream.PushFromLoop(SharedBytes::Own(core_.reflection.Answer(message.bytes.view)));
        stream.method->metrics->sent->Increment();
        Resume(stream);
        break;
      }
      case Builtin::kNone:
        break;
    }
  }
}

namespace {

// ServingStatus of grpc.health.v1.
constexpr std::uint64_t kServing = 1;
constexpr std::uint64_t kNotServing = 2;
constexpr std::uint64_t kServiceUnknown = 3;

std::string ServiceAsked(std::string_view request) {
  ProtoFields fields(request);
  while (const auto field = fields.Next()) {
    if (field->number == 1) return std::string(field->bytes);
  }
  return "";
}

}  // namespace

void ServerConnection::PushHealth(ServerStream& stream, std::uint64_t serving_status) {
  std::string response;
  AppendProtoVarint(response, 1, serving_status);
  stream.PushFromLoop(SharedBytes::Own(std::move(response)));
  stream.method->metrics->sent->Increment();
}

void ServerConnection::AnswerHealthCheck(ServerStream& stream, std::string_view request) {
  if (!ServiceAsked(request).empty()) {
    Answer(stream, NotFound("unknown service"));
    return;
  }
  PushHealth(stream, core_.serving ? kServing : kNotServing);
  Answer(stream, OkStatus());
}

void ServerConnection::StartWatch(ServerStream& stream, std::string_view request) {
  // From here on the stream waits for changes; it leaves when the client does.
  stream.state = ServerStream::State::kWaiting;
  stream.watching = ServiceAsked(request).empty();
  const std::uint64_t known = core_.serving ? kServing : kNotServing;
  PushHealth(stream, stream.watching ? known : kServiceUnknown);
  Resume(stream);
}

void ServerConnection::ServingChanged() {
  for (const auto& [id, stream] : streams_) {
    ServerStream& watcher = Of(*stream);
    if (!watcher.watching) continue;
    PushHealth(watcher, core_.serving ? kServing : kNotServing);
    Resume(watcher);
  }
  Flush();
}

// --- Drain and keepalive.

void ServerConnection::Drain() {
  if (drain_ != DrainState::kNone || closed()) return;
  drain_ = DrainState::kNoticed;
  noticed_at_ = steady_clock::now();
  if (!peer_ready_) {
    Close(Unavailable("server drains before the connection was ready"));
    return;
  }
  nghttp2_submit_shutdown_notice(session_);
  SendPing(kDrainPing);
  // Nothing will change the health of this server any more.
  for (const auto& [id, stream] : streams_) {
    ServerStream& watcher = Of(*stream);
    if (watcher.method != nullptr && watcher.method->builtin == Builtin::kHealthWatch) {
      Answer(watcher, Unavailable("server drains"));
    }
  }
  Flush();
}

void ServerConnection::FinishDrain() {
  if (drain_ != DrainState::kNoticed) return;
  drain_ = DrainState::kFinal;
  nghttp2_submit_goaway(session_, NGHTTP2_FLAG_NONE,
                        nghttp2_session_get_last_proc_stream_id(session_), NGHTTP2_NO_ERROR,
                        nullptr, 0);
}

void ServerConnection::OnPingAnswered(std::uint64_t payload) {
  if (payload == kDrainPing) FinishDrain();
  ping_out_ = false;
}

void ServerConnection::OnPing() {
  const TimePoint now = steady_clock::now();
  const auto least = open_streams() > 0 ? limits_.server_min_ping : limits_.server_min_ping_idle;
  const bool too_soon = last_ping_ != TimePoint{} && now - last_ping_ < least;
  last_ping_ = now;
  if (too_soon && ++strikes_ >= limits_.ping_strikes) {
    Terminate(NGHTTP2_ENHANCE_YOUR_CALM, "too_many_pings");
  }
}

void ServerConnection::OnTickMore(TimePoint now) {
  if (now >= drain_at_ && drain_ == DrainState::kNone) Drain();
  if (drain_ == DrainState::kNoticed && now - noticed_at_ >= limits_.drain_ping_timeout) {
    FinishDrain();
  }
  if (closed()) return;
  TickStreams(now);
  TickKeepalive(now);
}

void ServerConnection::TickStreams(TimePoint now) {
  for (const auto& [id, base] : streams_) {
    ServerStream& stream = Of(*base);
    const bool receiving = stream.state == ServerStream::State::kHeaders ||
                           stream.state == ServerStream::State::kRequest;
    const bool reflects =
        stream.method != nullptr && stream.method->builtin == Builtin::kReflection;
    if (receiving && !reflects && now - stream.started >= limits_.request_timeout) {
      Reset(stream, NGHTTP2_CANCEL);
    } else if (now >= stream.deadline && stream.state != ServerStream::State::kAnswered) {
      if (stream.state == ServerStream::State::kRunning) {
        stream.changed.notify_all();
      } else {
        Answer(stream, MakeError(StatusCode::kDeadlineExceeded, "context deadline exceeded"));
      }
    }
  }
}

void ServerConnection::TickKeepalive(TimePoint now) {
  if (ping_out_) {
    if (now - ping_sent_ >= limits_.server_ping_timeout) {
      Close(Unavailable("keepalive: the peer does not answer"));
    }
  } else if (now - last_received_ >= limits_.server_ping_after) {
    ping_out_ = true;
    ping_sent_ = now;
    SendPing(kAlivePing);
  }
}

}  // namespace aevum::net::grpc
