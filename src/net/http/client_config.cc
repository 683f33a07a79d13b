#include <yaml-cpp/yaml.h>

#include "net/http/client.h"
#include "net/yaml_fields.h"

namespace aevum::net {
namespace {

Status Check(const HttpClientOptions& options) {
  if (!options.basic_auth_password.empty() && !options.basic_auth_password_file.empty()) {
    return InvalidArgument("basic_auth: both password and password_file are set");
  }
  if (!options.bearer_token.empty() && !options.bearer_token_file.empty()) {
    return InvalidArgument("both bearer_token and bearer_token_file are set");
  }
  const bool bearer = !options.bearer_token.empty() || !options.bearer_token_file.empty();
  const bool basic = !options.basic_auth_username.empty() || !options.basic_auth_password.empty() ||
                     !options.basic_auth_password_file.empty();
  if (bearer && basic) return InvalidArgument("both basic_auth and a bearer token are set");
  if (options.tls_cert_file.empty() != options.tls_key_file.empty()) {
    return InvalidArgument("tls_config: cert_file and key_file go together");
  }
  return OkStatus();
}

// A count or a number of nanoseconds, never negative.
YamlReader NotNegative(std::int64_t* out) {
  return [out](const YAML::Node& node) {
    RETURN_IF_ERROR(YamlInt(out)(node));
    return *out < 0 ? YamlError(node, "a negative number") : OkStatus();
  };
}

std::chrono::milliseconds FromNanoseconds(std::int64_t nanoseconds) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
      std::chrono::nanoseconds(nanoseconds));
}

std::int64_t ToNanoseconds(std::chrono::milliseconds time) {
  return std::chrono::nanoseconds(time).count();
}

}  // namespace

StatusOr<HttpClientOptions> ParseHttpClientConfig(std::string_view yaml) {
  HttpClientOptions options;
  auto idle = static_cast<std::int64_t>(options.max_idle_connections);
  auto idle_per_host = static_cast<std::int64_t>(options.max_idle_connections_per_host);
  std::int64_t idle_timeout = ToNanoseconds(options.idle_timeout);
  std::int64_t header_timeout = ToNanoseconds(options.response_header_timeout);
  std::int64_t dial_timeout = ToNanoseconds(options.connect_timeout);
  // Read for their form. libcurl's time to connect includes the handshake, nothing here waits for
  // "100 Continue", and connections are as many as concurrent calls.
  std::int64_t unused = 0;
  const YamlReaders basic_auth = {
      {"username", YamlString(&options.basic_auth_username)},
      {"password", YamlString(&options.basic_auth_password)},
      {"password_file", YamlString(&options.basic_auth_password_file)},
  };
  const YamlReaders tls_config = {
      {"ca_file", YamlString(&options.tls_ca_file)},
      {"cert_file", YamlString(&options.tls_cert_file)},
      {"key_file", YamlString(&options.tls_key_file)},
      {"server_name", YamlString(&options.tls_server_name)},
      {"insecure_skip_verify", YamlBool(&options.tls_insecure_skip_verify)},
  };
  const YamlReaders transport_config = {
      {"max_idle_conns", NotNegative(&idle)},
      {"max_idle_conns_per_host", NotNegative(&idle_per_host)},
      {"idle_conn_timeout", NotNegative(&idle_timeout)},
      {"response_header_timeout", NotNegative(&header_timeout)},
      {"expect_continue_timeout", NotNegative(&unused)},
      {"max_conns_per_host", NotNegative(&unused)},
      {"disable_compression", YamlBool(&options.disable_compression)},
      {"tls_handshake_timeout", NotNegative(&unused)},
      {"dialer_timeout", NotNegative(&dial_timeout)},
  };
  const YamlReaders fields = {
      {"basic_auth", YamlMap("basic_auth", basic_auth)},
      {"bearer_token", YamlString(&options.bearer_token)},
      {"bearer_token_file", YamlString(&options.bearer_token_file)},
      {"proxy_url", YamlString(&options.proxy_url)},
      {"tls_config", YamlMap("tls_config", tls_config)},
      {"transport_config", YamlMap("transport_config", transport_config)},
  };
  RETURN_IF_ERROR(Annotate(WithYaml(yaml, YamlMap("the HTTP client configuration", fields)),
                           "HTTP client configuration"));
  RETURN_IF_ERROR(Annotate(Check(options), "HTTP client configuration"));
  options.max_idle_connections = static_cast<std::size_t>(idle);
  options.max_idle_connections_per_host = static_cast<std::size_t>(idle_per_host);
  options.idle_timeout = FromNanoseconds(idle_timeout);
  options.response_header_timeout = FromNanoseconds(header_timeout);
  options.connect_timeout = FromNanoseconds(dial_timeout);
  return options;
}

}  // namespace aevum::net
