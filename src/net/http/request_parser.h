// Reads one HTTP/1 request from the bytes of a connection, within limits.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "base/memory_budget.h"
#include "net/http/server.h"

namespace aevum::net {

// Refuses what another server on the way could read differently: several lengths, a length beside a
// transfer coding, codings but chunked, no Host or two, versions but 1.0 and 1.1. Memory is bounded
// by the limits; the bytes of the body are charged to a budget that all connections share.
// Thread-compatible.
class RequestParser {
 public:
  struct Limits {
    std::size_t header_bytes = 64 << 10;
    std::size_t header_fields = 256;
    std::size_t body_bytes = 16 << 20;
    std::size_t params = 10'000;
  };
  enum class State { kHeader, kBody, kDone, kFailed };

  RequestParser(const Limits& limits, std::shared_ptr<MemoryBudget> body_budget);
  ~RequestParser();

  // Takes what it can use from the front and says how many bytes that was. What it leaves must come
  // again, with more behind it; after kDone the rest belongs to the next request.
  std::size_t Feed(std::string_view bytes);
  State state() const;

  // After kFailed: the status to answer and a text for the client.
  int error_status() const;
  const std::string& error_text() const;

  // From kBody on.
  bool keep_alive() const;
  bool http_1_0() const;
  bool expects_continue() const;
  // Before '?', still percent-encoded.
  const std::string& raw_path() const;
  // After kDone. What is moved out is gone.
  HttpRequest& request();
  MemoryCharge& body_charge();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace aevum::net
