#include "net/grpc/session.h"

#include <algorithm>
#include <memory>
#include <new>

namespace aevum::net::grpc {
namespace {

// Larger frames save nothing and delay the neighbours.
constexpr std::size_t kDataFrameBytes = 256 << 10;
constexpr std::size_t kFrameHeadBytes = 9;

Connection& Of(void* user) { return *static_cast<Connection*>(user); }

Stream* StreamOf(nghttp2_session* session, std::int32_t id) {
  return static_cast<Stream*>(nghttp2_session_get_stream_user_data(session, id));
}

std::string_view Text(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

struct OptionDeleter {
  void operator()(nghttp2_option* option) const { nghttp2_option_del(option); }
};
struct CallbacksDeleter {
  void operator()(nghttp2_session_callbacks* callbacks) const {
    nghttp2_session_callbacks_del(callbacks);
  }
};

using CallbacksPtr = std::unique_ptr<nghttp2_session_callbacks, CallbacksDeleter>;

CallbacksPtr MakeCallbacks() {
  nghttp2_session_callbacks* raw = nullptr;
  if (nghttp2_session_callbacks_new(&raw) != 0) throw std::bad_alloc();
  CallbacksPtr callbacks(raw);
  nghttp2_session_callbacks_set_send_callback(raw, SessionCallbacks::Send);
  nghttp2_session_callbacks_set_send_data_callback(raw, SessionCallbacks::SendData);
  nghttp2_session_callbacks_set_data_source_read_length_callback(raw, SessionCallbacks::ReadLength);
  nghttp2_session_callbacks_set_on_begin_headers_callback(raw, SessionCallbacks::BeginHeaders);
  nghttp2_session_callbacks_set_on_header_callback(raw, SessionCallbacks::Header);
  nghttp2_session_callbacks_set_on_frame_recv_callback(raw, SessionCallbacks::FrameReceived);
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(raw, SessionCallbacks::DataReceived);
  nghttp2_session_callbacks_set_on_stream_close_callback(raw, SessionCallbacks::StreamClosed);
  nghttp2_session_callbacks_set_on_frame_send_callback(raw, SessionCallbacks::FrameSent);
  nghttp2_session_callbacks_set_on_frame_not_send_callback(raw, SessionCallbacks::FrameNotSent);
  return callbacks;
}

std::unique_ptr<nghttp2_option, OptionDeleter> MakeOptions(const Limits& limits) {
  nghttp2_option* raw = nullptr;
  if (nghttp2_option_new(&raw) != 0) throw std::bad_alloc();
  std::unique_ptr<nghttp2_option, OptionDeleter> option(raw);
  nghttp2_option_set_no_auto_window_update(raw, 1);
  nghttp2_option_set_no_closed_streams(raw, 1);
  nghttp2_option_set_max_outbound_ack(raw, limits.outbound_acks);
  nghttp2_option_set_stream_reset_rate_limit(raw, limits.reset_burst, limits.reset_rate);
  return option;
}

}  // namespace

std::vector<nghttp2_nv> MakeNv(const HeaderFields& fields) {
  std::vector<nghttp2_nv> result;
  result.reserve(fields.size());
  for (const auto& [name, value] : fields) {
    // The library takes mutable pointers and copies.
    result.push_back({reinterpret_cast<std::uint8_t*>(const_cast<char*>(name.data())),
                      reinterpret_cast<std::uint8_t*>(const_cast<char*>(value.data())), name.size(),
                      value.size(), NGHTTP2_NV_FLAG_NONE});
  }
  return result;
}

StatusOr<nghttp2_session*> SessionCallbacks::Open(Connection& connection) {
  const CallbacksPtr callbacks = MakeCallbacks();
  const Limits& limits = connection.limits_;
  const auto option = MakeOptions(limits);
  const bool server = connection.role_ == Connection::Role::kServer;
  nghttp2_session* session = nullptr;
  const int result =
      server ? nghttp2_session_server_new2(&session, callbacks.get(), &connection, option.get())
             : nghttp2_session_client_new2(&session, callbacks.get(), &connection, option.get());
  if (result != 0) return Internal("can't open an HTTP/2 session: {}", nghttp2_strerror(result));

  std::vector<nghttp2_settings_entry> settings = {
      {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, limits.stream_window},
      {NGHTTP2_SETTINGS_MAX_FRAME_SIZE, limits.frame_bytes},
      {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE,
       server ? limits.server_header_bytes : limits.client_header_bytes}};
  settings.push_back(server ? nghttp2_settings_entry{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS,
                                                     limits.concurrent_streams}
                            : nghttp2_settings_entry{NGHTTP2_SETTINGS_ENABLE_PUSH, 0});
  int error = nghttp2_submit_settings(session, NGHTTP2_FLAG_NONE, settings.data(), settings.size());
  if (error == 0) {
    error = nghttp2_session_set_local_window_size(
        session, NGHTTP2_FLAG_NONE, 0, static_cast<std::int32_t>(limits.connection_window));
  }
  if (error != 0) {
    nghttp2_session_del(session);
    return Internal("can't open an HTTP/2 session: {}", nghttp2_strerror(error));
  }
  return session;
}

ssize_t SessionCallbacks::Read(nghttp2_session* session, std::int32_t id, std::uint8_t* /*buffer*/,
                               std::size_t length, std::uint32_t* flags,
                               nghttp2_data_source* source, void* user) try {
  auto& stream = *static_cast<Stream*>(source->ptr);  // alive until on_stream_close
  std::size_t size = 0;
  bool last = false;
  {
    MutexLock lock(stream.mutex);
    if (stream.out.empty() && !stream.out_finished) {
      stream.out_deferred = true;
      return NGHTTP2_ERR_DEFERRED;
    }
    size = std::min(length, stream.out.bytes());
    last = stream.out_finished && size == stream.out.bytes();
  }
  *flags |= NGHTTP2_DATA_FLAG_NO_COPY;
  if (last) {
    *flags |= NGHTTP2_DATA_FLAG_EOF;
    const HeaderFields trailers = Of(user).Trailers(stream);
    if (!trailers.empty()) {
      *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
      const std::vector<nghttp2_nv> fields = MakeNv(trailers);
      if (nghttp2_submit_trailer(session, id, fields.data(), fields.size()) != 0) {
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
      }
    }
  }
  return static_cast<ssize_t>(size);
} catch (...) {
  return NGHTTP2_ERR_CALLBACK_FAILURE;
}

ssize_t SessionCallbacks::Send(nghttp2_session* /*session*/, const std::uint8_t* data,
                               std::size_t length, int /*flags*/, void* user) try {
  Connection& connection = Of(user);
  if (connection.output_.bytes() >= connection.limits_.output_bytes) {
    return NGHTTP2_ERR_WOULDBLOCK;
  }
  connection.output_.Copy(Text(data, length));
  return static_cast<ssize_t>(length);
} catch (...) {
  return NGHTTP2_ERR_CALLBACK_FAILURE;
}

int SessionCallbacks::SendData(nghttp2_session* /*session*/, nghttp2_frame* /*frame*/,
                               const std::uint8_t* head, std::size_t length,
                               nghttp2_data_source* source, void* user) try {
  Connection& connection = Of(user);
  if (connection.output_.bytes() >= connection.limits_.output_bytes) {
    return NGHTTP2_ERR_WOULDBLOCK;  // asked again with the same frame
  }
  connection.output_.Copy(Text(head, kFrameHeadBytes));
  auto& stream = *static_cast<Stream*>(source->ptr);
  bool notify = false;
  {
    MutexLock lock(stream.mutex);
    if (length > stream.out.bytes()) return NGHTTP2_ERR_CALLBACK_FAILURE;
    stream.out.MoveTo(connection.output_, length);
    // Waking the writer at half the mark saves a change of threads per frame.
    if (stream.writer_waits && stream.out.bytes() < stream.high_water / 2) {
      stream.writer_waits = false;
      notify = true;
    }
  }
  if (notify) stream.changed.notify_all();
  if (length > 0) stream.out_progress = std::chrono::steady_clock::now();
  return 0;
} catch (...) {
  return NGHTTP2_ERR_CALLBACK_FAILURE;
}

ssize_t SessionCallbacks::ReadLength(nghttp2_session* /*session*/, std::uint8_t /*type*/,
                                     std::int32_t /*id*/, std::int32_t connection_window,
                                     std::int32_t stream_window, std::uint32_t max_frame,
                                     void* /*user*/) {
  const std::int32_t window = std::min(connection_window, stream_window);
  const std::size_t most = std::min<std::size_t>(max_frame, kDataFrameBytes);
  return std::max<ssize_t>(1, std::min<ssize_t>(window, static_cast<ssize_t>(most)));
}

int SessionCallbacks::BeginHeaders(nghttp2_session* session, const nghttp2_frame* frame,
                                   void* user) try {
  Connection& connection = Of(user);
  const std::int32_t id = frame->hd.stream_id;
  if (frame->hd.type != NGHTTP2_HEADERS) return 0;
  if (connection.role_ == Connection::Role::kServer && frame->headers.cat == NGHTTP2_HCAT_REQUEST) {
    std::shared_ptr<Stream> stream = connection.OnBegin(id);
    if (!stream) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    stream->id = id;
    nghttp2_session_set_stream_user_data(session, id, stream.get());
    connection.Adopt(std::move(stream));
  } else if (Stream* stream = StreamOf(session, id)) {
    stream->header_bytes = 0;
  }
  return 0;
} catch (...) {
  return NGHTTP2_ERR_CALLBACK_FAILURE;
}

int SessionCallbacks::Header(nghttp2_session* session, const nghttp2_frame* frame,
                             const std::uint8_t* name, std::size_t name_size,
                             const std::uint8_t* value, std::size_t value_size,
                             std::uint8_t /*flags*/, void* user) try {
  Connection& connection = Of(user);
  Stream* stream = StreamOf(session, frame->hd.stream_id);
  if (stream == nullptr) return 0;
  // nghttp2 announces the limit of a header list and does not enforce it.
  stream->header_bytes += name_size + value_size + 32;
  const std::size_t limit = connection.role_ == Connection::Role::kServer
                                ? connection.limits_.server_header_bytes
                                : connection.limits_.client_header_bytes;
  if (stream->header_bytes > limit ||
      !connection.OnHeader(*stream, Text(name, name_size), Text(value, value_size))) {
    return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
  }
  return 0;
} catch (...) {
  return NGHTTP2_ERR_CALLBACK_FAILURE;
}

int SessionCallbacks::FrameReceived(nghttp2_session* session, const nghttp2_frame* frame,
                                    void* user) try {
  Connection& connection = Of(user);
  const bool end_stream = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
  const bool ack = (frame->hd.flags & NGHTTP2_FLAG_ACK) != 0;
  switch (frame->hd.type) {
    case NGHTTP2_HEADERS:
      if (Stream* stream = StreamOf(session, frame->hd.stream_id)) {
        connection.OnHeaders(*stream, end_stream);
        if (end_stream) connection.OnEnd(*stream);
      }
      break;
    case NGHTTP2_DATA:
      if (Stream* stream = StreamOf(session, frame->hd.stream_id); stream && end_stream) {
        connection.OnEnd(*stream);
      }
      break;
    case NGHTTP2_SETTINGS:
      if (!ack && !std::exchange(connection.peer_ready_, true)) connection.OnPeerReady();
      break;
    case NGHTTP2_PING:
      if (ack) {
        std::uint64_t payload = 0;
        std::copy_n(frame->ping.opaque_data, sizeof(payload),
                    reinterpret_cast<std::uint8_t*>(&payload));
        connection.OnPingAnswered(payload);
      } else {
        connection.OnPing();
      }
      break;
    case NGHTTP2_GOAWAY:
      connection.OnGoaway();
      break;
    default:
      break;
  }
  return 0;
} catch (...) {
  return NGHTTP2_ERR_CALLBACK_FAILURE;
}

int SessionCallbacks::DataReceived(nghttp2_session* session, std::uint8_t /*flags*/,
                                   std::int32_t id, const std::uint8_t* data, std::size_t length,
                                   void* user) try {
  Connection& connection = Of(user);
  // The connection's window is given back at once: one slow reader must not stop its neighbours.
  if (nghttp2_session_consume_connection(session, length) != 0) return NGHTTP2_ERR_CALLBACK_FAILURE;
  if (Stream* stream = StreamOf(session, id)) {
    connection.OnData(*stream, Text(data, length));
    connection.Credit(*stream);
  }
  return 0;
} catch (...) {
  return NGHTTP2_ERR_CALLBACK_FAILURE;
}

int SessionCallbacks::StreamClosed(nghttp2_session* session, std::int32_t id, std::uint32_t error,
                                   void* user) try {
  Connection& connection = Of(user);
  const auto found = connection.streams_.find(id);
  if (found == connection.streams_.end()) return 0;
  const std::shared_ptr<Stream> stream = std::move(found->second);
  connection.streams_.erase(found);
  nghttp2_session_set_stream_user_data(session, id, nullptr);
  stream->gone = true;
  connection.OnStreamClosed(*stream, error);
  return 0;
} catch (...) {
  return NGHTTP2_ERR_CALLBACK_FAILURE;
}

int SessionCallbacks::FrameSent(nghttp2_session* session, const nghttp2_frame* frame,
                                void* user) try {
  Connection& connection = Of(user);
  const bool ends = (frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA) &&
                    (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
  // An answer before the end of the request would leave the stream half open for ever.
  if (ends && connection.role_ == Connection::Role::kServer &&
      nghttp2_session_get_stream_remote_close(session, frame->hd.stream_id) == 0) {
    nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, frame->hd.stream_id, NGHTTP2_NO_ERROR);
  }
  connection.OnSent(*frame);
  return 0;
} catch (...) {
  return NGHTTP2_ERR_CALLBACK_FAILURE;
}

int SessionCallbacks::FrameNotSent(nghttp2_session* session, const nghttp2_frame* frame,
                                   int /*error*/, void* /*user*/) {
  // A header block above 64 KiB is never sent, and without this the call would hang.
  if (frame->hd.type == NGHTTP2_HEADERS) {
    nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, frame->hd.stream_id,
                              NGHTTP2_INTERNAL_ERROR);
  }
  return 0;
}

}  // namespace aevum::net::grpc
