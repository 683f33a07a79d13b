// Rules and scrape targets of one Prometheus: thanos.Rules and thanos.Targets.
#pragma once

#include <memory>
#include <vector>

#include "base/context.h"
#include "base/status.h"
#include "sidecar/heartbeat.h"
#include "sidecar/prometheus_client.h"
#include "wire/rules_api.h"
#include "wire/targets_api.h"

namespace aevum::net::grpc {
class Server;
}

namespace aevum::sidecar {

// All calls are Unavailable before the first heartbeat succeeded; else errors are those of the
// client. Borrows the heartbeat. Thread-safe.
class PrometheusRules {
 public:
  PrometheusRules(std::shared_ptr<PrometheusClient> client, const Heartbeat& heartbeat)
      : client_(std::move(client)), heartbeat_(heartbeat) {}

  // The rules of the wanted type with the external labels; groups that have none of them may be
  // there. Alerts keep the labels that Prometheus gives them. Matchers, names and files of the
  // request are not looked at: who asks filters, since Prometheus does not know the external
  // labels.
  StatusOr<std::vector<wire::RuleGroup>> Rules(const Context& context,
                                               const wire::RulesRequest& request);
  // The targets in the wanted state with the external labels, which the discovered labels get too.
  StatusOr<wire::TargetDiscovery> Targets(const Context& context,
                                          const wire::TargetsRequest& request);

 private:
  StatusOr<model::Labels> ExternalLabels() const;

  const std::shared_ptr<PrometheusClient> client_;
  const Heartbeat& heartbeat_;
};

// Registers thanos.Rules and thanos.Targets, before the server starts: a message a group, and one
// for all targets. What is borrowed must outlive the server.
void RegisterRules(net::grpc::Server& server, PrometheusRules& rules);

}  // namespace aevum::sidecar
