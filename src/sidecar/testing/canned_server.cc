#include "sidecar/testing/canned_server.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>

#include "base/check.h"

namespace aevum::sidecar {

CannedServer::CannedServer() {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  AEVUM_CHECK(::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) == 0);
  AEVUM_CHECK(::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) == 0);
  AEVUM_CHECK(::listen(listener_, 16) == 0);
  port_ = ntohs(address.sin_port);
  stop_ = ::eventfd(0, EFD_CLOEXEC);
  thread_ = std::thread([this] { Run(); });
}

CannedServer::~CannedServer() {
  const std::uint64_t one = 1;
  AEVUM_CHECK(::write(stop_, &one, sizeof one) == sizeof one);
  thread_.join();
  ::close(stop_);
  ::close(listener_);
}

void CannedServer::SetRaw(const std::string& path, std::string bytes) {
  std::lock_guard lock(mutex_);
  answers_[path] = std::move(bytes);
}

void CannedServer::SetBody(const std::string& path, std::string_view body,
                           std::string_view content_type) {
  SetRaw(path, fmt::format("HTTP/1.1 200 OK\r\nContent-Type: {}\r\nContent-Length: {}\r\n"
                           "Connection: close\r\n\r\n{}",
                           content_type, body.size(), body));
}

std::vector<std::string> CannedServer::requests() const {
  std::lock_guard lock(mutex_);
  return requests_;
}

std::string CannedServer::url() const { return fmt::format("http://127.0.0.1:{}", port_); }

void CannedServer::Run() {
  while (true) {
    pollfd files[] = {{listener_, POLLIN, 0}, {stop_, POLLIN, 0}};
    ::poll(files, 2, -1);
    if (files[1].revents != 0) return;
    const int connection = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (connection < 0) continue;
    Serve(connection);
    ::close(connection);
  }
}

void CannedServer::Serve(int connection) {
  std::string request;
  char buffer[4096];
  while (request.find("\r\n\r\n") == std::string::npos) {
    const ssize_t got = ::recv(connection, buffer, sizeof buffer, 0);
    if (got <= 0) return;
    request.append(buffer, static_cast<std::size_t>(got));
  }
  const std::string line = request.substr(0, request.find(" HTTP/"));
  std::string path = line.substr(line.find(' ') + 1);
  path.resize(std::min(path.find('?'), path.size()));
  std::string answer;
  {
    std::lock_guard lock(mutex_);
    requests_.push_back(line);
    answer = answers_[path];
  }
  if (!answer.empty()) {
    ::send(connection, answer.data(), answer.size(), MSG_NOSIGNAL);
    ::shutdown(connection, SHUT_WR);
  }
  // Until the client ends the connection, so that it never sees a reset; or the end of the test.
  while (true) {
    pollfd files[] = {{connection, POLLIN, 0}, {stop_, POLLIN, 0}};
    ::poll(files, 2, -1);
    if (files[1].revents != 0 || ::recv(connection, buffer, sizeof buffer, 0) <= 0) return;
  }
}

}  // namespace aevum::sidecar
