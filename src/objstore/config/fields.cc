#include "objstore/config/fields.h"

#include <yaml-cpp/yaml.h>

#include "base/duration.h"

namespace aevum::objstore {
namespace {

// Where Go's transport waits for a connection; fixed in Thanos.
constexpr std::chrono::seconds kDialTimeout{30};
// More are as good as without end.
constexpr std::int64_t kMaxAttempts = 1'000'000;

// Those that all have, and `more`.
Status ReadHttpFields(const YAML::Node& node, HttpConfig* out, const net::YamlReaders& more) {
  std::chrono::milliseconds handshake{10'000};
  std::chrono::milliseconds unused{0};
  auto idle = static_cast<std::int64_t>(out->client.max_idle_connections);
  auto idle_per_host = static_cast<std::int64_t>(out->client.max_idle_connections_per_host);
  bool disable_compression = false;  // objects are never decoded, whatever this says
  bool skip_verify = false;
  net::YamlReaders fields = {
      {"idle_conn_timeout", ReadDuration(&out->client.idle_timeout)},
      {"response_header_timeout", ReadDuration(&out->client.response_header_timeout)},
      {"insecure_skip_verify", net::YamlBool(&skip_verify)},
      {"tls_handshake_timeout", ReadDuration(&handshake)},
      // Nothing here waits for "100 Continue".
      {"expect_continue_timeout", ReadDuration(&unused)},
      {"max_idle_conns", ReadCount(&idle)},
      {"max_idle_conns_per_host", ReadCount(&idle_per_host)},
      {"max_conns_per_host", ReadCount(&out->max_connections)},
      {"disable_compression", net::YamlBool(&disable_compression)},
  };
  fields.insert(fields.end(), more.begin(), more.end());
  RETURN_IF_ERROR(net::ReadYamlMap(node, "http_config", fields));
  out->client.tls_insecure_skip_verify = skip_verify;
  out->client.connect_timeout = kDialTimeout + handshake;
  out->client.max_idle_connections = static_cast<std::size_t>(std::min(idle, idle_per_host));
  out->client.max_idle_connections_per_host = out->client.max_idle_connections;
  return RequireBoth("cert_file", !out->client.tls_cert_file.empty(), "key_file",
                     !out->client.tls_key_file.empty());
}

}  // namespace

HttpConfig::HttpConfig() {
  client.max_idle_connections = 100;
  client.max_idle_connections_per_host = 100;
  client.response_header_timeout = std::chrono::minutes(2);
  client.connect_timeout = kDialTimeout + std::chrono::seconds(10);
  client.disable_compression = true;
  // A signature holds for one host only, and credentials must not travel to another.
  client.follow_redirects = false;
  client.proxy_from_environment = true;
}

net::YamlReader ReadHttpConfig(HttpConfig* out) {
  return [out](const YAML::Node& node) {
    bool skip_verify = false;  // the outer one decides, as in Thanos
    const net::YamlReaders tls_config = {
        {"ca_file", net::YamlString(&out->client.tls_ca_file)},
        {"cert_file", net::YamlString(&out->client.tls_cert_file)},
        {"key_file", net::YamlString(&out->client.tls_key_file)},
        {"server_name", net::YamlString(&out->client.tls_server_name)},
        {"insecure_skip_verify", net::YamlBool(&skip_verify)},
    };
    return ReadHttpFields(node, out, {{"tls_config", net::YamlMap("tls_config", tls_config)}});
  };
}

net::YamlReader ReadOciHttpConfig(HttpConfig* out, std::chrono::milliseconds* client_timeout) {
  return [out, client_timeout](const YAML::Node& node) {
    const net::YamlReader read_timeout = [client_timeout](const YAML::Node& value) {
      std::string text;
      RETURN_IF_ERROR(net::YamlString(&text)(value));
      if (text.empty()) return OkStatus();
      const StatusOr<Nanoseconds> timeout = ParseGoDuration(text);
      if (!timeout.ok()) return net::YamlError(value, std::string(timeout.status().message()));
      if (timeout->count() < 0) return net::YamlError(value, "a negative duration");
      *client_timeout = std::chrono::duration_cast<std::chrono::milliseconds>(*timeout);
      return OkStatus();
    };
    return ReadHttpFields(node, out, {{"client_timeout", read_timeout}});
  };
}

net::YamlReader ReadDuration(std::chrono::milliseconds* out) {
  return [out](const YAML::Node& node) {
    std::string text;
    RETURN_IF_ERROR(net::YamlString(&text)(node));
    if (text.empty()) return OkStatus();
    const StatusOr<Nanoseconds> duration = ParsePrometheusDuration(text);
    if (!duration.ok()) return net::YamlError(node, std::string(duration.status().message()));
    *out = std::chrono::duration_cast<std::chrono::milliseconds>(*duration);
    return OkStatus();
  };
}

net::YamlReader ReadCount(std::int64_t* out) {
  return [out](const YAML::Node& node) {
    RETURN_IF_ERROR(net::YamlInt(out)(node));
    return *out < 0 ? net::YamlError(node, "a negative number") : OkStatus();
  };
}

int AttemptsOf(std::int64_t count) { return static_cast<int>(std::min(count, kMaxAttempts)); }

net::YamlReader ReadTextMap(Fields* out) {
  return [out](const YAML::Node& node) {
    if (node.IsNull()) return OkStatus();
    if (!node.IsMap()) return net::YamlError(node, "not a map");
    for (const auto& entry : node) {
      if (!entry.first.IsScalar() || !entry.second.IsScalar()) {
        return net::YamlError(entry.first, "not a pair of texts");
      }
      out->emplace_back(entry.first.Scalar(), entry.second.Scalar());
    }
    return OkStatus();
  };
}

Status RequireField(std::string_view name, std::string_view value) {
  return value.empty() ? InvalidArgument("{} is not given", name) : OkStatus();
}

Status RequireBoth(std::string_view first, bool has_first, std::string_view second,
                   bool has_second) {
  if (has_first == has_second) return OkStatus();
  return InvalidArgument("{} and {} go together", first, second);
}

}  // namespace aevum::objstore
