// Makes the nghttp2 session of a connection: options, settings and callbacks.
#pragma once

#include <nghttp2/nghttp2.h>

#include "base/status.h"
#include "net/grpc/connection.h"

namespace aevum::net::grpc {

// The functions that nghttp2 calls. No exception passes through its C frames: one ends the
// connection.
struct SessionCallbacks {
  static StatusOr<nghttp2_session*> Open(Connection& connection);

  static ssize_t Read(nghttp2_session* session, std::int32_t id, std::uint8_t* buffer,
                      std::size_t length, std::uint32_t* flags, nghttp2_data_source* source,
                      void* user);
  static ssize_t Send(nghttp2_session* session, const std::uint8_t* data, std::size_t length,
                      int flags, void* user);
  static int SendData(nghttp2_session* session, nghttp2_frame* frame, const std::uint8_t* head,
                      std::size_t length, nghttp2_data_source* source, void* user);
  static ssize_t ReadLength(nghttp2_session* session, std::uint8_t type, std::int32_t id,
                            std::int32_t connection_window, std::int32_t stream_window,
                            std::uint32_t max_frame, void* user);
  static int BeginHeaders(nghttp2_session* session, const nghttp2_frame* frame, void* user);
  static int Header(nghttp2_session* session, const nghttp2_frame* frame, const std::uint8_t* name,
                    std::size_t name_size, const std::uint8_t* value, std::size_t value_size,
                    std::uint8_t flags, void* user);
  static int FrameReceived(nghttp2_session* session, const nghttp2_frame* frame, void* user);
  static int DataReceived(nghttp2_session* session, std::uint8_t flags, std::int32_t id,
                          const std::uint8_t* data, std::size_t length, void* user);
  static int StreamClosed(nghttp2_session* session, std::int32_t id, std::uint32_t error,
                          void* user);
  static int FrameSent(nghttp2_session* session, const nghttp2_frame* frame, void* user);
  static int FrameNotSent(nghttp2_session* session, const nghttp2_frame* frame, int error,
                          void* user);
};

// Names and values for nghttp2; the fields must outlive the call that takes them.
std::vector<nghttp2_nv> MakeNv(const HeaderFields& fields);

}  // namespace aevum::net::grpc
