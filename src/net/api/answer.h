// The envelope that all answers of HTTP APIs have in common.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/context.h"
#include "base/duration.h"
#include "base/status.h"
#include "net/api/json_writer.h"
#include "net/http/server.h"

namespace aevum::net {

// What an error of ours is to clients of an API.
struct ApiError {
  int http_status;
  std::string_view type;  // errorType of the envelope
};

// The one table from our codes to what HTTP APIs answer.
ApiError ToApiError(StatusCode code);

// Writes to the body of a response, which must outlive the sink.
JsonSink SinkOf(HttpResponse& response);

// An answer that must be taken within a time from its first byte on, whatever else the server
// allows: what it is made of stays in memory until then. A client that is slower is cut off, so
// that it sees that the answer is not whole. Borrows the answer. Thread-compatible.
class TimedResponse final : public HttpResponse {
 public:
  TimedResponse(HttpResponse& response, Nanoseconds timeout)
      : response_(response), timeout_(timeout) {}

  void SetStatus(int status) override { response_.SetStatus(status); }
  void SetHeader(std::string_view name, std::string_view value) override {
    response_.SetHeader(name, value);
  }
  bool Write(std::string_view bytes) override;
  int status() const override { return response_.status(); }
  void Abort() override { response_.Abort(); }

 private:
  HttpResponse& response_;
  const Nanoseconds timeout_;
  std::optional<Context> writing_;  // since the first byte
};

// Begins a successful answer, up to where `data` is to be written.
void BeginAnswer(JsonWriter& writer);
// The member `warnings`, behind `data`; nothing when there are none.
void WriteWarnings(JsonWriter& writer, const std::vector<std::string>& warnings);
// Closes the answer and sends it. OK even when the client is gone.
Status EndAnswer(JsonWriter& writer);

// The whole answer of an error, which nobody may cache.
void WriteApiError(HttpResponse& response, const Status& status);

}  // namespace aevum::net
