// One TLS connection over memory: ciphertext in, plain bytes out, and the other way.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/status.h"

struct ssl_ctx_st;
struct ssl_st;
struct bio_st;

namespace aevum::net::tls {

// Of the subject of a certificate; "" where it says nothing.
struct PeerName {
  std::string common_name;
  std::string organization;
  std::string organizational_unit;
};

// Speaks TLS for whoever owns the socket, without touching it.
//
// Feed what arrived to Receive(), send what stands in output() and erase it. The handshake goes on
// by itself. Thread-compatible.
class Engine {
 public:
  static StatusOr<std::unique_ptr<Engine>> ForServer(std::shared_ptr<ssl_ctx_st> context);
  // `server_name` is sent as SNI unless it is an address, and the server's certificate must be for
  // it when the context verifies. The first flight is in output() at once.
  static StatusOr<std::unique_ptr<Engine>> ForClient(std::shared_ptr<ssl_ctx_st> context,
                                                     const std::string& server_name);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // Takes all of `bytes` and appends what they decrypt to `plain`. Unavailable when the handshake
  // or a record is refused, by us or by an alert of the peer; output() may then hold our alert.
  Status Receive(std::string_view bytes, std::string& plain);
  // Encrypts `plain` into output(). Only when established.
  Status Send(std::string_view plain);
  // Puts the closing alert into output().
  void Shutdown();

  std::string& output() { return output_; }
  bool established() const { return established_; }
  // The peer said that it sends nothing more.
  bool peer_closed() const { return peer_closed_; }
  // The protocol agreed on, or "".
  std::string_view alpn() const;
  // Who the peer's certificate names; empty without one. Whether it was verified is the context's
  // business.
  PeerName peer() const;

 private:
  explicit Engine(std::shared_ptr<ssl_ctx_st> context) : context_(std::move(context)) {}
  Status Init();
  Status Handshake();
  Status Failure(std::string_view what, int result);
  void TakeOutput();

  const std::shared_ptr<ssl_ctx_st> context_;
  ssl_st* ssl_ = nullptr;
  bio_st* in_ = nullptr;   // owned by ssl_
  bio_st* out_ = nullptr;  // owned by ssl_
  std::string output_;
  bool established_ = false;
  bool peer_closed_ = false;
};

}  // namespace aevum::net::tls
