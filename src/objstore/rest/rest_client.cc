#include "objstore/rest/rest_client.h"

#include <charconv>
#include <condition_variable>
#include <ctime>
#include <optional>

#include "net/http/form.h"

namespace aevum::objstore {
namespace {

constexpr std::size_t kMaxAnswerBytes = 32 << 20;  // a page of a listing takes about 1 MiB
constexpr std::size_t kMaxErrorText = 500;

std::optional<std::int64_t> ParseNumber(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || error != std::errc() || end != text.data() + text.size() || number < 0) {
    return std::nullopt;
  }
  return number;
}

std::int64_t LengthOf(const net::HttpClientResponse& response) {
  return ParseNumber(response.Header("Content-Length")).value_or(-1);
}

// Counts what a sink gets and checks it against the head of the answer.
class CheckedBody {
 public:
  CheckedBody(ByteRange range, std::string_view object, ByteSink& sink)
      : range_(range), object_(object), sink_(sink) {}

  Status Start(const net::HttpClientResponse& head) {
    started_ = true;
    expected_ = LengthOf(head);
    if (!range_.IsWhole() && head.status != 206) {
      return Internal("{}: the store sends all of it when asked for a part", object_);
    }
    if (range_.length >= 0 && expected_ > range_.length) {
      return Internal("{}: the store sends more than was asked for: {} > {}", object_, expected_,
                      range_.length);
    }
    return sink_.Start(expected_);
  }

  Status Write(std::string_view piece) {
    got_ += static_cast<std::int64_t>(piece.size());
    return sink_.Write(piece);
  }

  // An empty body has no first piece, and hence no head was seen.
  Status Finish(const net::HttpClientResponse& response) {
    if (!started_) RETURN_IF_ERROR(Start(response));
    // HTTP has a status of its own for that, which not every server uses.
    if (got_ == 0 && expected_ <= 0 && !range_.IsWhole() && range_.length != 0) {
      return MakeError(
          StatusCode::kOutOfRange,
          fmt::format("the range starts behind the end of {}, offset: {}", object_, range_.offset));
    }
    if (expected_ < 0 || got_ == expected_) return OkStatus();
    return Unavailable("{}: the answer was cut, bytes: {} of {}", object_, got_, expected_);
  }

 private:
  const ByteRange range_;
  const std::string_view object_;
  ByteSink& sink_;
  bool started_ = false;
  std::int64_t expected_ = -1;
  std::int64_t got_ = 0;
};

bool IsAnswer(const net::HttpClientResponse& response, const RestRequest& request) {
  const bool is_success = response.status >= 200 && response.status <= 299;
  return is_success || response.status == request.expected_status;
}

// What signing lacks, as a file of credentials, says nothing about the object, and no reader may
// take it for an object that is absent.
Status SigningError(Status status) {
  switch (status.code()) {
    case StatusCode::kNotFound:
    case StatusCode::kOutOfRange:
    case StatusCode::kFailedPrecondition:
      return MakeError(StatusCode::kUnauthenticated, std::string(status.message()));
    default:
      return status;
  }
}

net::HttpClientRequest ToHttp(const RestClientOptions& options, const RestRequest& request) {
  net::HttpClientRequest http;
  http.method = request.method;
  http.url = (request.scheme.empty() ? options.scheme : request.scheme) + "://" + request.host +
             request.Target();
  http.headers = request.headers;
  http.secret_query = true;  // it may carry a signature, or the id of an upload
  if (request.source == nullptr) {
    http.body = request.body;
    return http;
  }
  http.body_source = net::HttpClientRequest::BodySource{
      request.source_size,
      [source = request.source, begin = request.source_offset](
          std::int64_t offset, std::span<char> out) { return source->Read(begin + offset, out); }};
  return http;
}

}  // namespace

// Lets so many requests be under way at a time.
class RestClient::Slots {
 public:
  explicit Slots(std::size_t limit) : free_(limit), limited_(limit > 0) {}

  Status Take(const Context& context) {
    if (!limited_) return OkStatus();
    std::unique_lock lock(mutex_);
    const auto is_free = [this] { return free_ > 0; };
    if (context.deadline() == Context::TimePoint::max()) {
      freed_.wait(lock, context.stop_token(), is_free);
    } else {
      freed_.wait_until(lock, context.stop_token(), context.deadline(), is_free);
    }
    if (Status over = context.status(); !over.ok()) {
      // The wake-up may have come to this one, which has no use for it.
      if (free_ > 0) freed_.notify_one();
      return over;
    }
    --free_;
    return OkStatus();
  }
  void Give() {
    if (!limited_) return;
    {
      const std::lock_guard lock(mutex_);
      ++free_;
    }
    freed_.notify_one();
  }

 private:
  std::mutex mutex_;
  std::condition_variable_any freed_;
  std::size_t free_;
  const bool limited_;
};

// Where the answer of one attempt goes: a response, or a checked body.
struct RestClient::Exchange {
  net::HttpClientResponse* response = nullptr;
  ByteRange range;
  ByteSink* sink = nullptr;
};

RestClient::RestClient(RestClientOptions options, std::shared_ptr<RequestSigner> signer)
    : options_(std::move(options)),
      signer_(std::move(signer)),
      http_(options_.http),
      slots_(std::make_unique<Slots>(options_.max_connections)) {}

RestClient::~RestClient() = default;

Status RestClient::Send(const Context& context, const RestRequest& request, std::string_view object,
                        const Exchange& exchange) {
  RestRequest signed_request = request;
  if (signed_request.host.empty()) signed_request.host = options_.host;
  if (signer_) RETURN_IF_ERROR(SigningError(signer_->Sign(context, signed_request)));
  const net::HttpClientRequest http = ToHttp(options_, signed_request);
  RETURN_IF_ERROR(slots_->Take(context));
  StatusOr<net::HttpClientResponse> response = Internal("not sent");
  if (exchange.sink == nullptr) {
    response = http_.Do(context, http, kMaxAnswerBytes);
    slots_->Give();
    RETURN_IF_ERROR(response.status());
    if (!IsAnswer(*response, request)) return ErrorOf(*response, object);
    *exchange.response = *std::move(response);
    return OkStatus();
  }
  CheckedBody body(exchange.range, object, *exchange.sink);
  response = http_.Stream(
      context, http, [&](std::string_view piece) { return body.Write(piece); },
      [&](const net::HttpClientResponse& head) { return body.Start(head); });
  slots_->Give();
  RETURN_IF_ERROR(response.status());
  if (response->status < 200 || response->status > 299) return ErrorOf(*response, object);
  return body.Finish(*response);
}

StatusOr<net::HttpClientResponse> RestClient::Do(const Context& context, const RestRequest& request,
                                                 std::string_view object, Repeat repeat) {
  net::HttpClientResponse response;
  Exchange exchange;
  exchange.response = &response;
  RetryPolicy policy = options_.retry;
  if (repeat == Repeat::kNever) policy.max_attempts = 1;
  const auto send = [&] { return Send(context, request, object, exchange); };
  Status status = Retry(context, policy, send);
  if (status.code() == StatusCode::kUnauthenticated && signer_ && signer_->Forget()) {
    status = Retry(context, policy, send);
  }
  RETURN_IF_ERROR(status);
  return response;
}

Status RestClient::Read(const Context& context, const RestRequest& request, std::string_view object,
                        ByteRange range, ByteSink& sink) {
  RestRequest ranged = request;
  if (!range.IsWhole()) {
    ranged.SetHeader("Range", range.length < 0 ? fmt::format("bytes={}-", range.offset)
                                               : fmt::format("bytes={}-{}", range.offset,
                                                             range.offset + range.length - 1));
  }
  Exchange exchange;
  exchange.sink = &sink;
  exchange.range = range;
  RetryPolicy policy = options_.retry;
  if (options_.read_attempts > 0) policy.max_attempts = options_.read_attempts;
  const auto send = [&] { return Send(context, ranged, object, exchange); };
  const Status status = Retry(context, policy, send);
  if (status.code() == StatusCode::kUnauthenticated && signer_ && signer_->Forget()) {
    return Retry(context, policy, send);
  }
  return status;
}

Status RestClient::ErrorOf(const net::HttpClientResponse& response, std::string_view object) const {
  StoreError error = options_.read_error(response.body);
  if (error.code.empty() && !options_.error_code_header.empty()) {
    error.code = response.Header(options_.error_code_header);
  }
  StatusCode code = CodeOfHttpStatus(response.status);
  // The bucket is missing, not the object: no reader may take that for an empty bucket.
  if (error.code == "NoSuchBucket" || error.code == "ContainerNotFound" ||
      error.code == "BucketNotFound" || error.code == "NamespaceNotFound") {
    code = StatusCode::kFailedPrecondition;
  }
  // OCI does not tell the two apart, and no reader may take it for an object that is absent.
  if (error.code == "NotAuthorizedOrNotFound") code = StatusCode::kPermissionDenied;
  // Of clocks that differ; and of two that write under a condition at a time.
  if (error.code == "RequestTimeTooSkewed") code = StatusCode::kPermissionDenied;
  if (error.code == "ConditionalRequestConflict") code = StatusCode::kFailedPrecondition;
  std::string text = fmt::format("{}: the store answers {}", object, response.status);
  if (!error.code.empty()) text += " " + OneLine(error.code);
  if (!error.message.empty()) text += ": " + OneLine(error.message);
  return MakeError(code, std::move(text));
}

RestClient::Repeat RepeatUnder(UploadCondition condition) {
  return condition == UploadCondition::kNone ? RestClient::Repeat::kAllowed
                                             : RestClient::Repeat::kNever;
}

// Errors must not carry line breaks of a server into logs, nor pages of HTML.
std::string OneLine(std::string_view text) {
  std::string line(text.substr(0, kMaxErrorText));
  for (char& c : line) {
    if (static_cast<unsigned char>(c) < 0x20) c = ' ';
  }
  return line;
}

StatusCode CodeOfHttpStatus(int status) {
  switch (status) {
    case 400:
      return StatusCode::kInvalidArgument;
    case 401:
      return StatusCode::kUnauthenticated;
    case 403:
      return StatusCode::kPermissionDenied;
    case 404:
      return StatusCode::kNotFound;
    case 409:  // of a condition, or of a container that is being removed
    case 412:
      return StatusCode::kFailedPrecondition;
    case 416:
      return StatusCode::kOutOfRange;
    case 408:
    case 429:
    case 500:
    case 502:
    case 503:
    case 504:
    case 507:
    case 509:
      return StatusCode::kUnavailable;
    case 501:
      return StatusCode::kUnimplemented;
    default:
      return status >= 500 ? StatusCode::kUnavailable : StatusCode::kInternal;
  }
}

StatusOr<TimestampMs> ParseHttpDate(std::string_view text) {
  std::tm parts{};
  const std::string terminated(text);
  const char* end = ::strptime(terminated.c_str(), "%a, %d %b %Y %H:%M:%S", &parts);
  if (end == nullptr) return InvalidArgument("not a date of HTTP: '{}'", OneLine(text));
  return static_cast<TimestampMs>(::timegm(&parts)) * 1000;
}

std::string FormatHttpDate(TimestampMs time) {
  static constexpr const char* kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                            "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const std::time_t seconds = time / 1000;
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  return fmt::format("{}, {:02} {} {} {:02}:{:02}:{:02} GMT", kDays[parts.tm_wday], parts.tm_mday,
                     kMonths[parts.tm_mon], parts.tm_year + 1900, parts.tm_hour, parts.tm_min,
                     parts.tm_sec);
}

std::string FormatBasicIso8601(TimestampMs time) {
  const std::time_t seconds = time / 1000;
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  return fmt::format("{:04}{:02}{:02}T{:02}{:02}{:02}Z", parts.tm_year + 1900, parts.tm_mon + 1,
                     parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec);
}

StatusOr<ObjectAttributes> AttributesOf(const net::HttpClientResponse& response) {
  ObjectAttributes attributes;
  attributes.size_bytes = LengthOf(response);
  if (attributes.size_bytes < 0) return Internal("the store does not tell the size");
  const std::string_view modified = response.Header("Last-Modified");
  if (!modified.empty()) {
    ASSIGN_OR_RETURN(attributes.last_modified_ms, ParseHttpDate(modified));
  }
  attributes.version = response.Header("ETag");
  return attributes;
}

}  // namespace aevum::objstore
