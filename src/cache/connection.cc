#include "cache/connection.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <system_error>
#include <utility>
#include <vector>

#include "net/discovery/dns_lookup.h"
#include "net/grpc/socket.h"

namespace aevum::cache {
namespace {

using SteadyClock = std::chrono::steady_clock;

// How soon a cancelled request is noticed.
constexpr std::chrono::milliseconds kLongestWait{50};
constexpr std::size_t kReadBytes = 64 << 10;

Status SystemError(std::string_view what) {
  return Unavailable("{}: {}", what, std::generic_category().message(errno));
}

Status WaitFor(const Context& context, int fd, short events) {
  while (true) {
    RETURN_IF_ERROR(context.status());
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(context.remaining()) +
                      std::chrono::milliseconds(1);
    const auto wait = std::min<std::chrono::milliseconds>(left, kLongestWait);
    pollfd wanted{.fd = fd, .events = events, .revents = 0};
    const int ready = ::poll(&wanted, 1, static_cast<int>(wait.count()));
    if (ready > 0) return OkStatus();
    if (ready < 0 && errno != EINTR) return SystemError("can't wait for a socket");
  }
}

// Where a server is. Names are looked up so that it ends with the context.
StatusOr<std::vector<net::grpc::SocketAddress>> PlacesOf(const Context& context,
                                                         const std::string& address) {
  if (net::grpc::IsNumeric(address)) return net::grpc::Resolve(address, /*passive=*/false);
  ASSIGN_OR_RETURN(const net::grpc::HostPort parts, net::grpc::SplitHostPort(address));
  ASSIGN_OR_RETURN(const std::vector<std::string> found,
                   net::DnsLookup({}).Addresses(context, parts.host));
  std::vector<net::grpc::SocketAddress> places;
  for (const std::string& ip : found) {
    const bool v6 = ip.find(':') != std::string::npos;
    ASSIGN_OR_RETURN(const auto some,
                     net::grpc::Resolve((v6 ? "[" + ip + "]" : ip) + ":" + parts.port, false));
    places.insert(places.end(), some.begin(), some.end());
  }
  return places;
}

StatusOr<int> Connect(const Context& context, const std::string& address) {
  ASSIGN_OR_RETURN(const auto places, PlacesOf(context, address));
  Status error = Unavailable("no address");
  for (const net::grpc::SocketAddress& place : places) {
    const StatusOr<int> fd = net::grpc::BeginConnect(place);
    if (!fd.ok()) {
      error = fd.status();
      continue;
    }
    error = WaitFor(context, *fd, POLLOUT);
    if (error.ok()) error = net::grpc::ConnectResult(*fd);
    if (error.ok()) {
      net::grpc::SetNoDelay(*fd);
      return *fd;
    }
    ::close(*fd);
    RETURN_IF_ERROR(context.status());
  }
  return error;
}

}  // namespace

StatusOr<std::unique_ptr<Connection>> Connection::Dial(const Context& context,
                                                       const std::string& address,
                                                       const Transport& transport) {
  StatusOr<int> fd = Connect(context, address);
  if (!fd.ok()) return Annotate(fd.status(), "can't connect to " + address);
  std::unique_ptr<Connection> connection(new Connection(*fd));
  if (!transport.tls) return connection;
  std::string name = transport.server_name;
  if (name.empty()) {
    ASSIGN_OR_RETURN(const net::grpc::HostPort parts, net::grpc::SplitHostPort(address));
    name = parts.host;
  }
  ASSIGN_OR_RETURN(connection->tls_, net::tls::Engine::ForClient(transport.tls->Get(), name));
  RETURN_IF_ERROR(Annotate(connection->Handshake(context), "TLS with " + address));
  return connection;
}

Connection::~Connection() { ::close(fd_); }

Status Connection::Handshake(const Context& context) {
  while (!tls_->established()) {
    RETURN_IF_ERROR(SendRaw(context, std::exchange(tls_->output(), {})));
    if (!tls_->established()) RETURN_IF_ERROR(Fill(context));
  }
  return SendRaw(context, std::exchange(tls_->output(), {}));
}

Status Connection::Write(const Context& context, std::string_view bytes) {
  if (!tls_) return SendRaw(context, bytes);
  RETURN_IF_ERROR(tls_->Send(bytes));
  return SendRaw(context, std::exchange(tls_->output(), {}));
}

Status Connection::SendRaw(const Context& context, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent > 0) {
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      RETURN_IF_ERROR(WaitFor(context, fd_, POLLOUT));
    } else if (errno != EINTR) {
      return SystemError("can't send");
    }
  }
  return OkStatus();
}

Status Connection::Fill(const Context& context) {
  if (taken_ > 0) {
    input_.erase(0, taken_);
    taken_ = 0;
  }
  const std::size_t before = input_.size();
  while (true) {
    char buffer[kReadBytes];
    const ssize_t received = ::recv(fd_, buffer, sizeof buffer, MSG_DONTWAIT);
    if (received == 0) return Unavailable("the server closed the connection");
    if (received < 0) {
      if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)
        return SystemError("can't receive");
      RETURN_IF_ERROR(WaitFor(context, fd_, POLLIN));
      continue;
    }
    const std::string_view bytes(buffer, static_cast<std::size_t>(received));
    if (!tls_) {
      input_ += bytes;
      return OkStatus();
    }
    const bool established = tls_->established();
    RETURN_IF_ERROR(tls_->Receive(bytes, input_));
    if (!established) return OkStatus();
    RETURN_IF_ERROR(SendRaw(context, std::exchange(tls_->output(), {})));
    if (input_.size() > before) return OkStatus();
    if (tls_->peer_closed()) return Unavailable("the server closed the connection");
  }
}

StatusOr<std::string> Connection::ReadLine(const Context& context, std::size_t limit_bytes) {
  std::size_t searched = 0;  // of what is not taken
  while (true) {
    const std::string_view rest = std::string_view(input_).substr(taken_);
    const std::size_t end = rest.find("\r\n", searched);
    if (std::min(end, rest.size()) > limit_bytes + 1)
      return Corruption("a line of more than {} bytes", limit_bytes);
    if (end != std::string_view::npos) {
      std::string line(rest.substr(0, end));
      taken_ += end + 2;
      return line;
    }
    searched = rest.empty() ? 0 : rest.size() - 1;  // the CR may be there
    RETURN_IF_ERROR(Fill(context));
  }
}

StatusOr<std::string> Connection::ReadBytes(const Context& context, std::size_t size) {
  std::string bytes;
  // A server that only announces much costs little.
  bytes.reserve(std::min<std::size_t>(size, 1 << 20));
  while (true) {
    const std::size_t piece = std::min(size - bytes.size(), input_.size() - taken_);
    bytes.append(input_, taken_, piece);
    taken_ += piece;
    if (bytes.size() == size) return bytes;
    RETURN_IF_ERROR(Fill(context));
  }
}

bool Connection::IsFresh() const {
  if (taken_ < input_.size()) return false;
  char byte;
  const ssize_t received = ::recv(fd_, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  // TLS may have sent a ticket, which is read with the next answer.
  if (received > 0) return tls_ != nullptr;
  return received < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
}

}  // namespace aevum::cache
