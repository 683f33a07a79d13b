#include "query/endpoint_config.h"

#include <yaml-cpp/yaml.h>
#include <nlohmann/json.hpp>

namespace aevum::query {
namespace {

std::string Text(const YAML::Node& node, const std::string& otherwise) {
  return node && node.IsScalar() ? node.Scalar() : otherwise;
}

bool Given(const YAML::Node& node) { return node && !node.IsNull(); }

// Whether a client_config says anything about TLS; what is no mapping does, and is refused.
bool SaysTls(const YAML::Node& node) {
  if (!node || !node.IsMap()) return false;
  const YAML::Node tls = node["tls_config"];
  return (Given(tls) && (!tls.IsMap() || tls.size() > 0)) || !Text(node["server_name"], "").empty();
}

StatusOr<net::grpc::ClientTls> ReadTls(const YAML::Node& node, const net::grpc::ClientTls& base) {
  net::grpc::ClientTls tls = base;
  // The name belongs to the rest, and is not inherited.
  tls.server_name = Text(node["server_name"], "");
  const YAML::Node fields = node["tls_config"];
  if (!Given(fields)) return tls;
  if (!fields.IsMap()) return InvalidArgument("tls_config: not a mapping of fields");
  const bool outright = Given(fields["enabled"]);
  // Said outright, nothing is inherited.
  if (outright) tls = {.server_name = std::move(tls.server_name)};
  bool given = false;
  const auto file = [&](const char* name, std::string* value) {
    given |= !Text(fields[name], "").empty();
    *value = Text(fields[name], *value);
  };
  file("cert_file", &tls.cert_file);
  file("key_file", &tls.key_file);
  file("ca_file", &tls.ca_file);
  tls.min_version = Text(fields["min_version"], tls.min_version);
  if (Given(fields["insecure_skip_verify"])) {
    tls.insecure_skip_verify = fields["insecure_skip_verify"].as<bool>();
    given |= tls.insecure_skip_verify;
  }
  tls.enabled = outright ? fields["enabled"].as<bool>() : tls.enabled || given;
  return tls;
}

// Fields of TLS that are given replace those of `base`; TLS is on when it is said so, or when a
// file or skip-verify is given.
StatusOr<ClientConfig> ReadClient(const YAML::Node& node, const ClientConfig& base) {
  ClientConfig client = base;
  if (!Given(node)) return client;
  if (!node.IsMap()) return InvalidArgument("client_config: not a mapping of fields");
  if (SaysTls(node)) {
    ASSIGN_OR_RETURN(client.tls, ReadTls(node, base.tls));
  }
  const std::string compression = Text(node["compression"], "");
  if (compression == "snappy") {
    client.compression = net::grpc::Compression::kSnappy;
  } else if (compression == "none") {
    client.compression = net::grpc::Compression::kNone;
  } else if (!compression.empty()) {
    return InvalidArgument("compression: must be none or snappy, got \"{}\"", compression);
  }
  return client;
}

// The client of the file replaces that of the flags once it says anything about TLS, whole: half of
// the one with half of the other would be nobody's intention. Compression is always the flag's.
StatusOr<ClientConfig> ReadDefaultClient(const YAML::Node& node, const ClientConfig& flags) {
  ClientConfig base = flags;
  if (SaysTls(node)) base.tls = {};
  ASSIGN_OR_RETURN(ClientConfig client, ReadClient(node, base));
  client.compression = flags.compression;
  return client;
}

// How a group balances is not for choice: its members take turns. What says so, or anything that is
// JSON, is accepted.
Status CheckServiceConfig(const YAML::Node& node, const EndpointSpec& endpoint) {
  const std::string text = Text(node, "");
  if (text.empty()) return OkStatus();
  if (!endpoint.group) {
    return InvalidArgument("endpoint \"{}\": service_config is only valid for endpoint groups",
                           endpoint.address);
  }
  if (!nlohmann::json::accept(text)) {
    return InvalidArgument("endpoint \"{}\": service_config is not JSON: {}", endpoint.address,
                           text);
  }
  return OkStatus();
}

StatusOr<std::vector<EndpointSpec>> ReadConfig(const YAML::Node& root, const ClientConfig& flags) {
  std::vector<EndpointSpec> endpoints;
  if (!root || root.IsNull()) return endpoints;
  if (!root.IsMap()) return InvalidArgument("not a mapping of fields");
  auto common = ReadDefaultClient(root["default_client_config"], flags);
  if (!common.ok()) return Annotate(common.status(), "default_client_config");
  const YAML::Node list = root["endpoints"];
  if (list && !list.IsNull() && !list.IsSequence()) return InvalidArgument("endpoints: not a list");
  for (const YAML::Node& node : list) {
    EndpointSpec endpoint;
    if (!node.IsMap())
      return InvalidArgument("endpoint {}: not a mapping of fields", endpoints.size() + 1);
    endpoint.address = Text(node["address"], "");
    if (node["strict"]) endpoint.strict = node["strict"].as<bool>();
    if (node["group"]) endpoint.group = node["group"].as<bool>();
    auto client = ReadClient(node["client_config"], *common);
    if (!client.ok())
      return Annotate(client.status(), fmt::format("endpoint \"{}\"", endpoint.address));
    endpoint.client = *std::move(client);
    endpoint.common = *common;
    RETURN_IF_ERROR(CheckServiceConfig(node["service_config"], endpoint));
    RETURN_IF_ERROR(CheckEndpoint(endpoint));
    endpoints.push_back(std::move(endpoint));
  }
  return endpoints;
}

}  // namespace

Status CheckEndpoint(const EndpointSpec& endpoint) {
  const std::string& address = endpoint.address;
  if (address.empty()) return InvalidArgument("endpoint without an address");
  if (!endpoint.dynamic() && address.find(':') == std::string::npos) {
    return InvalidArgument("endpoint \"{}\": needs host:port, or a scheme such as dns+host:port",
                           address);
  }
  if (endpoint.strict && endpoint.dynamic()) {
    return InvalidArgument(
        "endpoint \"{}\": a strict endpoint must be an address, not one behind DNS", address);
  }
  return OkStatus();
}

StatusOr<std::vector<EndpointSpec>> ParseEndpointConfig(std::string_view yaml,
                                                        const ClientConfig& flags) {
  try {
    auto endpoints = ReadConfig(YAML::Load(std::string(yaml)), flags);
    if (!endpoints.ok()) return Annotate(endpoints.status(), "endpoint.sd-config");
    return endpoints;
  } catch (const YAML::Exception& error) {
    return InvalidArgument("endpoint.sd-config: {}", error.what());
  }
}

}  // namespace aevum::query
