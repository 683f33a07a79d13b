// One connection to a cache server, for a thread that waits for its answers.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "base/context.h"
#include "base/status.h"
#include "net/tls/context.h"
#include "net/tls/engine.h"

namespace aevum::cache {

// How servers are spoken to. `tls` null: in the clear.
struct Transport {
  std::shared_ptr<net::tls::Context> tls;
  std::string server_name;  // that the certificate must have; "": the host of the address
};

// Every call ends with the context: DeadlineExceeded or Cancelled. Unavailable when the other end
// is gone or refuses; DataLoss when what came is longer than the caller allows. After an error the
// connection is of no use. Thread-compatible.
class Connection {
 public:
  // `address` is host:port.
  static StatusOr<std::unique_ptr<Connection>> Dial(const Context& context,
                                                    const std::string& address,
                                                    const Transport& transport);
  // Takes over a connected socket, without TLS.
  static std::unique_ptr<Connection> FromSocket(int fd) {
    return std::unique_ptr<Connection>(new Connection(fd));
  }
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // All of the bytes.
  Status Write(const Context& context, std::string_view bytes);
  // Up to the next CR LF, which is taken and not returned. The limit is on the line.
  StatusOr<std::string> ReadLine(const Context& context, std::size_t limit_bytes);
  // So many bytes; memory is taken as they come.
  StatusOr<std::string> ReadBytes(const Context& context, std::size_t size);

  // False when the other end has closed it, or has sent what nobody asked for: to be asked before
  // a connection that was idle is used again.
  bool IsFresh() const;

 private:
  explicit Connection(int fd) : fd_(fd) {}

  Status Handshake(const Context& context);
  Status SendRaw(const Context& context, std::string_view bytes);
  // Waits for some bytes and appends them to `input_`.
  Status Fill(const Context& context);

  const int fd_;
  std::unique_ptr<net::tls::Engine> tls_;
  std::string input_;
  std::size_t taken_ = 0;  // of `input_`
};

}  // namespace aevum::cache
