#include "sidecar/prometheus_rules.h"

#include "net/grpc/server.h"
#include "sidecar/rules_answers.h"
#include "store/external_labels.h"
#include "store/grpc_server.h"

namespace aevum::sidecar {
namespace {

constexpr std::string_view kRulesPath = "/api/v1/rules";
constexpr std::string_view kTargetsPath = "/api/v1/targets";

PrometheusClient::Parameters TypeParameters(wire::RuleType type) {
  switch (type) {
    case wire::RuleType::kAlert:
      return {{"type", "alert"}};
    case wire::RuleType::kRecord:
      return {{"type", "record"}};
    default:
      return {};
  }
}

PrometheusClient::Parameters StateParameters(wire::TargetState state) {
  switch (state) {
    case wire::TargetState::kActive:
      return {{"state", "active"}};
    case wire::TargetState::kDropped:
      return {{"state", "dropped"}};
    default:
      return {};
  }
}

}  // namespace

StatusOr<model::Labels> PrometheusRules::ExternalLabels() const {
  const std::shared_ptr<const PrometheusState> state = heartbeat_.state();
  if (state == nullptr) return Unavailable("not ready: {}", heartbeat_.ready().message());
  return state->external_labels;
}

StatusOr<std::vector<wire::RuleGroup>> PrometheusRules::Rules(const Context& context,
                                                              const wire::RulesRequest& request) {
  ASSIGN_OR_RETURN(const model::Labels external, ExternalLabels());
  ASSIGN_OR_RETURN(const PrometheusClient::Body body,
                   client_->Get(context, kRulesPath, TypeParameters(request.type)));
  auto groups = ParseRulesAnswer(body.bytes);
  if (!groups.ok()) return client_->AnnotateAnswer(groups.status(), kRulesPath);
  for (wire::RuleGroup& group : *groups) {
    for (wire::Rule& rule : group.rules) rule.labels = store::ExtendLabels(rule.labels, external);
  }
  return groups;
}

StatusOr<wire::TargetDiscovery> PrometheusRules::Targets(const Context& context,
                                                         const wire::TargetsRequest& request) {
  ASSIGN_OR_RETURN(const model::Labels external, ExternalLabels());
  ASSIGN_OR_RETURN(const PrometheusClient::Body body,
                   client_->Get(context, kTargetsPath, StateParameters(request.state)));
  auto targets = ParseTargetsAnswer(body.bytes);
  if (!targets.ok()) return client_->AnnotateAnswer(targets.status(), kTargetsPath);
  for (wire::ActiveTarget& target : targets->active) {
    target.discovered_labels = store::ExtendLabels(target.discovered_labels, external);
    target.labels = store::ExtendLabels(target.labels, external);
  }
  for (wire::DroppedTarget& target : targets->dropped)
    target.discovered_labels = store::ExtendLabels(target.discovered_labels, external);
  return targets;
}

void RegisterRules(net::grpc::Server& server, PrometheusRules& rules) {
  using net::grpc::Server;
  using net::grpc::ServerCall;
  server.Register("/thanos.Rules/Rules", Server::Kind::kServerStream,
                  [&rules](ServerCall& call) -> Status {
                    ASSIGN_OR_RETURN(const wire::RulesRequest request,
                                     wire::DecodeRulesRequest(call.request().view));
                    ASSIGN_OR_RETURN(const std::vector<wire::RuleGroup> groups,
                                     rules.Rules(call.context(), request));
                    for (const wire::RuleGroup& group : groups)
                      RETURN_IF_ERROR(store::SendMessage(call, EncodeRuleGroupResponse(group)));
                    return OkStatus();
                  });
  server.Register("/thanos.Targets/Targets", Server::Kind::kServerStream,
                  [&rules](ServerCall& call) -> Status {
                    ASSIGN_OR_RETURN(const wire::TargetsRequest request,
                                     wire::DecodeTargetsRequest(call.request().view));
                    ASSIGN_OR_RETURN(const wire::TargetDiscovery targets,
                                     rules.Targets(call.context(), request));
                    return store::SendMessage(call, EncodeTargetsResponse(targets));
                  });
}

}  // namespace aevum::sidecar
