#include <algorithm>
#include <array>

#include "query/answer.h"
#include "query/api.h"
#include "query/rules.h"
#include "query/rules_json.h"
#include "query/targets.h"

namespace aevum::query {
namespace {

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

// The position of a parameter's value among its names, whatever the case; 0 when it is not given.
template <std::size_t kCount>
StatusOr<std::size_t> OneOf(const net::HttpRequest& request, std::string_view what,
                            std::string_view name,
                            const std::array<std::string_view, kCount>& names) {
  const std::string_view given = request.Param(name);
  if (given.empty()) return std::size_t{0};
  std::string lower(given);
  std::transform(lower.begin(), lower.end(), lower.begin(), Lower);
  const auto found = std::find(names.begin(), names.end(), lower);
  if (found == names.end())
    return InvalidArgument("invalid {} parameter {}='{}'", what, name, given);
  return static_cast<std::size_t>(found - names.begin());
}

wire::PartialResponse Strategy(bool partial_response) {
  return partial_response ? wire::PartialResponse::kWarn : wire::PartialResponse::kAbort;
}

// Whatever the reason: these endpoints know one code for failures.
Status Failure(const Status& status, std::string_view what) {
  return MakeError(StatusCode::kInternal, fmt::format("{}: {}", what, status.message()));
}

}  // namespace

StatusOr<RulesAnswer> Api::AskRules(const Context& context, wire::RulesRequest request,
                                    net::HttpResponse& response) const {
  request.partial_response = Strategy(options_.rule_partial_response);
  auto answer = services_.rules.Ask(context.WithBudget(evaluator_.MakeBudget()), request);
  if (!answer.ok()) return Failure(answer.status(), "error retrieving rules");
  if (!answer->warnings.empty()) response.SetHeader("Cache-Control", "no-store");
  return answer;
}

Status Api::Rules(const Context& context, const net::HttpRequest& request,
                  net::HttpResponse& response) {
  constexpr std::array<std::string_view, 3> kTypes = {"all", "alert", "record"};
  wire::RulesRequest ask;
  ASSIGN_OR_RETURN(const std::size_t type, OneOf(request, "rules", "type", kTypes));
  ask.type = static_cast<wire::RuleType>(type);
  ask.matchers = request.AllParams("match[]");
  ask.rule_names = request.AllParams("rule_name[]");
  ask.rule_groups = request.AllParams("rule_group[]");
  ask.files = request.AllParams("file[]");
  ASSIGN_OR_RETURN(const RulesAnswer answer, AskRules(context, std::move(ask), response));
  JsonWriter writer(SinkOf(response));
  BeginAnswer(writer);
  WriteRules(answer.groups, writer);
  return FinishAnswer(writer, answer.warnings);
}

Status Api::Alerts(const Context& context, const net::HttpRequest& /*request*/,
                   net::HttpResponse& response) {
  wire::RulesRequest ask;
  ask.type = wire::RuleType::kAlert;
  ASSIGN_OR_RETURN(const RulesAnswer answer, AskRules(context, std::move(ask), response));
  JsonWriter writer(SinkOf(response));
  BeginAnswer(writer);
  WriteAlerts(answer.groups, writer);
  return FinishAnswer(writer, answer.warnings);
}

Status Api::Targets(const Context& context, const net::HttpRequest& request,
                    net::HttpResponse& response) {
  constexpr std::array<std::string_view, 3> kStates = {"any", "active", "dropped"};
  ASSIGN_OR_RETURN(const std::size_t state, OneOf(request, "targets", "state", kStates));
  const wire::TargetsRequest ask{.state = static_cast<wire::TargetState>(state),
                                 .partial_response = Strategy(options_.target_partial_response)};
  const auto answer = services_.targets.Ask(context.WithBudget(evaluator_.MakeBudget()), ask);
  if (!answer.ok()) return Failure(answer.status(), "retrieving targets");
  if (!answer->warnings.empty()) response.SetHeader("Cache-Control", "no-store");
  JsonWriter writer(SinkOf(response));
  BeginAnswer(writer);
  WriteTargets(answer->targets, writer);
  return FinishAnswer(writer, answer->warnings);
}

}  // namespace aevum::query
