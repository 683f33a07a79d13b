#include "net/http/listener.h"

#include <charconv>
#include <chrono>
#include <cstdint>

#include <boost/asio/ip/v6_only.hpp>

namespace aevum::net {
namespace {

using boost::asio::ip::tcp;
using boost::system::error_code;

struct HostPort {
  std::string host;
  std::string port;
};

StatusOr<HostPort> Split(const std::string& address) {
  const std::size_t colon = address.rfind(':');
  if (colon == std::string::npos) return InvalidArgument("no port in the address: {}", address);
  std::string host = address.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) {
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != std::string::npos) {
    return InvalidArgument("an IPv6 address needs brackets: {}", address);
  }
  std::string port = address.substr(colon + 1);
  std::uint16_t number = 0;  // the resolver would take the low bits of a larger one
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), number);
  if (error != std::errc() || end != port.data() + port.size()) {
    return InvalidArgument("the port must be a number from 0 to 65535: {}", address);
  }
  return HostPort{host, std::move(port)};
}

}  // namespace

Listener::Listener(boost::asio::io_context& loop, Logger logger, Accepted accepted)
    : logger_(std::move(logger)), accepted_(std::move(accepted)), acceptor_(loop), retry_(loop) {}

Status Listener::Open(const std::string& address) {
  ASSIGN_OR_RETURN(const HostPort parts, Split(address));
  error_code error;
  tcp::resolver resolver(acceptor_.get_executor());
  const bool any = parts.host.empty();
  const auto found =
      resolver.resolve(any ? "::" : parts.host, parts.port,
                       tcp::resolver::passive | tcp::resolver::numeric_service, error);
  if (error || found.empty()) {
    return InvalidArgument("can't resolve the address to listen on: {}: {}", address,
                           error.message());
  }
  tcp::endpoint endpoint = found.begin()->endpoint();
  acceptor_.open(endpoint.protocol(), error);
  if (error && any) {  // a machine without IPv6
    endpoint = {tcp::v4(), endpoint.port()};
    acceptor_.open(tcp::v4(), error);
  }
  if (!error) acceptor_.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error && any && endpoint.protocol() == tcp::v6()) {
    acceptor_.set_option(boost::asio::ip::v6_only(false), error);
  }
  if (!error) acceptor_.bind(endpoint, error);
  if (!error) acceptor_.listen(boost::asio::socket_base::max_listen_connections, error);
  if (error) return Unavailable("can't listen: {}: {}", address, error.message());
  port_ = acceptor_.local_endpoint(error).port();
  return OkStatus();
}

void Listener::Resume() {
  if (!acceptor_.is_open()) return;
  paused_ = false;
  if (!accepting_) Accept();
}

void Listener::Close() {
  error_code ignored;  // it is over in any case
  acceptor_.close(ignored);
  retry_.cancel();
}

void Listener::Accept() {
  accepting_ = true;
  acceptor_.async_accept([this](const error_code& error, tcp::socket socket) {
    accepting_ = false;
    OnAccept(error, std::move(socket));
  });
}

void Listener::OnAccept(const error_code& error, tcp::socket socket) {
  if (!acceptor_.is_open() || error == boost::asio::error::operation_aborted) return;
  if (!error) {
    complained_ = false;
    accepted_(std::move(socket));
  } else if (error != boost::asio::error::connection_aborted) {
    // Most likely out of descriptors. The connection stays in the backlog, so to try again at once
    // would spin.
    if (!complained_) logger_.Error("can't accept connections", {{"err", error.message()}});
    complained_ = true;
    accepting_ = true;
    retry_.expires_after(std::chrono::milliseconds(50));
    retry_.async_wait([this](const error_code& wait_error) {
      accepting_ = false;
      if (!wait_error && !paused_) Resume();
    });
    return;
  }
  if (!paused_ && !accepting_) Accept();
}

}  // namespace aevum::net
