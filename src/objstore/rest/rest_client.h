// Requests to a store over HTTP: signed, sent, tried again, and their errors made typed.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "net/http/client.h"
#include "objstore/bucket.h"
#include "objstore/rest/request.h"
#include "objstore/retry.h"

namespace aevum::objstore {

// Adds to a request what proves who sends it. Thread-safe.
class RequestSigner {
 public:
  virtual ~RequestSigner() = default;
  // Called before each attempt, since signatures grow old. May ask servers for credentials.
  virtual Status Sign(const Context& context, RestRequest& request) = 0;
  // The store has refused the credentials: those that were kept are forgotten, and the answer says
  // whether new ones can be had.
  virtual bool Forget() { return false; }
};

// What a store says is wrong: its own code and a text, "" where the answer has none.
struct StoreError {
  std::string code;
  std::string message;
};

struct RestClientOptions {
  net::HttpClientOptions http;
  RetryPolicy retry;
  std::size_t max_connections = 0;  // at a time; 0 for no limit
  std::string scheme = "https";
  std::string host;  // with the port; requests without a host go there
  // Attempts of a read; 0: as `retry` says.
  int read_attempts = 0;
  // The header that tells the store's code of an error whose body does not, as of answers to HEAD.
  std::string error_code_header;
  // Reads the body of an error. Never null.
  std::function<StoreError(std::string_view body)> read_error;
};

// Thread-safe.
class RestClient {
 public:
  // No signer: nothing is signed.
  RestClient(RestClientOptions options, std::shared_ptr<RequestSigner> signer);
  ~RestClient();

  enum class Repeat : std::uint8_t { kAllowed, kNever };

  // A 2xx or the status that the request expects, its body bounded; all else is an error: NotFound,
  // PermissionDenied, ... as in bucket.h. `object` is what errors name. Transient failures are
  // tried again unless that is not allowed.
  StatusOr<net::HttpClientResponse> Do(const Context& context, const RestRequest& request,
                                       std::string_view object, Repeat repeat = Repeat::kAllowed);
  // As above with the body of the answer in a sink.
  Status Read(const Context& context, const RestRequest& request, std::string_view object,
              ByteRange range, ByteSink& sink);

  const RestClientOptions& options() const { return options_; }

 private:
  class Slots;
  struct Exchange;
  Status Send(const Context& context, const RestRequest& request, std::string_view object,
              const Exchange& exchange);
  Status ErrorOf(const net::HttpClientResponse& response, std::string_view object) const;

  const RestClientOptions options_;
  const std::shared_ptr<RequestSigner> signer_;
  net::HttpClient http_;
  const std::unique_ptr<Slots> slots_;
};

// An upload under a condition that was done, but whose answer was lost, would fail the second time.
RestClient::Repeat RepeatUnder(UploadCondition condition);

// A text of a server for an error: cut, and without line breaks.
std::string OneLine(std::string_view text);

// The status that fits an HTTP status of a store.
StatusCode CodeOfHttpStatus(int status);

// What the headers of an answer to GET or HEAD tell.
StatusOr<ObjectAttributes> AttributesOf(const net::HttpClientResponse& response);
// "Tue, 15 Nov 1994 08:12:31 GMT" as milliseconds, and back.
StatusOr<TimestampMs> ParseHttpDate(std::string_view text);
std::string FormatHttpDate(TimestampMs time);
// "20150830T123600Z".
std::string FormatBasicIso8601(TimestampMs time);

}  // namespace aevum::objstore
