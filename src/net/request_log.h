// Log lines about requests, as --request.logging-config asks for them.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/logging.h"
#include "base/status.h"

namespace aevum::net {

// Lines about a request whose trace is recorded have the field traceID. Immutable, hence safe to
// share between threads.
class RequestLog {
 public:
  // Reads the YAML of the contract; "" asks for nothing. Lines go to `logger` whatever its own
  // threshold, for that is what the configuration's level is for. InvalidArgument names the field.
  static StatusOr<std::shared_ptr<const RequestLog>> Parse(std::string_view yaml,
                                                           const Logger& logger);

  struct HttpCall {
    std::string_view method;  // "GET"
    std::string_view target;  // path and query
    std::string_view path;
    std::string_view handler;  // the name of the route
    std::string_view request_id;
    std::string_view user_agent;
    std::string_view remote_address;
    std::string_view trace_id = {};  // "": it is not traced
    std::uint16_t port = 0;
  };
  void HttpStarted(const HttpCall& call) const;
  void HttpFinished(const HttpCall& call, int status, std::chrono::nanoseconds duration) const;

  struct GrpcCall {
    std::string_view path;  // "/thanos.Store/Series"
    std::string_view type;  // "unary", "server_stream"
    std::string_view peer;
    std::string_view request_id;
    std::string_view trace_id = {};
  };
  void GrpcStarted(const GrpcCall& call) const;
  void GrpcFinished(const GrpcCall& call, const Status& status,
                    std::chrono::nanoseconds duration) const;

 private:
  struct Options {
    LogLevel level = LogLevel::kError;
    bool start = false;
    bool end = false;
  };
  friend class RequestLogParser;

  bool Selects(const HttpCall& call) const;
  bool Selects(const GrpcCall& call) const;
  Logger LoggerFor(std::string_view trace_id) const;

  Logger logger_;
  Options http_;
  Options grpc_;
  std::vector<std::pair<std::string, std::uint16_t>> http_only_;  // path and port; empty: all
  std::vector<std::string> grpc_only_;                            // "/service/method"; empty: all
};

}  // namespace aevum::net
