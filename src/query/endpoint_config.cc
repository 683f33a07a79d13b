#include "query/endpoint_config.h"

#include <yaml-cpp/yaml.h>
#include <nlohmann/json.hpp>

namespace aevum::query {
namespace {

std::string Text(const YAML::Node& node, const std::string& otherwise) {
  return node && node.IsScalar() ? node.Scalar() : otherwise;
}

// Fields that are given replace those of `base`; TLS is on when it is said so, or when a file or
// skip-verify is given.
StatusOr<ClientConfig> ReadClient(const YAML::Node& node, const ClientConfig& base) {
  ClientConfig client = base;
  if (!node || node.IsNull()) return client;
  if (!node.IsMap()) return InvalidArgument("client_config: not a mapping of fields");
  if (const YAML::Node tls = node["tls_config"]; tls && tls.IsMap()) {
    const bool explicitly = tls["enabled"] && !tls["enabled"].IsNull();
    // Said outright, nothing is inherited.
    if (explicitly) client.tls = {};
    client.tls.cert_file = Text(tls["cert_file"], client.tls.cert_file);
    client.tls.key_file = Text(tls["key_file"], client.tls.key_file);
    client.tls.ca_file = Text(tls["ca_file"], client.tls.ca_file);
    client.tls.min_version = Text(tls["min_version"], client.tls.min_version);
    if (tls["insecure_skip_verify"])
      client.tls.insecure_skip_verify = tls["insecure_skip_verify"].as<bool>();
    const bool given =
        tls["cert_file"] || tls["key_file"] || tls["ca_file"] || client.tls.insecure_skip_verify;
    client.tls.enabled = explicitly ? tls["enabled"].as<bool>() : client.tls.enabled || given;
  }
  client.tls.server_name = Text(node["server_name"], client.tls.server_name);
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

StatusOr<std::vector<EndpointSpec>> ReadConfig(const YAML::Node& root,
                                               const ClientConfig& defaults) {
  std::vector<EndpointSpec> endpoints;
  if (!root || root.IsNull()) return endpoints;
  if (!root.IsMap()) return InvalidArgument("not a mapping of fields");
  ASSIGN_OR_RETURN(ClientConfig common, ReadClient(root["default_client_config"], defaults));
  common.compression = defaults.compression;  // that of the flag holds
  const YAML::Node list = root["endpoints"];
  if (list && !list.IsNull() && !list.IsSequence()) return InvalidArgument("endpoints: not a list");
  for (const YAML::Node& node : list) {
    EndpointSpec endpoint;
    if (!node.IsMap())
      return InvalidArgument("endpoint {}: not a mapping of fields", endpoints.size() + 1);
    endpoint.address = Text(node["address"], "");
    if (node["strict"]) endpoint.strict = node["strict"].as<bool>();
    if (node["group"]) endpoint.group = node["group"].as<bool>();
    auto client = ReadClient(node["client_config"], common);
    if (!client.ok())
      return Annotate(client.status(), fmt::format("endpoint \"{}\"", endpoint.address));
    endpoint.client = *std::move(client);
    endpoint.common = common;
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
                                                        const ClientConfig& defaults) {
  try {
    auto endpoints = ReadConfig(YAML::Load(std::string(yaml)), defaults);
    if (!endpoints.ok()) return Annotate(endpoints.status(), "endpoint.sd-config");
    return endpoints;
  } catch (const YAML::Exception& error) {
    return InvalidArgument("endpoint.sd-config: {}", error.what());
  }
}

}  // namespace aevum::query
