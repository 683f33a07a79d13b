// A client that writes HTTP/2 by hand, to misbehave in tests.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

struct nghttp2_hd_inflater;

namespace aevum::net::grpc {

struct RawFrame {
  std::uint8_t type = 0;
  std::uint8_t flags = 0;
  std::uint32_t stream = 0;
  std::string payload;
  std::vector<std::pair<std::string, std::string>> fields = {};  // of HEADERS

  // The first value of that name, or "".
  std::string_view Field(std::string_view name) const;
};

// Frame types and flags of RFC 9113.
inline constexpr std::uint8_t kData = 0, kHeaders = 1, kRst = 3, kSettings = 4, kPing = 6,
                              kGoaway = 7, kWindowUpdate = 8, kContinuation = 9;
inline constexpr std::uint8_t kEndStream = 1, kAck = 1, kEndHeaders = 4;

std::string Frame(std::uint8_t type, std::uint8_t flags, std::uint32_t stream,
                  std::string_view payload);
// HPACK: literals that are not indexed.
std::string HeaderBlock(const std::vector<std::pair<std::string, std::string>>& fields);
// The headers of a gRPC request.
std::string RequestBlock(std::string_view path,
                         const std::vector<std::pair<std::string, std::string>>& more = {});
// A whole call: headers and one message.
std::string WholeCall(std::uint32_t stream, std::string_view path, std::string_view message);
// Payload of SETTINGS with one entry.
std::string Setting(std::uint16_t id, std::uint32_t value);
std::string Big32(std::uint32_t value);

// A blocking socket. Reads fail after ten seconds. Thread-compatible.
class RawPeer {
 public:
  explicit RawPeer(std::uint16_t port, int receive_buffer_bytes = 0);
  ~RawPeer();
  RawPeer(const RawPeer&) = delete;
  RawPeer& operator=(const RawPeer&) = delete;

  // Preface and SETTINGS with these entries.
  void Greet(std::string_view settings = "");
  // False when the other side has closed.
  bool Send(std::string_view bytes);
  // False when the connection has ended.
  bool ReadFrame(RawFrame& frame);
  // Reads until a frame of this type (without ACK) on this stream comes; false when the end comes
  // first.
  bool ReadUntil(std::uint8_t type, std::uint32_t stream, RawFrame& frame);
  // Reads to the end and returns all frames.
  std::vector<RawFrame> ReadAll();
  // True when the other side ends the connection within the time, whatever it sends before.
  bool EndsWithin(std::chrono::milliseconds time);

 private:
  bool Fill(std::size_t size);

  void Inflate(RawFrame& frame);

  int fd_;
  nghttp2_hd_inflater* inflater_ = nullptr;
  std::string buffer_;
};

// The error code of a GOAWAY or RST_STREAM; ~0 when the payload is short.
std::uint32_t ErrorCode(const RawFrame& frame);

}  // namespace aevum::net::grpc
