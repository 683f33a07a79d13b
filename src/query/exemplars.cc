#include "query/exemplars.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <map>
#include <utility>

#include "promql/selectors.h"
#include "store/external_labels.h"

namespace aevum::query {
namespace {

constexpr std::string_view kEverySeries = R"({__name__=~".+"})";

std::int64_t BytesOf(const wire::ExemplarSeries& series) {
  auto bytes = static_cast<std::int64_t>(sizeof series + series.labels.memory_bytes());
  for (const wire::Exemplar& exemplar : series.exemplars)
    bytes += static_cast<std::int64_t>(sizeof exemplar + exemplar.labels.memory_bytes());
  return bytes;
}

// NaN after all other values, and equal to itself.
int CompareValues(double a, double b) {
  if (std::isnan(a) || std::isnan(b))
    return static_cast<int>(std::isnan(a)) - static_cast<int>(std::isnan(b));
  return static_cast<int>(a > b) - static_cast<int>(a < b);
}

bool Less(const wire::Exemplar& a, const wire::Exemplar& b) {
  if (a.time != b.time) return a.time < b.time;
  if (a.labels != b.labels) return a.labels < b.labels;
  return CompareValues(a.value, b.value) < 0;
}

bool Same(const wire::Exemplar& a, const wire::Exemplar& b) {
  return a.time == b.time && a.labels == b.labels && CompareValues(a.value, b.value) == 0;
}

bool Names(const std::vector<model::Labels>& label_sets, const std::string& name) {
  return std::any_of(label_sets.begin(), label_sets.end(),
                     [&](const model::Labels& labels) { return labels.Has(name); });
}

}  // namespace

ExemplarsProxy::ExemplarsProxy(ExemplarsOptions options, FanOut& fan_out)
    : options_(std::move(options)), fan_out_(fan_out) {}

Status ExemplarsProxy::Ask(const Context& context, const wire::ExemplarsRequest& request,
                           const Sink& sink) {
  const auto expr = promql::Parse(request.query, options_.parse);
  if (!expr.ok()) return MakeError(StatusCode::kUnknown, std::string(expr.status().message()));
  bool matched = false;
  std::vector<model::Matchers> selectors;
  for (const promql::VectorSelector* selector : promql::SelectorsOf(**expr)) {
    auto rest = store::MatchExternalLabels(selector->matchers, options_.selector_labels);
    if (!rest) continue;
    matched = true;
    if (!rest->empty()) selectors.push_back(*std::move(rest));
  }
  if (!matched) return OkStatus();
  if (selectors.empty())
    return InvalidArgument("no matchers specified (excluding external labels)");

  FanOutQuestion question;
  question.path = "/thanos.Exemplars/Exemplars";
  question.what = "exemplars";
  question.span = "proxy_exemplars";
  question.partial_response = request.partial_response;
  question.offered = [&](const wire::InfoResponse& info) {
    return info.exemplars && ExemplarsQueryFor(selectors, info);
  };
  question.request_for = [&](const wire::InfoResponse& info) {
    wire::ExemplarsRequest own = request;
    own.query = ExemplarsQueryFor(selectors, info).value_or("");
    return wire::Encode(own);
  };
  std::vector<std::string> warnings;
  RETURN_IF_ERROR(fan_out_.Ask(
      context, question,
      [&](const ServiceEndpoint& /*endpoint*/, std::string_view message) -> Status {
        ASSIGN_OR_RETURN(wire::ExemplarsResponse response, wire::DecodeExemplarsResponse(message));
        sink(std::move(response));
        return OkStatus();
      },
      &warnings));
  for (std::string& warning : warnings) sink({.warning = std::move(warning)});
  return OkStatus();
}

StatusOr<ExemplarsAnswer> ExemplarsProxy::Collect(const Context& context,
                                                  const wire::ExemplarsRequest& request) {
  ExemplarsAnswer answer;
  MemoryCharge charge(context.budget());
  Status budget;
  RETURN_IF_ERROR(Ask(context, request, [&](wire::ExemplarsResponse response) {
    if (!response.series) {
      answer.warnings.push_back(std::move(response.warning));
      return;
    }
    if (budget.ok()) budget = charge.Add(BytesOf(*response.series), "exemplars");
    if (budget.ok()) answer.series.push_back(*std::move(response.series));
  }));
  RETURN_IF_ERROR(budget);
  answer.series = DeduplicateExemplars(std::move(answer.series), options_.replica_labels);
  NormaliseWarnings(&answer.warnings);
  return answer;
}

std::optional<std::string> ExemplarsQueryFor(const std::vector<model::Matchers>& selectors,
                                             const wire::InfoResponse& endpoint) {
  // A querier chooses by external labels itself; Prometheus knows nothing of its own.
  const bool knows_labels = endpoint.component_type == "query";
  std::string query;
  for (const model::Matchers& matchers : selectors) {
    if (!store::MayMatch(matchers, endpoint.label_sets)) continue;
    model::Matchers kept;
    for (const model::Matcher& matcher : matchers) {
      if (knows_labels || !Names(endpoint.label_sets, matcher.name())) kept.push_back(matcher);
    }
    if (!query.empty()) query += "+";
    query += kept.empty() ? std::string(kEverySeries) : model::ToString(kept);
  }
  if (query.empty()) return std::nullopt;
  return query;
}

std::vector<wire::ExemplarSeries> DeduplicateExemplars(
    std::vector<wire::ExemplarSeries> series, const std::vector<std::string>& replica_labels) {
  std::map<model::Labels, std::vector<wire::Exemplar>> by_labels;
  for (wire::ExemplarSeries& one : series) {
    if (one.exemplars.empty()) continue;
    model::LabelsBuilder builder(one.labels);
    for (const std::string& label : replica_labels) builder.Remove(label);
    std::vector<wire::Exemplar>& all = by_labels[builder.Build()];
    std::move(one.exemplars.begin(), one.exemplars.end(), std::back_inserter(all));
  }
  std::vector<wire::ExemplarSeries> merged;
  merged.reserve(by_labels.size());
  for (auto& [labels, exemplars] : by_labels) {
    std::sort(exemplars.begin(), exemplars.end(), Less);
    exemplars.erase(std::unique(exemplars.begin(), exemplars.end(), Same), exemplars.end());
    merged.push_back({.labels = labels, .exemplars = std::move(exemplars)});
  }
  return merged;
}

}  // namespace aevum::query
