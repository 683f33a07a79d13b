// Sockets as the gRPC ends need them: non-blocking, without delay.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <sys/socket.h>

#include "base/status.h"

namespace aevum::net::grpc {

struct HostPort {
  std::string host;  // without brackets; "" stands for every interface
  std::string port;
};

// "host:port", "[v6]:port" or ":port".
StatusOr<HostPort> SplitHostPort(std::string_view address);

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;
};

// Asks the system, which may block for seconds unless the host is an address.
StatusOr<std::vector<SocketAddress>> Resolve(const std::string& address, bool passive);
// True when Resolve answers without asking anybody.
bool IsNumeric(const std::string& address);

// A listening socket.
StatusOr<int> Listen(const std::string& address);
// A socket whose connection is on its way.
StatusOr<int> BeginConnect(const SocketAddress& address);
// The result of a connect that has become writable.
Status ConnectResult(int fd);
// Small frames go out at once.
void SetNoDelay(int fd);
std::uint16_t LocalPort(int fd);
// "host:port" or "[v6]:port" of the other end, "" when there is none.
std::string PeerAddress(int fd);

}  // namespace aevum::net::grpc
