#include "net/grpc/raw_peer.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <nghttp2/nghttp2.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/check.h"
#include "net/grpc/message.h"

namespace aevum::net::grpc {
namespace {

constexpr std::size_t kHeadBytes = 9;

void AppendHpackString(std::string& out, std::string_view text) {
  if (text.size() < 127) {
    out += static_cast<char>(text.size());
  } else {
    out += '\x7f';
    std::size_t rest = text.size() - 127;
    for (; rest >= 128; rest >>= 7) out += static_cast<char>(rest | 128);
    out += static_cast<char>(rest);
  }
  out += text;
}

std::uint32_t ReadBig(std::string_view bytes) {
  std::uint32_t value = 0;
  for (const char c : bytes) value = value << 8 | static_cast<unsigned char>(c);
  return value;
}

}  // namespace

std::string Big32(std::uint32_t value) {
  return {static_cast<char>(value >> 24), static_cast<char>(value >> 16),
          static_cast<char>(value >> 8), static_cast<char>(value)};
}

std::string Frame(std::uint8_t type, std::uint8_t flags, std::uint32_t stream,
                  std::string_view payload) {
  std::string frame = Big32(static_cast<std::uint32_t>(payload.size())).substr(1);
  frame += static_cast<char>(type);
  frame += static_cast<char>(flags);
  frame += Big32(stream);
  frame += payload;
  return frame;
}

std::string HeaderBlock(const std::vector<std::pair<std::string, std::string>>& fields) {
  std::string block;
  for (const auto& [name, value] : fields) {
    block += '\0';
    AppendHpackString(block, name);
    AppendHpackString(block, value);
  }
  return block;
}

std::string RequestBlock(std::string_view path,
                         const std::vector<std::pair<std::string, std::string>>& more) {
  std::vector<std::pair<std::string, std::string>> fields = {
      {":method", "POST"},    {":scheme", "http"}, {":path", std::string(path)},
      {":authority", "test"}, {"te", "trailers"},  {"content-type", "application/grpc"}};
  fields.insert(fields.end(), more.begin(), more.end());
  return HeaderBlock(fields);
}

std::string WholeCall(std::uint32_t stream, std::string_view path, std::string_view message) {
  const Prefix prefix = MakePrefix(false, static_cast<std::uint32_t>(message.size()));
  return Frame(kHeaders, kEndHeaders, stream, RequestBlock(path)) +
         Frame(kData, kEndStream, stream,
               std::string(prefix.data(), prefix.size()) + std::string(message));
}

std::string Setting(std::uint16_t id, std::uint32_t value) {
  return Big32(id).substr(2) + Big32(value);
}

RawPeer::RawPeer(std::uint16_t port, int receive_buffer_bytes)
    : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  if (receive_buffer_bytes > 0) {
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &receive_buffer_bytes, sizeof(receive_buffer_bytes));
  }
  const timeval timeout{.tv_sec = 10, .tv_usec = 0};
  ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
  ::setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout));
  AEVUM_CHECK(nghttp2_hd_inflate_new(&inflater_) == 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  AEVUM_CHECK(::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0);
}

RawPeer::~RawPeer() {
  nghttp2_hd_inflate_del(inflater_);
  ::close(fd_);
}

std::string_view RawFrame::Field(std::string_view name) const {
  for (const auto& [key, value] : fields) {
    if (key == name) return value;
  }
  return "";
}

void RawPeer::Inflate(RawFrame& frame) {
  const auto* data = reinterpret_cast<const std::uint8_t*>(frame.payload.data());
  std::size_t left = frame.payload.size();
  while (true) {
    nghttp2_nv field{};
    int flags = 0;
    const ssize_t used = nghttp2_hd_inflate_hd2(inflater_, &field, &flags, data, left, 1);
    AEVUM_CHECK(used >= 0);
    data += used;
    left -= static_cast<std::size_t>(used);
    if ((flags & NGHTTP2_HD_INFLATE_EMIT) != 0) {
      frame.fields.emplace_back(
          std::string(reinterpret_cast<const char*>(field.name), field.namelen),
          std::string(reinterpret_cast<const char*>(field.value), field.valuelen));
    }
    if ((flags & NGHTTP2_HD_INFLATE_FINAL) != 0) break;
  }
  nghttp2_hd_inflate_end_headers(inflater_);
}

void RawPeer::Greet(std::string_view settings) {
  Send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + Frame(kSettings, 0, 0, settings));
}

bool RawPeer::Send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

bool RawPeer::Fill(std::size_t size) {
  char chunk[64 << 10];
  while (buffer_.size() < size) {
    const ssize_t received = ::recv(fd_, chunk, sizeof(chunk), 0);
    if (received <= 0) return false;
    buffer_.append(chunk, static_cast<std::size_t>(received));
  }
  return true;
}

bool RawPeer::ReadFrame(RawFrame& frame) {
  if (!Fill(kHeadBytes)) return false;
  const std::size_t size = ReadBig(buffer_.substr(0, 3));
  if (!Fill(kHeadBytes + size)) return false;
  frame.type = static_cast<std::uint8_t>(buffer_[3]);
  frame.flags = static_cast<std::uint8_t>(buffer_[4]);
  frame.stream = ReadBig(buffer_.substr(5, 4));
  frame.payload = buffer_.substr(kHeadBytes, size);
  buffer_.erase(0, kHeadBytes + size);
  frame.fields.clear();
  if (frame.type == kHeaders) Inflate(frame);
  return true;
}

bool RawPeer::ReadUntil(std::uint8_t type, std::uint32_t stream, RawFrame& frame) {
  while (ReadFrame(frame)) {
    const bool ack = (type == kSettings || type == kPing) && (frame.flags & kAck) != 0;
    if (frame.type == type && frame.stream == stream && !ack) return true;
  }
  return false;
}

std::vector<RawFrame> RawPeer::ReadAll() {
  std::vector<RawFrame> frames;
  for (RawFrame frame; ReadFrame(frame);) frames.push_back(frame);
  return frames;
}

bool RawPeer::EndsWithin(std::chrono::milliseconds time) {
  const auto until = std::chrono::steady_clock::now() + time;
  while (std::chrono::steady_clock::now() < until) {
    buffer_.clear();
    if (!Fill(1)) return std::chrono::steady_clock::now() < until;
  }
  return false;
}

std::uint32_t ErrorCode(const RawFrame& frame) {
  const std::size_t offset = frame.type == kGoaway ? 4 : 0;
  return frame.payload.size() < offset + 4 ? ~0u : ReadBig(frame.payload.substr(offset, 4));
}

}  // namespace aevum::net::grpc
