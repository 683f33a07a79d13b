// Metadata, exemplars and statistics of one Prometheus as gRPC services.
#pragma once

#include <memory>

namespace aevum::net::grpc {
class Server;
}

namespace aevum::sidecar {

class Heartbeat;
class PrometheusClient;

// Registers thanos.Metadata, thanos.Exemplars and thanos.Status, before the server starts. Each
// call asks Prometheus's API once; its errors are those of the client.
//
// Exemplars carry the external labels, which win over labels of the same name. Statistics are those
// of the head, for tenant "", when all matchers match the external labels, else none. Exemplars and
// statistics are Unavailable before the first heartbeat succeeded. The heartbeat must outlive the
// server.
void RegisterMetadataServices(net::grpc::Server& server, std::shared_ptr<PrometheusClient> client,
                              const Heartbeat& heartbeat);

}  // namespace aevum::sidecar
