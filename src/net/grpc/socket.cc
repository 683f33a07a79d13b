#include "net/grpc/socket.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <system_error>

namespace aevum::net::grpc {
namespace {

constexpr int kBacklog = 1024;

std::string ErrnoText(int error) { return std::generic_category().message(error); }

struct AddressListDeleter {
  void operator()(addrinfo* list) const { ::freeaddrinfo(list); }
};

}  // namespace

StatusOr<HostPort> SplitHostPort(std::string_view address) {
  const std::size_t colon = address.rfind(':');
  if (colon == std::string_view::npos || colon + 1 == address.size()) {
    return InvalidArgument("address without port: \"{}\"", address);
  }
  std::string_view host = address.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) {
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != std::string_view::npos) {
    return InvalidArgument("address with too many colons: \"{}\"", address);
  }
  return HostPort{std::string(host), std::string(address.substr(colon + 1))};
}

StatusOr<std::vector<SocketAddress>> Resolve(const std::string& address, bool passive) {
  ASSIGN_OR_RETURN(const HostPort parts, SplitHostPort(address));
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = passive ? AI_PASSIVE : 0;
  addrinfo* raw = nullptr;
  const char* host = parts.host.empty() ? nullptr : parts.host.c_str();
  const int result = ::getaddrinfo(host, parts.port.c_str(), &hints, &raw);
  if (result != 0) return Unavailable("can't resolve {}: {}", address, ::gai_strerror(result));
  const std::unique_ptr<addrinfo, AddressListDeleter> list(raw);
  std::vector<SocketAddress> addresses;
  for (const addrinfo* entry = list.get(); entry != nullptr; entry = entry->ai_next) {
    SocketAddress found;
    std::memcpy(&found.storage, entry->ai_addr, entry->ai_addrlen);
    found.size = entry->ai_addrlen;
    addresses.push_back(found);
  }
  return addresses;
}

bool IsNumeric(const std::string& address) {
  const StatusOr<HostPort> parts = SplitHostPort(address);
  if (!parts.ok()) return true;  // the error comes at once, too
  addrinfo hints{};
  hints.ai_flags = AI_NUMERICHOST;
  addrinfo* raw = nullptr;
  const bool numeric = ::getaddrinfo(parts->host.c_str(), nullptr, &hints, &raw) == 0;
  if (numeric) ::freeaddrinfo(raw);
  return numeric;
}

StatusOr<int> Listen(const std::string& address) {
  ASSIGN_OR_RETURN(const auto addresses, Resolve(address, true));
  int error = 0;
  for (const SocketAddress& candidate : addresses) {
    const int fd =
        ::socket(candidate.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
      error = errno;
      continue;
    }
    const int on = 1;
    ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    const auto* socket_address = reinterpret_cast<const sockaddr*>(&candidate.storage);
    if (::bind(fd, socket_address, candidate.size) == 0 && ::listen(fd, kBacklog) == 0) return fd;
    error = errno;
    ::close(fd);
  }
  return Unavailable("can't listen on {}: {}", address, ErrnoText(error));
}

StatusOr<int> BeginConnect(const SocketAddress& address) {
  const int fd = ::socket(address.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return Unavailable("can't open a socket: {}", ErrnoText(errno));
  const auto* socket_address = reinterpret_cast<const sockaddr*>(&address.storage);
  if (::connect(fd, socket_address, address.size) == 0 || errno == EINPROGRESS) return fd;
  const int error = errno;
  ::close(fd);
  return Unavailable("can't connect: {}", ErrnoText(error));
}

Status ConnectResult(int fd) {
  int error = 0;
  socklen_t size = sizeof(error);
  ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
  if (error != 0) return Unavailable("can't connect: {}", ErrnoText(error));
  return OkStatus();
}

void SetNoDelay(int fd) {
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

std::uint16_t LocalPort(int fd) {
  SocketAddress local;
  local.size = sizeof(local.storage);
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&local.storage), &local.size) != 0) return 0;
  const in_port_t port = local.storage.ss_family == AF_INET6
                             ? reinterpret_cast<const sockaddr_in6*>(&local.storage)->sin6_port
                             : reinterpret_cast<const sockaddr_in*>(&local.storage)->sin_port;
  return ntohs(port);
}

std::string PeerAddress(int fd) {
  SocketAddress peer;
  peer.size = sizeof(peer.storage);
  char host[NI_MAXHOST];
  char port[NI_MAXSERV];
  const auto* address = reinterpret_cast<const sockaddr*>(&peer.storage);
  if (::getpeername(fd, reinterpret_cast<sockaddr*>(&peer.storage), &peer.size) != 0 ||
      ::getnameinfo(address, peer.size, host, sizeof(host), port, sizeof(port),
                    NI_NUMERICHOST | NI_NUMERICSERV) != 0) {
    return "";
  }
  return peer.storage.ss_family == AF_INET6 ? fmt::format("[{}]:{}", host, port)
                                            : fmt::format("{}:{}", host, port);
}

}  // namespace aevum::net::grpc
