// One HTTP request and its answer over libcurl, and the handle that it runs on.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "base/context.h"
#include "net/http/client.h"

namespace aevum::net {

// A handle with its own idle connections. Thread-compatible: one transfer at a time.
class CurlHandle {
 public:
  CurlHandle();
  ~CurlHandle();
  CurlHandle(const CurlHandle&) = delete;
  CurlHandle& operator=(const CurlHandle&) = delete;

  void* easy() const { return easy_; }
  void* multi() const { return multi_; }

 private:
  void* easy_;   // CURL
  void* multi_;  // CURLM: can be woken from another thread
};

// Borrows all that it is given.
class Transfer {
 public:
  Transfer(const Context& context, const HttpClientOptions& options,
           const HttpClientRequest& request, CurlHandle* handle);
  ~Transfer();

  // With a sink the body of a 2xx goes there; else it is collected up to `max_body_bytes`.
  // `on_head` may be null.
  StatusOr<HttpClientResponse> Run(const BodySink* sink, const HeadSink* on_head,
                                   std::size_t max_body_bytes);

 private:
  static std::size_t OnHeader(char* data, std::size_t size, std::size_t count, void* self);
  static std::size_t OnBody(char* data, std::size_t size, std::size_t count, void* self);
  static std::size_t OnSend(char* data, std::size_t size, std::size_t count, void* self);
  static int OnSeek(void* self, long long offset, int origin);
  void TakeHeaderLine(std::string_view line);
  bool TakeBody(std::string_view piece);

  Status SetUp();
  Status SetHeaders();
  Status SetTarget();
  Status SetMethod();
  void SetBodySource();
  void SetProxy();
  Status SetTls();
  Status SetCredentials();
  Status Perform();
  Status Failure(int code);
  Status CheckTimes() const;
  int PollTimeoutMs() const;

  const Context& context_;
  const HttpClientOptions& options_;
  const HttpClientRequest& request_;
  CurlHandle* const handle_;
  const BodySink* sink_ = nullptr;
  const HeadSink* on_head_ = nullptr;  // null after it was called
  std::size_t max_body_bytes_ = 0;

  std::string url_;             // as sent to libcurl
  std::string host_;            // of the request
  std::string name_;            // "GET http://…", without secrets, for errors
  void* headers_ = nullptr;     // curl_slist
  void* connect_to_ = nullptr;  // curl_slist
  std::string error_text_;      // libcurl writes here
  std::chrono::steady_clock::time_point started_;
  HttpClientResponse response_;
  bool has_header_ = false;
  bool cut_ = false;    // the body of an error was long enough
  Status body_status_;  // of the sink, the limit, or the source of what is sent
  std::int64_t sent_bytes_ = 0;
};

// What stands in the file, without the line break at its end. The error names the file.
StatusOr<std::string> ReadSecret(const std::string& path);

}  // namespace aevum::net
