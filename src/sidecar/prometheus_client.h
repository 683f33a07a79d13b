// Talks to one Prometheus over its HTTP API.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/context.h"
#include "base/status.h"
#include "model/matcher.h"
#include "net/http/client.h"
#include "sidecar/prometheus_answers.h"

namespace aevum::sidecar {

// What the calls for labels and series select.
struct Selection {
  model::Matchers matchers;  // empty: everything, where the API allows it
  TimestampMs start = kMinTime;
  TimestampMs end = kMaxTime;
  std::int64_t limit = 0;  // 0: unlimited; Prometheus knows it since 2.55 and ignores it before
};

// Each call asks once, within the context's deadline; the body of an answer is charged to the
// context's budget. Errors name the URL. The code of an error follows the HTTP status: 400 is
// InvalidArgument, 404 NotFound, 429 ResourceExhausted, 401 and 403 their gRPC codes, 502 to 504
// Unavailable, others Internal; no answer and answers that are not Prometheus's are Unavailable.
// Thread-safe.
class PrometheusClient {
 public:
  // `base_url` may have a path, which stays before that of each call.
  PrometheusClient(std::string base_url, net::HttpClientOptions options);

  // InvalidArgument when it is not an http or https URL with a host and without query.
  static Status CheckBaseUrl(std::string_view base_url);

  StatusOr<std::string> ConfigYaml(const Context& context);
  // "0" for a Prometheus before 2.14, which does not tell.
  StatusOr<std::string> Version(const Context& context);
  StatusOr<std::map<std::string, std::string>> Flags(const Context& context);
  StatusOr<ConfigState> RuntimeInfo(const Context& context);
  StatusOr<TimestampMs> LowestTimestamp(const Context& context);

  StatusOr<StringsAnswer> LabelNames(const Context& context, const Selection& selection);
  StatusOr<StringsAnswer> LabelValues(const Context& context, std::string_view label,
                                      const Selection& selection);
  StatusOr<SeriesAnswer> Series(const Context& context, const Selection& selection);

  // Sends a ReadRequest, encoded and compressed. `on_content_type` comes before the first piece of
  // the body; an error of it or of the sink ends the transfer and is the result.
  Status RemoteRead(const Context& context, std::string read_request,
                    const std::function<Status(std::string_view)>& on_content_type,
                    const net::BodySink& sink);

  // GET of any other path of the API with parameters.
  struct Body {
    std::string bytes;
    MemoryCharge charge;
  };
  using Parameters = std::vector<std::pair<std::string, std::string>>;
  StatusOr<Body> Get(const Context& context, std::string_view path,
                     const Parameters& parameters = {});
  // Adds the URL to the error of reading such an answer.
  Status AnnotateAnswer(Status status, std::string_view path) const;

  Status Reload(const Context& context);

  const std::string& base_url() const { return base_url_; }

 private:
  StatusOr<Body> Send(const Context& context, const net::HttpClientRequest& request);
  // GET, or a form POST when the URL would be too long for servers and `post` allows it.
  StatusOr<Body> Select(const Context& context, std::string_view path, const Selection& selection,
                        bool post);

  const std::string base_url_;  // without '/' at the end
  net::HttpClient http_;
};

// A time as the API takes it: seconds with milliseconds as a decimal number, within what Prometheus
// can convert.
std::string FormatApiTime(TimestampMs time);

// The version is at least major.minor. False for text that is no version.
bool VersionAtLeast(std::string_view version, int major, int minor);

}  // namespace aevum::sidecar
