#include "net/http/transfer.h"

#include <curl/curl.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <stop_token>
#include <utility>

#include "base/check.h"
#include "base/files.h"
#include "net/http/form.h"
#include "net/url.h"

namespace aevum::net {
namespace {

// The bodies of errors are for people.
constexpr std::size_t kErrorBodyBytes = 64 << 10;
constexpr std::size_t kHeaderFields = 1000;
constexpr long kRedirects = 10;
constexpr long kUploadPieceBytes = 256 << 10;
// Connections that one handle keeps open: redirects may lead to a second host.
constexpr long kConnectionsPerHandle = 4;

void InitOnce() {
  static const CURLcode result = curl_global_init(CURL_GLOBAL_DEFAULT);
  AEVUM_CHECK(result == CURLE_OK);
}

CURL* Easy(const CurlHandle& handle) { return static_cast<CURL*>(handle.easy()); }
CURLM* Multi(const CurlHandle& handle) { return static_cast<CURLM*>(handle.multi()); }

// Puts a handle into its multi handle for a scope.
class Attached {
 public:
  explicit Attached(const CurlHandle& handle) : handle_(handle) {
    AEVUM_CHECK(curl_multi_add_handle(Multi(handle_), Easy(handle_)) == CURLM_OK);
  }
  ~Attached() { curl_multi_remove_handle(Multi(handle_), Easy(handle_)); }
  Attached(const Attached&) = delete;
  Attached& operator=(const Attached&) = delete;

 private:
  const CurlHandle& handle_;
};

bool IsFieldText(std::string_view text) {
  return text.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos;
}

}  // namespace

CurlHandle::CurlHandle() {
  InitOnce();
  easy_ = curl_easy_init();
  multi_ = curl_multi_init();
  AEVUM_CHECK(easy_ != nullptr && multi_ != nullptr);
  curl_multi_setopt(static_cast<CURLM*>(multi_), CURLMOPT_MAXCONNECTS, kConnectionsPerHandle);
}

CurlHandle::~CurlHandle() {
  curl_easy_cleanup(static_cast<CURL*>(easy_));
  curl_multi_cleanup(static_cast<CURLM*>(multi_));
}

StatusOr<std::string> ReadSecret(const std::string& path) {
  StatusOr<std::string> text = ReadFile(path, 64 << 10);
  if (!text.ok()) return Annotate(text.status(), path);
  while (!text->empty() && (text->back() == '\n' || text->back() == '\r')) text->pop_back();
  return text;
}

Transfer::Transfer(const Context& context, const HttpClientOptions& options,
                   const HttpClientRequest& request, CurlHandle* handle)
    : context_(context),
      options_(options),
      request_(request),
      handle_(handle),
      error_text_(CURL_ERROR_SIZE, '\0') {}

Transfer::~Transfer() {
  // Forgets the options, keeps the connections.
  curl_easy_reset(Easy(*handle_));
  curl_slist_free_all(static_cast<curl_slist*>(headers_));
  curl_slist_free_all(static_cast<curl_slist*>(connect_to_));
}

std::size_t Transfer::OnHeader(char* data, std::size_t size, std::size_t count, void* self) {
  auto* transfer = static_cast<Transfer*>(self);
  transfer->TakeHeaderLine({data, size * count});
  return size * count;
}

std::size_t Transfer::OnBody(char* data, std::size_t size, std::size_t count, void* self) {
  auto* transfer = static_cast<Transfer*>(self);
  return transfer->TakeBody({data, size * count}) ? size * count : 0;
}

std::size_t Transfer::OnSend(char* data, std::size_t size, std::size_t count, void* self) {
  auto* transfer = static_cast<Transfer*>(self);
  const HttpClientRequest::BodySource& source = *transfer->request_.body_source;
  const std::int64_t left = source.size_bytes - transfer->sent_bytes_;
  const std::size_t piece = std::min(size * count, static_cast<std::size_t>(left));
  if (piece == 0) return 0;
  transfer->body_status_ = source.read(transfer->sent_bytes_, {data, piece});
  if (!transfer->body_status_.ok()) return CURL_READFUNC_ABORT;
  transfer->sent_bytes_ += static_cast<std::int64_t>(piece);
  return piece;
}

int Transfer::OnSeek(void* self, long long offset, int origin) {
  auto* transfer = static_cast<Transfer*>(self);
  const bool inside = offset >= 0 && offset <= transfer->request_.body_source->size_bytes;
  if (origin != SEEK_SET || !inside) return CURL_SEEKFUNC_CANTSEEK;
  transfer->sent_bytes_ = offset;
  return CURL_SEEKFUNC_OK;
}

void Transfer::TakeHeaderLine(std::string_view line) {
  while (!line.empty() && (line.back() == '\n' || line.back() == '\r')) line.remove_suffix(1);
  if (line.starts_with("HTTP/")) {
    // Of a redirect or of "100 Continue" only the last head counts.
    response_ = {};
    const std::size_t space = line.find(' ');
    if (space != std::string_view::npos) {
      const std::string_view status = line.substr(space + 1, 3);
      std::from_chars(status.data(), status.data() + status.size(), response_.status);
    }
    has_header_ = true;
    return;
  }
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos || response_.headers.size() >= kHeaderFields) return;
  response_.headers.emplace_back(line.substr(0, colon), TrimBlanks(line.substr(colon + 1)));
}

bool Transfer::TakeBody(std::string_view piece) {
  const bool success = response_.status >= 200 && response_.status < 300;
  if (!success) {
    const std::size_t room = kErrorBodyBytes - response_.body.size();
    response_.body.append(piece.substr(0, room));
    cut_ = piece.size() > room;
    return !cut_;
  }
  if (on_head_ != nullptr) {
    body_status_ = (*std::exchange(on_head_, nullptr))(response_);
    if (!body_status_.ok()) return false;
  }
  if (sink_ != nullptr) {
    body_status_ = (*sink_)(piece);
    return body_status_.ok();
  }
  if (response_.body.size() + piece.size() > max_body_bytes_) {
    body_status_ = ResourceExhausted("{}: the answer is larger than the limit of {} bytes", name_,
                                     max_body_bytes_);
    return false;
  }
  response_.body.append(piece);
  return true;
}

Status Transfer::SetTarget() {
  ASSIGN_OR_RETURN(Url url, Url::Parse(request_.url));
  Url shown = url;
  if (request_.secret_query) shown.query.clear();
  name_ = request_.method + " " + shown.ToString();
  url_ = request_.url;
  host_ = url.host;
  if (options_.tls_server_name.empty() || url.scheme != "https") return OkStatus();
  // libcurl takes the name to verify from the URL; so it gets that name, and is told where to go.
  const std::string port = url.port.empty() ? "443" : url.port;
  const bool v6 = url.host.find(':') != std::string::npos;
  const std::string host = v6 ? "[" + url.host + "]" : url.host;
  const std::string to = options_.tls_server_name + ":" + port + ":" + host + ":" + port;
  connect_to_ = curl_slist_append(nullptr, to.c_str());
  curl_easy_setopt(Easy(*handle_), CURLOPT_CONNECT_TO, connect_to_);
  const std::string host_line = "Host: " + host + (url.port.empty() ? "" : ":" + url.port);
  headers_ = curl_slist_append(static_cast<curl_slist*>(headers_), host_line.c_str());
  const std::string userinfo = url.userinfo.empty() ? "" : url.userinfo + "@";
  url.host = options_.tls_server_name;
  url_ = url.ToString();
  url_.insert(std::string_view("https://").size(), userinfo);
  return OkStatus();
}

Status Transfer::SetHeaders() {
  auto* list = static_cast<curl_slist*>(headers_);
  bool has_type = false;
  bool has_encoding = false;
  for (const auto& [name, value] : request_.headers) {
    if (name.empty() || !IsFieldText(name) || !IsFieldText(value)) {
      return InvalidArgument("{}: a header with a line break or without a name", name_);
    }
    has_type = has_type || EqualsIgnoreCase(name, "Content-Type");
    has_encoding = has_encoding || EqualsIgnoreCase(name, "Accept-Encoding");
    const std::string line = value.empty() ? name + ";" : name + ": " + value;
    list = curl_slist_append(list, line.c_str());
  }
  // Without these libcurl would add an "Expect" that costs a second, and the type of a form.
  list = curl_slist_append(list, "Expect:");
  if (!has_type) list = curl_slist_append(list, "Content-Type:");
  headers_ = list;
  curl_easy_setopt(Easy(*handle_), CURLOPT_HTTPHEADER, list);
  if (!options_.disable_compression && !has_encoding) {
    curl_easy_setopt(Easy(*handle_), CURLOPT_ACCEPT_ENCODING, "gzip");
  }
  return OkStatus();
}

Status Transfer::SetMethod() {
  CURL* easy = Easy(*handle_);
  const std::string& method = request_.method;
  if (method == "GET" && request_.body.empty()) return OkStatus();
  if (method == "HEAD") {
    curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
    return OkStatus();
  }
  if (method.empty() || !IsFieldText(method) || method.find(' ') != std::string::npos) {
    return InvalidArgument("bad method: '{}'", method);
  }
  if (request_.body_source) {
    SetBodySource();
    if (method != "PUT") curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, method.c_str());
    return OkStatus();
  }
  const bool sends_body = !request_.body.empty() || method == "POST" || method == "PUT";
  if (sends_body) {
    curl_easy_setopt(easy, CURLOPT_POST, 1L);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request_.body.data());
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
                     static_cast<curl_off_t>(request_.body.size()));
  }
  if (method != "POST") curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, method.c_str());
  return OkStatus();
}

void Transfer::SetBodySource() {
  CURL* easy = Easy(*handle_);
  curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
  curl_easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE, kUploadPieceBytes);
  curl_easy_setopt(easy, CURLOPT_INFILESIZE_LARGE,
                   static_cast<curl_off_t>(request_.body_source->size_bytes));
  curl_easy_setopt(easy, CURLOPT_READFUNCTION, &Transfer::OnSend);
  curl_easy_setopt(easy, CURLOPT_READDATA, this);
  const curl_seek_callback on_seek = [](void* self, curl_off_t offset, int origin) {
    return Transfer::OnSeek(self, offset, origin);
  };
  curl_easy_setopt(easy, CURLOPT_SEEKFUNCTION, on_seek);
  curl_easy_setopt(easy, CURLOPT_SEEKDATA, this);
}

void Transfer::SetProxy() {
  const bool this_machine = host_ == "localhost" || host_ == "::1" || host_.starts_with("127.");
  if (options_.proxy_url.empty() && options_.proxy_from_environment && !this_machine) return;
  // "" also keeps the proxy variables of the environment out.
  curl_easy_setopt(Easy(*handle_), CURLOPT_PROXY, options_.proxy_url.c_str());
}

Status Transfer::SetTls() {
  CURL* easy = Easy(*handle_);
  const auto set_file = [&](CURLoption option, const std::string& path) {
    if (!path.empty()) curl_easy_setopt(easy, option, path.c_str());
  };
  set_file(CURLOPT_CAINFO, options_.tls_ca_file);
  set_file(CURLOPT_SSLCERT, options_.tls_cert_file);
  set_file(CURLOPT_SSLKEY, options_.tls_key_file);
  if (options_.tls_insecure_skip_verify) {
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
  }
  return OkStatus();
}

Status Transfer::SetCredentials() {
  CURL* easy = Easy(*handle_);
  std::string token = options_.bearer_token;
  if (!options_.bearer_token_file.empty()) {
    ASSIGN_OR_RETURN(token, ReadSecret(options_.bearer_token_file));
  }
  if (!token.empty()) {
    if (!IsFieldText(token)) return InvalidArgument("a line break in the bearer token");
    curl_easy_setopt(easy, CURLOPT_HTTPAUTH, CURLAUTH_BEARER);
    curl_easy_setopt(easy, CURLOPT_XOAUTH2_BEARER, token.c_str());
    return OkStatus();
  }
  std::string password = options_.basic_auth_password;
  if (!options_.basic_auth_password_file.empty()) {
    ASSIGN_OR_RETURN(password, ReadSecret(options_.basic_auth_password_file));
  }
  if (options_.basic_auth_username.empty() && password.empty()) return OkStatus();
  curl_easy_setopt(easy, CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
  curl_easy_setopt(easy, CURLOPT_USERNAME, options_.basic_auth_username.c_str());
  curl_easy_setopt(easy, CURLOPT_PASSWORD, password.c_str());
  return OkStatus();
}

Status Transfer::SetUp() {
  RETURN_IF_ERROR(SetTarget());
  RETURN_IF_ERROR(SetHeaders());
  RETURN_IF_ERROR(SetMethod());
  RETURN_IF_ERROR(SetTls());
  RETURN_IF_ERROR(Annotate(SetCredentials(), name_));
  CURL* easy = Easy(*handle_);
  curl_easy_setopt(easy, CURLOPT_URL, url_.c_str());
  curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, error_text_.data());
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  // Else a cancelled transfer would wait for its look-up of a name to end.
  curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
  curl_easy_setopt(easy, CURLOPT_USERAGENT, "aevum");
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, options_.follow_redirects ? 1L : 0L);
  // A "." in a path may be part of a name.
  curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
  curl_easy_setopt(easy, CURLOPT_MAXREDIRS, kRedirects);
  SetProxy();
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
                   static_cast<long>(options_.connect_timeout.count()));
  const auto idle = std::chrono::duration_cast<std::chrono::seconds>(options_.idle_timeout);
  if (idle.count() > 0) {
    curl_easy_setopt(easy, CURLOPT_MAXAGE_CONN, static_cast<long>(idle.count()));
  }
  curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, &Transfer::OnHeader);
  curl_easy_setopt(easy, CURLOPT_HEADERDATA, this);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &Transfer::OnBody);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, this);
  return OkStatus();
}

Status Transfer::CheckTimes() const {
  RETURN_IF_ERROR(Annotate(context_.status(), name_));
  if (options_.response_header_timeout.count() == 0 || has_header_) return OkStatus();
  curl_off_t sent_us = 0;
  curl_easy_getinfo(Easy(*handle_), CURLINFO_PRETRANSFER_TIME_T, &sent_us);
  if (sent_us > 0 && std::chrono::steady_clock::now() - started_ >
                         std::chrono::microseconds(sent_us) + options_.response_header_timeout) {
    return Unavailable("{}: no answer within {} ms", name_,
                       options_.response_header_timeout.count());
  }
  return OkStatus();
}

int Transfer::PollTimeoutMs() const {
  using std::chrono::milliseconds;
  auto timeout = milliseconds(1000);
  if (options_.response_header_timeout.count() > 0 && !has_header_) timeout = milliseconds(20);
  const auto remaining = std::chrono::ceil<milliseconds>(
      std::min(context_.remaining(), std::chrono::nanoseconds(timeout)));
  return static_cast<int>(remaining.count());
}

Status Transfer::Perform() {
  CURLM* multi = Multi(*handle_);
  const Attached attached(*handle_);
  // Cancellation ends the wait below at once.
  const std::stop_callback wake(context_.stop_token(), [multi] { curl_multi_wakeup(multi); });
  while (true) {
    int running = 0;
    const CURLMcode code = curl_multi_perform(multi, &running);
    if (code != CURLM_OK) return Internal("{}: {}", name_, curl_multi_strerror(code));
    int left = 0;
    while (const CURLMsg* message = curl_multi_info_read(multi, &left)) {
      if (message->msg == CURLMSG_DONE) return Failure(message->data.result);
    }
    RETURN_IF_ERROR(CheckTimes());
    if (curl_multi_poll(multi, nullptr, 0, PollTimeoutMs(), nullptr) != CURLM_OK) {
      return Internal("{}: can't wait for the network", name_);
    }
  }
}

Status Transfer::Failure(int code) {
  if (code == CURLE_OK || cut_) return OkStatus();
  if (!body_status_.ok()) return body_status_;
  const std::size_t end = error_text_.find('\0');
  std::string text = error_text_.substr(0, end);
  if (text.empty()) text = curl_easy_strerror(static_cast<CURLcode>(code));
  if (code == CURLE_URL_MALFORMAT) return InvalidArgument("{}: {}", name_, text);
  return Unavailable("{}: {}", name_, text);
}

StatusOr<HttpClientResponse> Transfer::Run(const BodySink* sink, const HeadSink* on_head,
                                           std::size_t max_body_bytes) {
  sink_ = sink;
  on_head_ = on_head;
  max_body_bytes_ = max_body_bytes;
  started_ = std::chrono::steady_clock::now();
  RETURN_IF_ERROR(SetUp());
  RETURN_IF_ERROR(Annotate(context_.status(), name_));
  RETURN_IF_ERROR(Perform());
  return std::move(response_);
}

}  // namespace aevum::net
