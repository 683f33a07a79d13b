// Which endpoints a querier asks: flags and the endpoint configuration.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "net/grpc/client.h"

namespace aevum::query {

// How endpoints are talked to.
struct ClientConfig {
  net::grpc::ClientTls tls;
  net::grpc::Compression compression = net::grpc::Compression::kNone;
};

// One endpoint as it is configured. The address may have a DNS scheme (dns+, dnssrv+, dnssrvnoa+).
struct EndpointSpec {
  std::string address;
  bool strict = false;  // asked even when it does not answer
  bool group = false;   // an address behind which several servers take turns
  ClientConfig client;
  ClientConfig common = {};  // of servers that a DNS name stands for, whatever `client` says

  // Whether its address is looked up in DNS.
  bool dynamic() const { return address.find('+') != std::string::npos; }
};

// InvalidArgument when an address is empty, has no port and no scheme, or is strict with a scheme.
Status CheckEndpoint(const EndpointSpec& endpoint);

// Reads the YAML (or JSON) of --endpoint.sd-config. Endpoints inherit from default_client_config,
// which replaces `flags` when it says anything about TLS. Unknown fields are accepted.
// InvalidArgument names the endpoint.
StatusOr<std::vector<EndpointSpec>> ParseEndpointConfig(std::string_view yaml,
                                                        const ClientConfig& flags);

}  // namespace aevum::query
