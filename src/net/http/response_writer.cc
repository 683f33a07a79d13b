#include "net/http/response_writer.h"

#include <algorithm>
#include <ctime>

#include <fmt/format.h>

#include "net/http/form.h"

namespace aevum::net {
namespace {

// RFC 9110: what the name of a field may hold.
bool IsToken(std::string_view name) {
  static constexpr std::string_view kPunctuation = "!#$%&'*+-.^_`|~";
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           kPunctuation.find(c) != std::string_view::npos;
  });
}

bool IsFieldValue(std::string_view value) {
  return value.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos;
}

// The server frames answers itself; a handler's word on it could contradict the bytes.
bool IsFraming(std::string_view name) {
  for (const std::string_view own :
       {"Content-Length", "Transfer-Encoding", "Connection", "Keep-Alive", "Upgrade", "Trailer"}) {
    if (EqualsIgnoreCase(name, own)) return true;
  }
  return false;
}

bool IsCompressed(std::string_view content_type) {
  if (content_type.starts_with("image/svg")) return false;
  for (const std::string_view type : {"image/", "font/woff", "video/", "audio/", "application/gzip",
                                      "application/zip", "application/zstd"}) {
    if (content_type.starts_with(type)) return true;
  }
  return false;
}

void AppendDate(std::string* out) {
  static constexpr const char* kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                            "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const std::time_t now = std::time(nullptr);
  std::tm utc{};
  gmtime_r(&now, &utc);
  fmt::format_to(std::back_inserter(*out), "Date: {}, {:02} {} {} {:02}:{:02}:{:02} GMT\r\n",
                 kDays[utc.tm_wday], utc.tm_mday, kMonths[utc.tm_mon], utc.tm_year + 1900,
                 utc.tm_hour, utc.tm_min, utc.tm_sec);
}

void AppendStatusLine(int status, std::string* out) {
  fmt::format_to(std::back_inserter(*out), "HTTP/1.1 {:03} {}\r\n", status, ReasonPhrase(status));
}

void AppendField(std::string_view name, std::string_view value, std::string* out) {
  *out += name;
  *out += ": ";
  *out += value;
  *out += "\r\n";
}

std::string_view Find(const Fields& fields, std::string_view name) {
  for (const auto& [key, value] : fields) {
    if (EqualsIgnoreCase(key, name)) return value;
  }
  return {};
}

}  // namespace

std::string_view ReasonPhrase(int status) {
  switch (status) {
    case 100:
      return "Continue";
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 202:
      return "Accepted";
    case 204:
      return "No Content";
    case 206:
      return "Partial Content";
    case 301:
      return "Moved Permanently";
    case 302:
      return "Found";
    case 303:
      return "See Other";
    case 304:
      return "Not Modified";
    case 307:
      return "Temporary Redirect";
    case 308:
      return "Permanent Redirect";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 406:
      return "Not Acceptable";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 410:
      return "Gone";
    case 411:
      return "Length Required";
    case 412:
      return "Precondition Failed";
    case 413:
      return "Request Entity Too Large";
    case 414:
      return "Request URI Too Long";
    case 415:
      return "Unsupported Media Type";
    case 416:
      return "Requested Range Not Satisfiable";
    case 417:
      return "Expectation Failed";
    case 422:
      return "Unprocessable Entity";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 499:
      return "Client Closed Request";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 502:
      return "Bad Gateway";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    case 505:
      return "HTTP Version Not Supported";
    default:
      return "Unknown";
  }
}

std::string PlainAnswer(int status, std::string_view text, std::string_view extra_head) {
  std::string out;
  AppendStatusLine(status, &out);
  AppendDate(&out);
  out += "Content-Type: text/plain; charset=utf-8\r\nX-Content-Type-Options: nosniff\r\n";
  out += extra_head;
  fmt::format_to(std::back_inserter(out), "Content-Length: {}\r\n\r\n{}\n", text.size() + 1, text);
  return out;
}

ResponseWriter::ResponseWriter(AnswerForm form, AnswerSink* sink)
    : form_(std::move(form)), sink_(sink), headers_(form_.extra_headers) {}

void ResponseWriter::SetStatus(int status) {
  if (started_) return;
  // 1xx answers are no end of a request, and other lengths than three digits no status.
  if (status < 200 || status > 999) {
    invalid_ = true;
    return;
  }
  status_ = status;
}

void ResponseWriter::SetHeader(std::string_view name, std::string_view value) {
  if (started_ || IsFraming(name)) return;
  if (!IsToken(name) || !IsFieldValue(value)) {
    invalid_ = true;
    return;
  }
  for (auto& [key, old] : headers_) {
    if (!EqualsIgnoreCase(key, name)) continue;
    old = value;
    return;
  }
  headers_.emplace_back(name, value);
}

void ResponseWriter::Reset() {
  status_ = 200;
  headers_ = form_.extra_headers;
  invalid_ = false;
  aborted_ = false;
  waiting_.clear();
}

bool ResponseWriter::MayHaveBody() const { return status_ != 204 && status_ != 304; }

bool ResponseWriter::WantsGzip() const {
  return form_.accepts_gzip && MayHaveBody() && Find(headers_, "Content-Encoding").empty() &&
         !IsCompressed(Find(headers_, "Content-Type"));
}

bool ResponseWriter::Write(std::string_view bytes) {
  if (gone_ || aborted_ || invalid_) return false;
  if (!MayHaveBody()) return true;
  while (!bytes.empty()) {
    const std::size_t take = std::min(bytes.size(), kPieceBytes - waiting_.size());
    waiting_.append(bytes.substr(0, take));
    bytes.remove_prefix(take);
    if (waiting_.size() == kPieceBytes && !FlushPiece()) return false;
  }
  return true;
}

bool ResponseWriter::FlushPiece() {
  std::string out;
  if (!started_) StartStream(&out);
  AppendBody(GzipStream::End::kNo, &out);
  if (!out.empty() && !sink_->Push(std::move(out))) gone_ = true;
  return !gone_;
}

void ResponseWriter::StartStream(std::string* out) {
  started_ = true;
  chunked_ = !form_.http_1_0;
  if (WantsGzip()) {
    gzip_ = std::make_unique<GzipStream>();
    headers_.emplace_back("Content-Encoding", "gzip");
  }
  AppendHead(chunked_ ? "Transfer-Encoding: chunked\r\n" : "", out);
}

void ResponseWriter::AppendHead(std::string_view framing, std::string* out) const {
  AppendStatusLine(status_, out);
  AppendDate(out);
  for (const auto& [name, value] : headers_) AppendField(name, value, out);
  if (MayHaveBody() && Find(headers_, "Content-Type").empty()) {
    AppendField("Content-Type", "text/plain; charset=utf-8", out);
  }
  if (MayHaveBody() && Find(headers_, "Vary").empty()) AppendField("Vary", "Accept-Encoding", out);
  const bool ends_with_connection = framing.empty() && MayHaveBody();
  if (!form_.keep_alive || ends_with_connection) {
    AppendField("Connection", "close", out);
  } else if (form_.http_1_0) {
    AppendField("Connection", "keep-alive", out);
  }
  *out += framing;
  *out += "\r\n";
}

void ResponseWriter::AppendBody(GzipStream::End end, std::string* out) {
  std::string piece;
  if (gzip_) {
    gzip_->Compress(waiting_, end, &piece);
    waiting_.clear();
  } else {
    piece.swap(waiting_);
  }
  if (piece.empty() || form_.head) return;
  body_bytes_ += piece.size();
  if (!chunked_) {
    *out += piece;
    return;
  }
  fmt::format_to(std::back_inserter(*out), "{:x}\r\n", piece.size());
  *out += piece;
  *out += "\r\n";
}

ResponseWriter::Outcome ResponseWriter::Finish(std::string* rest) {
  if (gone_ || (started_ && (aborted_ || invalid_))) return Outcome::kBroken;
  if (aborted_ || invalid_) {
    Reset();
    status_ = 500;
    waiting_ = "the server made an invalid answer\n";
  }
  if (!started_) {
    // Whole: the length is known.
    started_ = true;
    if (waiting_.size() >= kGzipThreshold && WantsGzip()) {
      gzip_ = std::make_unique<GzipStream>();
      headers_.emplace_back("Content-Encoding", "gzip");
    }
    std::string body;
    const bool sends_body = !form_.head;
    if (gzip_) {
      gzip_->Compress(waiting_, GzipStream::End::kYes, &body);
    } else {
      body.swap(waiting_);
    }
    AppendHead(MayHaveBody() ? fmt::format("Content-Length: {}\r\n", body.size()) : "", rest);
    if (sends_body) {
      body_bytes_ = body.size();
      *rest += body;
    }
    return form_.keep_alive ? Outcome::kKeepAlive : Outcome::kClose;
  }
  AppendBody(GzipStream::End::kYes, rest);
  if (chunked_ && !form_.head) *rest += "0\r\n\r\n";
  return form_.keep_alive && chunked_ ? Outcome::kKeepAlive : Outcome::kClose;
}

}  // namespace aevum::net
