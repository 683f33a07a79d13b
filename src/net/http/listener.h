// A listening TCP socket of an event loop.
#pragma once

#include <functional>
#include <string>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include "base/logging.h"
#include "base/status.h"

namespace aevum::net {

// Accepts one connection after another. When the system is out of descriptors or memory it waits a
// moment instead of spinning. On the thread of the loop, but for Open.
class Listener {
 public:
  using Accepted = std::function<void(boost::asio::ip::tcp::socket)>;

  Listener(boost::asio::io_context& loop, Logger logger, Accepted accepted);
  // `address` as "host:port"; without a host all addresses. The error names the address.
  Status Open(const std::string& address);
  std::uint16_t port() const { return port_; }
  // Takes connections until Pause or Close.
  void Resume();
  void Pause() { paused_ = true; }
  void Close();

 private:
  void Accept();
  void OnAccept(const boost::system::error_code& error, boost::asio::ip::tcp::socket socket);

  const Logger logger_;
  const Accepted accepted_;
  boost::asio::ip::tcp::acceptor acceptor_;
  boost::asio::steady_timer retry_;
  std::uint16_t port_ = 0;
  bool accepting_ = false;
  bool paused_ = true;
  bool complained_ = false;
};

}  // namespace aevum::net
