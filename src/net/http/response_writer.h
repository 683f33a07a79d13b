// Turns what a handler writes into the bytes of an HTTP/1 answer.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "net/http/gzip.h"
#include "net/http/server.h"

namespace aevum::net {

std::string_view ReasonPhrase(int status);

// A whole answer of plain text, for errors that need no handler. `extra_head` is lines that end
// with CR LF.
std::string PlainAnswer(int status, std::string_view text, std::string_view extra_head);

// Where the bytes of an answer go: the connection, or a test.
class AnswerSink {
 public:
  virtual ~AnswerSink() = default;
  // Blocks while too much is waiting. False: the client is gone.
  virtual bool Push(std::string bytes) = 0;
};

// What of the request shapes the answer.
struct AnswerForm {
  bool head = false;       // HEAD: no body
  bool http_1_0 = false;   // no chunks: a large body ends with the connection
  bool keep_alive = true;  // what the client asked for
  bool accepts_gzip = false;
  Fields extra_headers;  // of the server, for example security headers
};

// Holds up to 64 KiB before it decides on length or chunks. Borrows the sink.
class ResponseWriter final : public HttpResponse {
 public:
  ResponseWriter(AnswerForm form, AnswerSink* sink);

  void SetStatus(int status) override;
  void SetHeader(std::string_view name, std::string_view value) override;
  bool Write(std::string_view bytes) override;
  void Abort() override { aborted_ = true; }
  int status() const override { return status_; }

  // Whether bytes went to the sink already, so that the status can't change any more.
  bool started() const { return started_; }
  // Forgets what was set and written. Only before started().
  void Reset();

  enum class Outcome { kKeepAlive, kClose, kBroken };
  // Ends the answer. The bytes that remain for the sink go to `rest`. kBroken: the connection must
  // be cut, so that the client sees that the answer is not whole.
  Outcome Finish(std::string* rest);

  // Bytes of the body as sent.
  std::size_t body_bytes() const { return body_bytes_; }

 private:
  // Below this size compression gains nothing: the answer fits into one packet anyway.
  static constexpr std::size_t kGzipThreshold = 1400;
  static constexpr std::size_t kPieceBytes = 64 << 10;

  bool MayHaveBody() const;
  bool WantsGzip() const;
  void AppendHead(std::string_view framing, std::string* out) const;
  void AppendBody(GzipStream::End end, std::string* out);
  void StartStream(std::string* out);
  bool FlushPiece();

  const AnswerForm form_;
  AnswerSink* const sink_;
  int status_ = 200;
  Fields headers_;
  bool invalid_ = false;  // a header that must not be sent
  bool started_ = false;
  bool chunked_ = false;
  bool aborted_ = false;
  bool gone_ = false;
  std::string waiting_;  // of the body, not yet framed
  std::unique_ptr<GzipStream> gzip_;
  std::size_t body_bytes_ = 0;
};

}  // namespace aevum::net
