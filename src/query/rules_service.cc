#include "query/rules_service.h"

#include "net/grpc/server.h"
#include "query/evaluator.h"
#include "query/rules.h"
#include "query/targets.h"
#include "store/grpc_server.h"

namespace aevum::query {

using net::grpc::Server;
using net::grpc::ServerCall;

void RegisterRules(Server& server, const Rules& rules, const Evaluator& evaluator) {
  server.Register(
      "/thanos.Rules/Rules", Server::Kind::kServerStream,
      [&rules, &evaluator](ServerCall& call) -> Status {
        ASSIGN_OR_RETURN(const wire::RulesRequest request,
                         wire::DecodeRulesRequest(call.request().view));
        const Context context = call.context().WithBudget(evaluator.MakeBudget());
        ASSIGN_OR_RETURN(const RulesAnswer answer, rules.Collect(context, request));
        for (const wire::RuleGroup& group : answer.groups)
          RETURN_IF_ERROR(store::SendMessage(call, wire::EncodeRuleGroupResponse(group)));
        for (const std::string& warning : answer.warnings)
          RETURN_IF_ERROR(store::SendMessage(call, wire::EncodeRulesWarning(warning)));
        return OkStatus();
      });
}

void RegisterTargets(Server& server, const Targets& targets, const Evaluator& evaluator) {
  server.Register(
      "/thanos.Targets/Targets", Server::Kind::kServerStream,
      [&targets, &evaluator](ServerCall& call) -> Status {
        ASSIGN_OR_RETURN(const wire::TargetsRequest request,
                         wire::DecodeTargetsRequest(call.request().view));
        const Context context = call.context().WithBudget(evaluator.MakeBudget());
        ASSIGN_OR_RETURN(const TargetsAnswer answer, targets.Collect(context, request));
        RETURN_IF_ERROR(store::SendMessage(call, wire::EncodeTargetsResponse(answer.targets)));
        for (const std::string& warning : answer.warnings)
          RETURN_IF_ERROR(store::SendMessage(call, wire::EncodeTargetsWarning(warning)));
        return OkStatus();
      });
}

}  // namespace aevum::query
