#include "sidecar/prometheus_client.h"

#include <algorithm>
#include <charconv>

#include "net/url.h"

namespace aevum::sidecar {
namespace {

constexpr std::string_view kUserAgent = "aevum-sidecar";

// Many servers and proxies refuse request lines beyond 8 KiB.
constexpr std::size_t kLongestUrl = 6 << 10;

// The range of times that Prometheus's API can convert without overflow.
constexpr TimestampMs kEarliest = (INT64_MIN / 1000 + 62'135'596'801) * 1000;
constexpr TimestampMs kLatest = (INT64_MAX / 1000 - 62'135'596'801) * 1000;

StatusCode CodeOf(int http_status) {
  switch (http_status) {
    case 400:
      return StatusCode::kInvalidArgument;
    case 401:
      return StatusCode::kUnauthenticated;
    case 403:
      return StatusCode::kPermissionDenied;
    case 404:
      return StatusCode::kNotFound;
    case 429:
      return StatusCode::kResourceExhausted;
    case 502:
    case 503:
    case 504:
      return StatusCode::kUnavailable;
    default:
      return StatusCode::kInternal;
  }
}

std::string WithoutTrailingSlash(std::string url) {
  while (url.ends_with('/')) url.pop_back();
  return url;
}

// Without user and password.
std::string Shown(const std::string& url) {
  const StatusOr<net::Url> parsed = net::Url::Parse(url);
  if (!parsed.ok()) return "the URL of Prometheus";
  net::Url shown = *parsed;
  shown.query.clear();
  return shown.ToString();
}

Status ErrorOf(const net::HttpClientResponse& response, const std::string& url) {
  return MakeError(CodeOf(response.status),
                   fmt::format("{} answered with status {}: {}", Shown(url), response.status,
                               ParseErrorText(response.body)));
}

bool IsSuccess(const net::HttpClientResponse& response) {
  return response.status >= 200 && response.status < 300;
}

// The names that Thanos gives to these calls in traces.
std::string_view SpanNameOf(std::string_view path) {
  if (path.ends_with("/values")) return "/prom_label_values HTTP[client]";
  constexpr std::pair<std::string_view, std::string_view> kNames[] = {
      {"/api/v1/labels", "/prom_label_names HTTP[client]"},
      {"/api/v1/series", "/prom_series HTTP[client]"},
      {"/api/v1/rules", "/prom_rules HTTP[client]"},
      {"/api/v1/targets", "/prom_targets HTTP[client]"},
      {"/api/v1/metadata", "/prom_metric_metadata HTTP[client]"},
      {"/api/v1/query_exemplars", "/prom_exemplars HTTP[client]"},
      {"/api/v1/status/tsdb", "/prom_status_tsdb HTTP[client]"},
  };
  for (const auto& [known, name] : kNames)
    if (path == known) return name;
  return "/prom HTTP[client]";
}

// Adds the URL to the errors of reading an answer.
template <typename T>
StatusOr<T> At(StatusOr<T> result, const std::string& url) {
  if (result.ok()) return result;
  return Annotate(result.status(), Shown(url));
}

}  // namespace

PrometheusClient::PrometheusClient(std::string base_url, net::HttpClientOptions options)
    : base_url_(WithoutTrailingSlash(std::move(base_url))), http_(std::move(options)) {}

Status PrometheusClient::CheckBaseUrl(std::string_view base_url) {
  const StatusOr<net::Url> url = net::Url::Parse(base_url);
  if (!url.ok()) return url.status();
  if (url->scheme != "http" && url->scheme != "https") {
    return InvalidArgument("the URL of Prometheus must start with http:// or https://: {}",
                           base_url);
  }
  if (url->host.empty()) return InvalidArgument("the URL of Prometheus has no host: {}", base_url);
  if (!url->query.empty()) {
    return InvalidArgument("the URL of Prometheus must not have a query: {}", url->ToString());
  }
  return OkStatus();
}

StatusOr<PrometheusClient::Body> PrometheusClient::Send(const Context& context,
                                                        const net::HttpClientRequest& request) {
  Body body{.bytes = {}, .charge = MemoryCharge(context.budget())};
  const auto sink = [&](std::string_view piece) {
    RETURN_IF_ERROR(
        body.charge.Add(static_cast<std::int64_t>(piece.size()), "answer of Prometheus"));
    body.bytes += piece;
    return OkStatus();
  };
  ASSIGN_OR_RETURN(const net::HttpClientResponse response, http_.Stream(context, request, sink));
  if (!IsSuccess(response)) return ErrorOf(response, request.url);
  return body;
}

StatusOr<PrometheusClient::Body> PrometheusClient::Get(const Context& context,
                                                       std::string_view path,
                                                       const Parameters& parameters) {
  net::HttpClientRequest request;
  request.url = base_url_ + std::string(path);
  request.span_name = SpanNameOf(path);
  char separator = '?';
  for (const auto& [name, value] : parameters) {
    request.url +=
        fmt::format("{}{}={}", separator, net::PercentEncode(name), net::PercentEncode(value));
    separator = '&';
  }
  request.headers.emplace_back("User-Agent", kUserAgent);
  return Send(context, request);
}

StatusOr<PrometheusClient::Body> PrometheusClient::Select(const Context& context,
                                                          std::string_view path,
                                                          const Selection& selection, bool post) {
  std::string query;
  const auto add = [&](std::string_view name, std::string_view value) {
    query += fmt::format("{}{}={}", query.empty() ? "" : "&", net::PercentEncode(name),
                         net::PercentEncode(value));
  };
  if (!selection.matchers.empty()) add("match[]", model::ToString(selection.matchers));
  add("start", FormatApiTime(selection.start));
  add("end", FormatApiTime(selection.end));
  if (selection.limit > 0) add("limit", fmt::format("{}", selection.limit));

  net::HttpClientRequest request;
  request.url = base_url_ + std::string(path);
  request.span_name = SpanNameOf(path);
  request.headers.emplace_back("User-Agent", kUserAgent);
  if (post && request.url.size() + query.size() > kLongestUrl) {
    request.method = "POST";
    request.headers.emplace_back("Content-Type", "application/x-www-form-urlencoded");
    request.body = std::move(query);
  } else {
    request.url += "?" + query;
  }
  return Send(context, request);
}

StatusOr<std::string> PrometheusClient::ConfigYaml(const Context& context) {
  constexpr std::string_view kPath = "/api/v1/status/config";
  ASSIGN_OR_RETURN(const Body body, Get(context, kPath));
  return At(ParseConfigAnswer(body.bytes), base_url_ + std::string(kPath));
}

StatusOr<std::string> PrometheusClient::Version(const Context& context) {
  constexpr std::string_view kPath = "/api/v1/status/buildinfo";
  net::HttpClientRequest request;
  request.url = base_url_ + std::string(kPath);
  request.headers.emplace_back("User-Agent", kUserAgent);
  ASSIGN_OR_RETURN(const net::HttpClientResponse response, http_.Do(context, request));
  if (response.status == 404 || response.status == 405) return std::string("0");
  if (!IsSuccess(response)) return ErrorOf(response, request.url);
  return At(ParseVersionAnswer(response.body), request.url);
}

StatusOr<std::map<std::string, std::string>> PrometheusClient::Flags(const Context& context) {
  constexpr std::string_view kPath = "/api/v1/status/flags";
  ASSIGN_OR_RETURN(const Body body, Get(context, kPath));
  return At(ParseFlagsAnswer(body.bytes), base_url_ + std::string(kPath));
}

StatusOr<ConfigState> PrometheusClient::RuntimeInfo(const Context& context) {
  constexpr std::string_view kPath = "/api/v1/status/runtimeinfo";
  ASSIGN_OR_RETURN(const Body body, Get(context, kPath));
  return At(ParseRuntimeInfoAnswer(body.bytes), base_url_ + std::string(kPath));
}

StatusOr<TimestampMs> PrometheusClient::LowestTimestamp(const Context& context) {
  ASSIGN_OR_RETURN(const Body body, Get(context, "/metrics"));
  return ParseLowestTimestamp(body.bytes);
}

StatusOr<StringsAnswer> PrometheusClient::LabelNames(const Context& context,
                                                     const Selection& selection) {
  constexpr std::string_view kPath = "/api/v1/labels";
  ASSIGN_OR_RETURN(const Body body, Select(context, kPath, selection, true));
  return At(ParseStringsAnswer(body.bytes), base_url_ + std::string(kPath));
}

StatusOr<StringsAnswer> PrometheusClient::LabelValues(const Context& context,
                                                      std::string_view label,
                                                      const Selection& selection) {
  const std::string path = fmt::format("/api/v1/label/{}/values", net::PercentEncode(label));
  ASSIGN_OR_RETURN(const Body body, Select(context, path, selection, false));
  return At(ParseStringsAnswer(body.bytes), base_url_ + path);
}

StatusOr<SeriesAnswer> PrometheusClient::Series(const Context& context,
                                                const Selection& selection) {
  constexpr std::string_view kPath = "/api/v1/series";
  ASSIGN_OR_RETURN(const Body body, Select(context, kPath, selection, true));
  return At(ParseSeriesAnswer(body.bytes), base_url_ + std::string(kPath));
}

Status PrometheusClient::RemoteRead(const Context& context, std::string read_request,
                                    const std::function<Status(std::string_view)>& on_content_type,
                                    const net::BodySink& sink) {
  net::HttpClientRequest request;
  request.method = "POST";
  request.url = base_url_ + "/api/v1/read";
  request.headers = {{"User-Agent", std::string(kUserAgent)},
                     {"Content-Type", "application/x-protobuf"},
                     {"Content-Encoding", "snappy"},
                     {"X-Prometheus-Remote-Read-Version", "0.1.0"}};
  request.body = std::move(read_request);
  const auto on_head = [&](const net::HttpClientResponse& head) {
    return on_content_type(head.Header("Content-Type"));
  };
  ASSIGN_OR_RETURN(const net::HttpClientResponse response,
                   http_.Stream(context, request, sink, on_head));
  return IsSuccess(response) ? OkStatus() : ErrorOf(response, request.url);
}

Status PrometheusClient::AnnotateAnswer(Status status, std::string_view path) const {
  return Annotate(std::move(status), Shown(base_url_ + std::string(path)));
}

Status PrometheusClient::Reload(const Context& context) {
  net::HttpClientRequest request;
  request.method = "POST";
  request.url = base_url_ + "/-/reload";
  request.headers.emplace_back("User-Agent", kUserAgent);
  ASSIGN_OR_RETURN(const net::HttpClientResponse response, http_.Do(context, request));
  if (response.status == 200) return OkStatus();
  return Annotate(
      ErrorOf(response, request.url),
      response.status == 403 ? "Prometheus needs the flag --web.enable-lifecycle" : "reload");
}

std::string FormatApiTime(TimestampMs time) {
  time = std::clamp(time, kEarliest, kLatest);
  const std::int64_t rest = time % 1000;
  std::string text = fmt::format("{}{}", time < 0 ? "-" : "", std::abs(time / 1000));
  if (rest != 0) text += fmt::format(".{:03}", std::abs(rest));
  return text;
}

bool VersionAtLeast(std::string_view version, int major, int minor) {
  int got_major = 0;
  int got_minor = 0;
  const char* const end = version.data() + version.size();
  const auto first = std::from_chars(version.data(), end, got_major);
  if (first.ec != std::errc() || first.ptr == end || *first.ptr != '.') return false;
  if (std::from_chars(first.ptr + 1, end, got_minor).ec != std::errc()) return false;
  return std::pair(got_major, got_minor) >= std::pair(major, minor);
}

}  // namespace aevum::sidecar
