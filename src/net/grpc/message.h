// The framing of gRPC over HTTP/2: message prefixes, timeouts, and status text.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/status.h"

namespace aevum::net::grpc {

//     compressed u8 (0 or 1) | size u32 big-endian | size bytes
inline constexpr std::size_t kPrefixBytes = 5;
using Prefix = std::array<char, kPrefixBytes>;
Prefix MakePrefix(bool compressed, std::uint32_t size);

// A message as it came, not yet decompressed.
struct WireMessage {
  SharedBytes bytes;
  bool compressed = false;
};

// Cuts a stream of bytes into messages, each in a buffer of its own.
//
// A declared size is a claim: the buffer starts with at most 4 MiB and doubles as bytes arrive.
// Thread-compatible.
class MessageReader {
 public:
  explicit MessageReader(std::size_t max_message_bytes) : max_message_bytes_(max_message_bytes) {}

  // Appends the messages that `bytes` complete. ResourceExhausted when one is declared above the
  // maximum, Internal when a prefix is malformed; after an error feed no more.
  Status Feed(std::string_view bytes, std::vector<WireMessage>& messages);

  // Bytes of the message that has begun and is not complete, its prefix included.
  std::size_t partial_bytes() const { return prefix_size_ + filled_; }

 private:
  Status BeginMessage();
  void Grow();

  const std::size_t max_message_bytes_;
  Prefix prefix_{};
  std::size_t prefix_size_ = 0;
  std::size_t size_ = 0;  // declared
  std::size_t filled_ = 0;
  std::size_t capacity_ = 0;
  std::shared_ptr<char[]> buffer_;
};

// The value of grpc-timeout: 1 to 8 digits and a unit of H M S m u n. nullopt when it is anything
// else. Capped at a year, so that it can be added to a time.
std::optional<std::chrono::nanoseconds> ParseTimeout(std::string_view value);
// Rounded up to the finest unit that fits into 8 digits; a negative timeout is zero.
std::string FormatTimeout(std::chrono::nanoseconds timeout);

// grpc-message: printable ASCII but '%' stays, other bytes become %XX. Cut at 4 KiB between
// characters: a header block above 64 KiB would never leave us.
std::string EncodeStatusMessage(std::string_view message);
// Broken escapes stay as they are.
std::string DecodeStatusMessage(std::string_view value);

// The value of grpc-status. Unknown numbers are kUnknown; nullopt when it is no number.
std::optional<StatusCode> ParseStatusCode(std::string_view value);

// The status that an HTTP response without gRPC's own implies.
StatusCode CodeOfHttpStatus(int http_status);
// The status that a reset with this HTTP/2 error code implies.
StatusCode CodeOfReset(std::uint32_t error_code);

}  // namespace aevum::net::grpc
