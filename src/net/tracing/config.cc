#include "net/tracing/config.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include <yaml-cpp/yaml.h>

#include "base/duration.h"
#include "net/grpc/socket.h"
#include "net/http/form.h"
#include "net/url.h"
#include "net/yaml_fields.h"

namespace aevum::net {
namespace {

constexpr std::int64_t kLargestQueue = 1'000'000;

// --- Values.

StatusOr<double> ParseNumber(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value))
    return InvalidArgument("not a number: \"{}\"", text);
  return value;
}

YamlReader YamlNumber(double* out) {
  return [out](const YAML::Node& node) {
    if (node.IsNull()) return OkStatus();
    const StatusOr<double> value = ParseNumber(node.IsScalar() ? node.Scalar() : "");
    if (!value.ok()) return YamlError(node, "not a number");
    *out = *value;
    return OkStatus();
  };
}

// As Go has it: "5s", or a whole number of nanoseconds. Never negative.
YamlReader YamlDuration(Nanoseconds* out) {
  return [out](const YAML::Node& node) {
    if (node.IsNull()) return OkStatus();
    std::int64_t nanoseconds = 0;
    if (node.IsScalar() && YAML::convert<std::int64_t>::decode(node, nanoseconds)) {
      *out = Nanoseconds(nanoseconds);
    } else {
      const StatusOr<Nanoseconds> value = ParseGoDuration(node.IsScalar() ? node.Scalar() : "");
      if (!value.ok()) return YamlError(node, "not a duration such as 10s");
      *out = *value;
    }
    return out->count() < 0 ? YamlError(node, "a negative duration") : OkStatus();
  };
}

using Pairs = std::vector<std::pair<std::string, std::string>>;

YamlReader YamlPairs(Pairs* out) {
  return [out](const YAML::Node& node) {
    if (node.IsNull()) return OkStatus();
    if (!node.IsMap()) return YamlError(node, "not a map of names and values");
    for (const auto& entry : node) {
      if (!entry.first.IsScalar() || !entry.second.IsScalar())
        return YamlError(entry.first, "neither name nor value may be a list or a map");
      out->emplace_back(entry.first.Scalar(), entry.second.Scalar());
    }
    return OkStatus();
  };
}

YamlReader YamlTls(HttpClientOptions* out) {
  return YamlMap("tls_config",
                 {{"ca_file", YamlString(&out->tls_ca_file)},
                  {"cert_file", YamlString(&out->tls_cert_file)},
                  {"key_file", YamlString(&out->tls_key_file)},
                  {"server_name", YamlString(&out->tls_server_name)},
                  {"insecure_skip_verify", YamlBool(&out->tls_insecure_skip_verify)}});
}

// "k=v, k2=v2" with values of the form "${NAME:default}".
StatusOr<Pairs> ParseTags(std::string_view text, const Environment& environment) {
  Pairs tags;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(','), text.size());
    const std::string_view pair = TrimBlanks(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    const std::size_t equal = pair.find('=');
    if (equal == std::string_view::npos || equal == 0)
      return InvalidArgument("tags: must be name=value, separated by commas, got \"{}\"", pair);
    std::string value(TrimBlanks(pair.substr(equal + 1)));
    if (value.starts_with("${") && value.ends_with("}")) {
      const std::string reference = value.substr(2, value.size() - 3);
      const std::size_t colon = reference.find(':');
      value = environment(reference.substr(0, colon)).value_or("");
      if (value.empty() && colon != std::string::npos) value = reference.substr(colon + 1);
    }
    tags.emplace_back(TrimBlanks(pair.substr(0, equal)), std::move(value));
  }
  return tags;
}

// --- OTLP.

struct OtlpFields {
  std::string client_type;
  Nanoseconds reconnection_period{0};
  Nanoseconds timeout{0};
  std::string compression;
  bool insecure = false;
  std::string endpoint;
  std::string url_path;
  bool retry_enabled = false;
  Nanoseconds retry_initial{0};
  Nanoseconds retry_max{0};
  Nanoseconds retry_total{0};
  Pairs headers;
  HttpClientOptions client;  // for its TLS
  std::string sampler_type;
  std::string sampler_param;
};

YamlReaders OtlpReaders(OtlpFields* fields, TraceResource* resource) {
  const YamlReaders retry = {{"retry_enabled", YamlBool(&fields->retry_enabled)},
                             {"retry_initial_interval", YamlDuration(&fields->retry_initial)},
                             {"retry_max_interval", YamlDuration(&fields->retry_max)},
                             {"retry_max_elapsed_time", YamlDuration(&fields->retry_total)}};
  return {{"client_type", YamlString(&fields->client_type)},
          {"service_name", YamlString(&resource->service_name)},
          {"resource_attributes", YamlPairs(&resource->attributes)},
          {"reconnection_period", YamlDuration(&fields->reconnection_period)},
          {"timeout", YamlDuration(&fields->timeout)},
          {"compression", YamlString(&fields->compression)},
          {"insecure", YamlBool(&fields->insecure)},
          {"endpoint", YamlString(&fields->endpoint)},
          {"url_path", YamlString(&fields->url_path)},
          {"retry_config", YamlMap("retry_config", retry)},
          {"headers", YamlPairs(&fields->headers)},
          {"tls_config", YamlTls(&fields->client)},
          {"sampler_type", YamlString(&fields->sampler_type)},
          {"sampler_param", YamlString(&fields->sampler_param)}};
}

StatusOr<SamplerOptions> OtlpSampler(const OtlpFields& fields) {
  std::string type = ToLower(fields.sampler_type);
  SamplerOptions sampler;
  if (type.empty()) return sampler;
  const bool follows = type.starts_with("parentbased");
  sampler.follow_sampled_parent = follows;
  sampler.follow_unsampled_parent = follows;
  if (follows) type.erase(0, std::string_view("parentbased").size());
  if (type == "alwayssample") {
    sampler.kind = SamplerKind::kAlways;
  } else if (type == "neversample") {
    sampler.kind = SamplerKind::kNever;
  } else if (type == "traceidratiobased") {
    sampler.kind = SamplerKind::kRatio;
    const StatusOr<double> share = ParseNumber(fields.sampler_param);
    if (!share.ok()) return Annotate(share.status(), "sampler_param");
    sampler.param = *share;
  } else {
    return InvalidArgument(
        "sampler_type: must be alwayssample, neversample or traceidratiobased, each also with "
        "parentbased before it, got \"{}\"",
        fields.sampler_type);
  }
  return sampler;
}

Status SetOtlpTimes(const OtlpFields& fields, TracerOptions* tracer) {
  if (fields.timeout.count() > 0) tracer->export_timeout = fields.timeout;
  if (!fields.retry_enabled) return OkStatus();
  if (fields.retry_initial.count() > 0) tracer->retry_first = fields.retry_initial;
  if (fields.retry_max.count() > 0) tracer->retry_longest = fields.retry_max;
  if (fields.retry_total.count() > 0) tracer->retry_total = fields.retry_total;
  if (tracer->retry_first > tracer->retry_longest)
    return InvalidArgument("retry_config: retry_initial_interval is above retry_max_interval");
  return OkStatus();
}

Status CheckHeaders(const Pairs& headers) {
  for (const auto& [name, value] : headers) {
    const bool good_name = !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
             c == '-' || c == '_' || c == '.';
    });
    const bool good_value =
        std::all_of(value.begin(), value.end(), [](char c) { return c >= 0x20 && c <= 0x7e; });
    if (!good_name || !good_value)
      return InvalidArgument("headers: a name or value that can't be sent: \"{}\"", name);
  }
  return OkStatus();
}

Status SetOtlpExporter(const OtlpFields& fields, TracingConfig* config) {
  const bool grpc = fields.client_type == "grpc";
  const std::string endpoint = !fields.endpoint.empty() ? fields.endpoint
                               : grpc                   ? "localhost:4317"
                                                        : "localhost:4318";
  if (endpoint.find("://") != std::string::npos || !grpc::SplitHostPort(endpoint).ok())
    return InvalidArgument(
        "endpoint: must be host:port without scheme and path (see insecure and url_path), got "
        "\"{}\"",
        endpoint);
  if (grpc) {
    if (fields.compression == "gzip")
      config->without_effect.emplace_back("compression: messages over gRPC are sent as they are");
    OtlpGrpcOptions options;
    options.channel.address = endpoint;
    options.channel.tls = {.enabled = !fields.insecure,
                           .insecure_skip_verify = fields.client.tls_insecure_skip_verify,
                           .cert_file = fields.client.tls_cert_file,
                           .key_file = fields.client.tls_key_file,
                           .ca_file = fields.client.tls_ca_file,
                           .server_name = fields.client.tls_server_name,
                           .min_version = "1.2"};
    for (const auto& [name, value] : fields.headers)
      options.headers.emplace_back(ToLower(name), value);
    config->exporter = std::move(options);
    return OkStatus();
  }
  OtlpHttpOptions options;
  const std::string path = fields.url_path.empty() ? "/v1/traces" : fields.url_path;
  options.url = fmt::format("{}://{}{}{}", fields.insecure ? "http" : "https", endpoint,
                            path.starts_with('/') ? "" : "/", path);
  RETURN_IF_ERROR(Annotate(Url::Parse(options.url).status(), "endpoint and url_path"));
  options.headers = fields.headers;
  options.client = fields.client;
  if (fields.compression == "gzip") options.compression = OtlpCompression::kGzip;
  config->exporter = std::move(options);
  return OkStatus();
}

Status ReadOtlp(const YAML::Node& node, TracingConfig* config) {
  OtlpFields fields;
  RETURN_IF_ERROR(ReadYamlMap(node, "config", OtlpReaders(&fields, &config->resource)));
  if (fields.client_type != "grpc" && fields.client_type != "http")
    return InvalidArgument("client_type: must be grpc or http, got \"{}\"", fields.client_type);
  if (!fields.compression.empty() && fields.compression != "gzip" && fields.compression != "none")
    return InvalidArgument("compression: must be gzip or none, got \"{}\"", fields.compression);
  if (fields.client.tls_cert_file.empty() != fields.client.tls_key_file.empty())
    return InvalidArgument("tls_config: cert_file and key_file go together");
  RETURN_IF_ERROR(CheckHeaders(fields.headers));
  ASSIGN_OR_RETURN(config->tracer.sampler, OtlpSampler(fields));
  RETURN_IF_ERROR(SetOtlpTimes(fields, &config->tracer));
  if (fields.reconnection_period.count() > 0)
    config->without_effect.emplace_back("reconnection_period: a lost connection is dialled anew");
  return SetOtlpExporter(fields, config);
}

// --- Jaeger.

struct JaegerFields {
  bool disabled = false;
  bool rpc_metrics = false;
  std::string tags;
  std::string sampler_type = "ratelimiting";
  double sampler_param = 0;
  bool local_parent_sampled = false;
  bool remote_parent_sampled = false;
  std::int64_t queue = 0;
  Nanoseconds flush_interval{0};
  std::string endpoint;
  std::string user;
  std::string password;
  std::string agent_host;
  std::int64_t agent_port = 0;
  // Read for their form: they are about the remote sampler, or do nothing in Thanos either.
  std::string unused_text;
  std::int64_t unused_number = 0;
  double unused_rate = 0;
  Nanoseconds unused_time{0};
  bool unused_flag = false;
};

YamlReaders JaegerReaders(JaegerFields* fields, TraceResource* resource) {
  const YamlReaders parents = {{"local_parent_sampled", YamlBool(&fields->local_parent_sampled)},
                               {"remote_parent_sampled", YamlBool(&fields->remote_parent_sampled)}};
  return {{"service_name", YamlString(&resource->service_name)},
          {"disabled", YamlBool(&fields->disabled)},
          {"rpc_metrics", YamlBool(&fields->rpc_metrics)},
          {"tags", YamlString(&fields->tags)},
          {"sampler_type", YamlString(&fields->sampler_type)},
          {"sampler_param", YamlNumber(&fields->sampler_param)},
          {"sampler_manager_host_port", YamlString(&fields->unused_text)},
          {"sampling_server_url", YamlString(&fields->unused_text)},
          {"sampler_max_operations", YamlInt(&fields->unused_number)},
          {"sampler_refresh_interval", YamlDuration(&fields->unused_time)},
          {"sampler_parent_config", YamlMap("sampler_parent_config", parents)},
          {"operation_name_late_binding", YamlBool(&fields->unused_flag)},
          {"initial_sampler_rate", YamlNumber(&fields->unused_rate)},
          {"reporter_max_queue_size", YamlInt(&fields->queue)},
          {"reporter_flush_interval", YamlDuration(&fields->flush_interval)},
          {"reporter_log_spans", YamlBool(&fields->unused_flag)},
          {"reporter_disable_attempt_reconnecting", YamlBool(&fields->unused_flag)},
          {"reporter_attempt_reconnect_interval", YamlDuration(&fields->unused_time)},
          {"endpoint", YamlString(&fields->endpoint)},
          {"user", YamlString(&fields->user)},
          {"password", YamlString(&fields->password)},
          {"agent_host", YamlString(&fields->agent_host)},
          {"agent_port", YamlInt(&fields->agent_port)},
          {"traceid_128bit", YamlBool(&fields->unused_flag)}};
}

StatusOr<SamplerOptions> JaegerSampler(const JaegerFields& fields, TracingConfig* config) {
  SamplerOptions sampler;
  sampler.param = fields.sampler_param;
  sampler.follow_sampled_parent = !fields.remote_parent_sampled;
  if (fields.local_parent_sampled)
    return InvalidArgument(
        "sampler_parent_config: local_parent_sampled would leave parts out of a trace; leave it "
        "out");
  if (fields.sampler_type == "const") {
    sampler.kind = fields.sampler_param >= 0.5 ? SamplerKind::kAlways : SamplerKind::kNever;
  } else if (fields.sampler_type == "probabilistic") {
    sampler.kind = SamplerKind::kRatio;
  } else if (fields.sampler_type == "ratelimiting") {
    sampler.kind = SamplerKind::kRateLimit;
    if (!(fields.sampler_param > 0))
      config->without_effect.emplace_back(
          "sampler_type ratelimiting without sampler_param: only traces that others began or "
          "that a header forces are recorded");
  } else if (fields.sampler_type == "remote") {
    return InvalidArgument(
        "sampler_type: this version does not ask a sampling server; use probabilistic or "
        "ratelimiting with sampler_param, or leave the choice to a collector that samples");
  } else {
    return InvalidArgument(
        "sampler_type: must be const, probabilistic, ratelimiting or remote, got \"{}\"",
        fields.sampler_type);
  }
  return sampler;
}

Status SetJaegerExporter(const JaegerFields& fields, TracingConfig* config) {
  if (!fields.endpoint.empty()) {
    const StatusOr<Url> url = Url::Parse(fields.endpoint);
    if (!url.ok() || (url->scheme != "http" && url->scheme != "https") || url->host.empty())
      return InvalidArgument("endpoint: must be a URL such as http://host:14268/api/traces");
    JaegerHttpOptions options;
    options.url = fields.endpoint;
    options.client.basic_auth_username = fields.user;
    options.client.basic_auth_password = fields.password;
    config->exporter = std::move(options);
    return OkStatus();
  }
  JaegerAgentOptions options;
  if (!fields.agent_host.empty() && fields.agent_port != 0) {
    if (fields.agent_port < 1 || fields.agent_port > UINT16_MAX)
      return InvalidArgument("agent_port: no port: {}", fields.agent_port);
    options.host = fields.agent_host;
    options.port = static_cast<std::uint16_t>(fields.agent_port);
  } else if (!fields.agent_host.empty() || fields.agent_port != 0) {
    return InvalidArgument("agent_host and agent_port go together");
  }
  config->exporter = std::move(options);
  return OkStatus();
}

Status ReadJaeger(const YAML::Node& node, const Environment& environment, TracingConfig* config) {
  JaegerFields fields;
  RETURN_IF_ERROR(ReadYamlMap(node, "config", JaegerReaders(&fields, &config->resource)));
  ASSIGN_OR_RETURN(config->resource.attributes, ParseTags(fields.tags, environment));
  ASSIGN_OR_RETURN(config->tracer.sampler, JaegerSampler(fields, config));
  if (fields.queue < 0 || fields.queue > kLargestQueue)
    return InvalidArgument("reporter_max_queue_size: must be 0 to {}, got {}", kLargestQueue,
                           fields.queue);
  TracerOptions& tracer = config->tracer;
  if (fields.queue > 0) {
    tracer.queue_spans = static_cast<std::size_t>(fields.queue);
    tracer.batch_spans = std::min(tracer.batch_spans, tracer.queue_spans);
  }
  if (fields.flush_interval.count() > 0) tracer.flush_interval = fields.flush_interval;
  if (fields.disabled)
    config->without_effect.emplace_back("disabled: as in Thanos, nothing is off");
  if (fields.rpc_metrics) config->without_effect.emplace_back("rpc_metrics");
  return SetJaegerExporter(fields, config);
}

// --- The types.

Status NotAvailable(std::string_view type, std::string_view instead) {
  return InvalidArgument("type {} is not available in this version; {}", type, instead);
}

Status ReadType(const std::string& given, const YAML::Node& node, const Environment& environment,
                TracingConfig* config) {
  const std::string type = ToLower(given);
  if (type == "otlp") return Annotate(ReadOtlp(node, config), "OTLP");
  if (type == "jaeger") return Annotate(ReadJaeger(node, environment, config), "JAEGER");
  if (type == "google_cloud" || type == "stackdriver")
    return NotAvailable(
        given, "use type OTLP to an OpenTelemetry Collector with the exporter googlecloud");
  if (type == "elastic_apm")
    return NotAvailable(given, "use type OTLP: Elastic's APM Server takes it at its own address");
  if (type == "lightstep")
    return NotAvailable(given,
                        "use type OTLP to its ingest address with the access token in headers as "
                        "lightstep-access-token");
  return InvalidArgument("type: must be OTLP or JAEGER, got \"{}\"", given);
}

}  // namespace

StatusOr<TracingConfig> ParseTracingConfig(std::string_view yaml, std::string_view service_name,
                                           const Environment& environment) {
  TracingConfig config;
  const auto read = [&](const YAML::Node& root) {
    std::string type;
    YAML::Node inner;
    const auto keep = [&inner](const YAML::Node& node) {
      inner.reset(node);
      return OkStatus();
    };
    RETURN_IF_ERROR(ReadYamlMap(root, "the tracing configuration",
                                {{"type", YamlString(&type)}, {"config", keep}}));
    return ReadType(type, inner, environment, &config);
  };
  RETURN_IF_ERROR(Annotate(WithYaml(yaml, read), "tracing configuration"));
  if (config.resource.service_name.empty()) config.resource.service_name = service_name;
  return config;
}

std::unique_ptr<SpanExporter> MakeExporter(const TracingConfig& config) {
  struct Maker {
    const TraceResource& resource;
    std::unique_ptr<SpanExporter> operator()(const OtlpHttpOptions& options) const {
      return MakeOtlpHttpExporter(resource, options);
    }
    std::unique_ptr<SpanExporter> operator()(const OtlpGrpcOptions& options) const {
      return MakeOtlpGrpcExporter(resource, options);
    }
    std::unique_ptr<SpanExporter> operator()(const JaegerHttpOptions& options) const {
      return MakeJaegerHttpExporter(resource, options);
    }
    std::unique_ptr<SpanExporter> operator()(const JaegerAgentOptions& options) const {
      return MakeJaegerAgentExporter(resource, options.host, options.port);
    }
  };
  return std::visit(Maker{config.resource}, config.exporter);
}

}  // namespace aevum::net
