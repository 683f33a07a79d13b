#include "net/http/test_client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <charconv>

#include "net/http/form.h"

namespace aevum::net {

std::string TestAnswer::Header(std::string_view name) const {
  std::string_view rest = head;
  while (!rest.empty()) {
    const std::size_t end = rest.find("\r\n");
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 2);
    const std::size_t colon = line.find(':');
    if (colon != std::string_view::npos && EqualsIgnoreCase(line.substr(0, colon), name)) {
      return std::string(TrimBlanks(line.substr(colon + 1)));
    }
  }
  return "";
}

TestClient::TestClient(std::uint16_t port, int receive_buffer) {
  socket_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (receive_buffer > 0) {
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof(receive_buffer));
  }
  const timeval timeout{10, 0};
  ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
  ::setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  connected_ =
      ::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
}

TestClient::~TestClient() { Close(); }

bool TestClient::Send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

bool TestClient::Fill() {
  char buffer[16 << 10];
  const ssize_t size = ::recv(socket_, buffer, sizeof(buffer), 0);
  if (size <= 0) return false;
  received_.append(buffer, static_cast<std::size_t>(size));
  return true;
}

std::string TestClient::ReceiveSome(std::size_t size) {
  if (received_.empty() && !Fill()) return "";
  std::string out = received_.substr(0, size);
  received_.erase(0, out.size());
  return out;
}

bool TestClient::WaitForEnd() {
  char buffer[64 << 10];
  while (true) {
    const ssize_t size = ::recv(socket_, buffer, sizeof(buffer), 0);
    if (size == 0) return true;
    if (size < 0) return errno == ECONNRESET;
  }
}

void TestClient::HalfClose() { ::shutdown(socket_, SHUT_WR); }

void TestClient::Reset() {
  const linger hard{1, 0};
  ::setsockopt(socket_, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
  Close();
}

void TestClient::Close() {
  if (socket_ >= 0) ::close(socket_);
  socket_ = -1;
}

TestAnswer TestClient::Receive(bool head_only) {
  TestAnswer answer;
  std::size_t end = 0;
  while ((end = received_.find("\r\n\r\n")) == std::string::npos) {
    if (!Fill()) return answer;
  }
  answer.head = received_.substr(0, end + 2);
  received_.erase(0, end + 4);
  int status = 0;
  std::from_chars(answer.head.data() + 9, answer.head.data() + 12, status);
  const std::string length = answer.Header("Content-Length");
  if (head_only || status == 204 || status == 100) {
    answer.status = status;
  } else if (!length.empty()) {
    const std::size_t size = std::stoul(length);
    while (received_.size() < size) {
      if (!Fill()) return answer;
    }
    answer.body = received_.substr(0, size);
    received_.erase(0, size);
    answer.status = status;
  } else if (answer.Header("Transfer-Encoding") == "chunked") {
    while (true) {
      while ((end = received_.find("\r\n")) == std::string::npos) {
        if (!Fill()) return answer;
      }
      const std::size_t size = std::stoul(received_, nullptr, 16);
      while (received_.size() < end + 2 + size + 2) {
        if (!Fill()) return answer;
      }
      answer.body += received_.substr(end + 2, size);
      received_.erase(0, end + 2 + size + 2);
      if (size == 0) break;
    }
    answer.status = status;
  } else {
    while (Fill()) {
    }
    answer.body.swap(received_);
    answer.status = status;
  }
  return answer;
}

}  // namespace aevum::net
