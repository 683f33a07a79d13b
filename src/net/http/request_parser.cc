#include "net/http/request_parser.h"

#include <algorithm>

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>

#include "net/http/form.h"
#include "net/url.h"

namespace aevum::net {
namespace {

namespace http = boost::beast::http;
using boost::beast::string_view;
using boost::system::error_code;

std::string_view View(string_view text) { return {text.data(), text.size()}; }

bool TakesForm(const HttpRequest& request) {
  if (request.method != "POST" && request.method != "PUT" && request.method != "PATCH")
    return false;
  const std::string_view type = request.Header("Content-Type");
  return EqualsIgnoreCase(TrimBlanks(type.substr(0, type.find(';'))),
                          "application/x-www-form-urlencoded");
}

}  // namespace

class RequestParser::Impl final : public http::basic_parser<true> {
 public:
  Impl(const Limits& limits, std::shared_ptr<MemoryBudget> body_budget)
      : limits_(limits), charge_(std::move(body_budget)) {
    header_limit(static_cast<std::uint32_t>(limits.header_bytes));
    body_limit(limits.body_bytes);
    eager(true);
  }

  std::size_t Feed(std::string_view bytes) {
    if (bytes.empty() || state_ == State::kDone || state_ == State::kFailed) return 0;
    // Beast asserts that a last chunk that was not whole comes again with five bytes at least,
    // which is the client's choice. No chunked body ends with less, so waiting for them loses
    // nothing.
    if (is_header_done() && chunked() && bytes.size() < 5) return 0;
    error_code error;
    const std::size_t used = put(boost::asio::const_buffer(bytes.data(), bytes.size()), error);
    if (error == http::error::need_more) error = {};
    // Beast's limit is on what is not parsed yet; dripped fields would slip under it.
    if (!is_header_done() && (header_bytes_ += used) > limits_.header_bytes) {
      error = http::error::header_limit;
    }
    if (error) {
      FailFrom(error);
    } else if (is_done()) {
      FinishBody();
    } else if (is_header_done()) {
      state_ = State::kBody;
    }
    return used;
  }

  void Fail(int status, std::string text) {
    if (state_ == State::kFailed) return;  // the first reason stands
    state_ = State::kFailed;
    error_status_ = status;
    error_text_ = std::move(text);
  }

  const Limits limits_;
  State state_ = State::kHeader;
  int error_status_ = 0;
  std::string error_text_;
  HttpRequest request_;
  MemoryCharge charge_;
  std::string raw_path_;
  std::string raw_query_;
  std::size_t header_bytes_ = 0;
  bool http_1_0_ = false;
  bool expects_continue_ = false;

 private:
  void Refuse(int status, std::string text, error_code& error) {
    Fail(status, std::move(text));
    error = http::error::bad_field;
  }

  void FailFrom(const error_code& error) {
    if (error == http::error::header_limit) {
      Fail(431, "the header is larger than the limit");
    } else if (error == http::error::body_limit) {
      Fail(413, "the body is larger than the limit");
    } else if (error == http::error::bad_version) {
      Fail(505, "the HTTP version is neither 1.0 nor 1.1");
    } else {
      Fail(400, "malformed request: " + error.message());
    }
  }

  void on_request_impl(http::verb, string_view method, string_view target, int version,
                       error_code& error) override {
    if (version != 10 && version != 11) {
      return Refuse(505, "the HTTP version is neither 1.0 nor 1.1", error);
    }
    http_1_0_ = version == 10;
    request_.method = View(method);
    request_.target = View(target);
  }
  void on_response_impl(int, string_view, int, error_code&) override {}

  void on_field_impl(http::field, string_view name, string_view value, error_code& error) override {
    if (state_ != State::kHeader || is_header_done()) return;  // trailers are dropped
    if (request_.headers.size() >= limits_.header_fields) {
      return Refuse(431, "more header fields than the limit", error);
    }
    request_.headers.emplace_back(View(name), View(value));
  }

  void on_header_impl(error_code& error) override {
    int lengths = 0;
    int hosts = 0;
    std::string codings;
    for (const auto& [name, value] : request_.headers) {
      if (EqualsIgnoreCase(name, "Content-Length")) {
        ++lengths;
        if (value.find(',') != std::string::npos) ++lengths;
      } else if (EqualsIgnoreCase(name, "Host")) {
        ++hosts;
      } else if (EqualsIgnoreCase(name, "Transfer-Encoding")) {
        codings += codings.empty() ? ToLower(value) : "," + ToLower(value);
        if (codings.empty()) codings = ",";  // an empty one is one, too
      } else if (EqualsIgnoreCase(name, "Expect")) {
        if (!EqualsIgnoreCase(value, "100-continue")) {
          return Refuse(417, "the expectation is not 100-continue", error);
        }
        expects_continue_ = !http_1_0_;
      }
    }
    if (lengths > 1) return Refuse(400, "more than one Content-Length", error);
    if (!codings.empty()) {
      if (lengths > 0) return Refuse(400, "Content-Length beside Transfer-Encoding", error);
      if (http_1_0_) return Refuse(400, "Transfer-Encoding in HTTP/1.0", error);
      if (codings != "chunked") {
        const bool last_is_chunked = codings.ends_with("chunked");
        return Refuse(last_is_chunked ? 501 : 400, "the transfer coding is not chunked alone",
                      error);
      }
    }
    if (hosts > 1) return Refuse(400, "more than one Host", error);
    if (hosts == 0 && !http_1_0_) return Refuse(400, "missing Host", error);
    ReadTarget(error);
  }

  void ReadTarget(error_code& error) {
    std::string_view target = request_.target;
    if (const std::size_t scheme = target.find("://");
        scheme != std::string_view::npos && !target.starts_with('/')) {
      // The form for proxies: only the path matters.
      const std::size_t path = target.find('/', scheme + 3);
      target = path == std::string_view::npos ? "/" : target.substr(path);
    }
    target = target.substr(0, target.find('#'));
    const std::size_t question = target.find('?');
    raw_path_ = target.substr(0, question);
    if (question != std::string_view::npos) raw_query_ = target.substr(question + 1);
    StatusOr<std::string> path = PercentDecode(raw_path_, false);
    if (!path.ok()) return Refuse(400, "bad path: " + std::string(path.status().message()), error);
    request_.path = *std::move(path);
  }

  void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code&) override {}

  // The budget is asked for each MiB, not for each piece.
  bool TakeBody(std::string_view piece, error_code& error) {
    static constexpr std::size_t kStep = 1 << 20;
    const std::size_t needed = request_.body.size() + piece.size();
    while (static_cast<std::size_t>(charge_.bytes()) + kFree < needed) {
      if (!charge_.Add(kStep, "bodies of HTTP requests").ok()) {
        Refuse(503, "too many bytes of requests are being held, try again later", error);
        return false;
      }
    }
    request_.body.append(piece);
    return true;
  }

  std::size_t on_body_impl(string_view piece, error_code& error) override {
    return TakeBody(View(piece), error) ? piece.size() : 0;
  }
  void on_chunk_header_impl(std::uint64_t, string_view, error_code&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, string_view piece, error_code& error) override {
    return TakeBody(View(piece), error) ? piece.size() : 0;
  }
  void on_finish_impl(error_code&) override {}

  // Of the form first: its values win over those of the query, as Go's servers have it.
  void FinishBody() {
    if (TakesForm(request_)) {
      const Status status = ParseForm(request_.body, limits_.params, &request_.params);
      if (!status.ok()) return Fail(400, "bad form: " + std::string(status.message()));
    }
    const Status status = ParseForm(raw_query_, limits_.params, &request_.params);
    if (!status.ok()) return Fail(400, "bad query: " + std::string(status.message()));
    state_ = State::kDone;
  }

  // Bodies up to this size are not charged: they are as small as the header may be.
  static constexpr std::size_t kFree = 64 << 10;
};

RequestParser::RequestParser(const Limits& limits, std::shared_ptr<MemoryBudget> body_budget)
    : impl_(std::make_unique<Impl>(limits, std::move(body_budget))) {}
RequestParser::~RequestParser() = default;

std::size_t RequestParser::Feed(std::string_view bytes) { return impl_->Feed(bytes); }
RequestParser::State RequestParser::state() const { return impl_->state_; }
int RequestParser::error_status() const { return impl_->error_status_; }
const std::string& RequestParser::error_text() const { return impl_->error_text_; }
bool RequestParser::keep_alive() const { return impl_->keep_alive(); }
bool RequestParser::http_1_0() const { return impl_->http_1_0_; }
bool RequestParser::expects_continue() const { return impl_->expects_continue_; }
const std::string& RequestParser::raw_path() const { return impl_->raw_path_; }
HttpRequest& RequestParser::request() { return impl_->request_; }
MemoryCharge& RequestParser::body_charge() { return impl_->charge_; }

}  // namespace aevum::net
