#include <iterator>
#include <set>
#include <utility>

#include "model/escaped_name.h"
#include "model/quote.h"
#include "query/answer.h"
#include "query/api.h"
#include "query/json_writer.h"

namespace aevum::query {
namespace {

// Asks once for each match[] (once without any) and unites the answers.
template <typename Ask>
Status CollectLabels(const std::vector<model::Matchers>& matchers, std::set<std::string>* strings,
                     std::set<std::string>* warnings, Ask ask) {
  const std::vector<model::Matchers> once(1);
  for (const model::Matchers& list : matchers.empty() ? once : matchers) {
    ASSIGN_OR_RETURN(wire::LabelsResponse answer, ask(list));
    strings->insert(answer.strings.begin(), answer.strings.end());
    warnings->insert(answer.warnings.begin(), answer.warnings.end());
  }
  return OkStatus();
}

}  // namespace

Status Api::WriteStrings(std::vector<std::string> strings, std::vector<std::string> warnings,
                         std::vector<store::MissingPart> missing, std::int64_t limit,
                         net::HttpResponse& response) const {
  if (limit > 0 && strings.size() > static_cast<std::size_t>(limit)) {
    strings.resize(static_cast<std::size_t>(limit));
    warnings.emplace_back(kTruncated);
  }
  if (!warnings.empty() || !missing.empty()) response.SetHeader("Cache-Control", "no-store");
  JsonWriter writer(SinkOf(response));
  BeginAnswer(writer);
  writer.Strings(strings);
  return FinishAnswer(writer, warnings, missing);
}

Status Api::Labels(const Context& context, const net::HttpRequest& request,
                   net::HttpResponse& response) {
  ASSIGN_OR_RETURN(MetadataParams params,
                   ParseMetadataParams(request, options_.defaults, clock_.NowMs()));
  if (options_.tenancy.enforce)
    EnforceTenant(options_.tenancy.label, context.request().tenant, &params.matchers);
  const Context bounded = Bounded(context);
  const auto missing = MissingFor(params.dedup, params.replica_labels);
  const auto store = evaluator_.StoreFor(params.store_matchers, missing);
  std::set<std::string> names;
  std::set<std::string> warnings;
  wire::LabelNamesRequest ask;
  ask.partial_response =
      params.partial_response ? wire::PartialResponse::kWarn : wire::PartialResponse::kAbort;
  ask.start = params.start;
  ask.end = params.end;
  const Status status =
      CollectLabels(params.matchers, &names, &warnings, [&](const model::Matchers& list) {
        ask.matchers = list;
        return store->LabelNames(bounded, ask);
      });
  RETURN_IF_ERROR(AnnotateStoreError(status, "proxy LabelNames()"));
  return WriteStrings({names.begin(), names.end()}, {warnings.begin(), warnings.end()},
                      missing->List(), params.limit, response);
}

Status Api::LabelValues(const Context& context, const net::HttpRequest& request,
                        net::HttpResponse& response) {
  const std::string label = model::UnescapeName(request.PathParam("name"));
  if (label.empty() || !model::IsValidUtf8(label)) {
    std::string text = "invalid label name: ";
    model::AppendGoQuoted(text, label);
    return InvalidArgument("{}", text);
  }
  ASSIGN_OR_RETURN(MetadataParams params,
                   ParseMetadataParams(request, options_.defaults, clock_.NowMs()));
  if (options_.tenancy.enforce)
    EnforceTenant(options_.tenancy.label, context.request().tenant, &params.matchers);
  const Context bounded = Bounded(context);
  const auto missing = MissingFor(params.dedup, params.replica_labels);
  const auto store = evaluator_.StoreFor(params.store_matchers, missing);
  std::set<std::string> values;
  std::set<std::string> warnings;
  wire::LabelValuesRequest ask;
  ask.label = label;
  ask.partial_response =
      params.partial_response ? wire::PartialResponse::kWarn : wire::PartialResponse::kAbort;
  ask.start = params.start;
  ask.end = params.end;
  const Status status =
      CollectLabels(params.matchers, &values, &warnings, [&](const model::Matchers& list) {
        ask.matchers = list;
        return store->LabelValues(bounded, ask);
      });
  RETURN_IF_ERROR(AnnotateStoreError(status, "proxy LabelValues()"));
  return WriteStrings({values.begin(), values.end()}, {warnings.begin(), warnings.end()},
                      missing->List(), params.limit, response);
}

Status Api::Series(const Context& context, const net::HttpRequest& request,
                   net::HttpResponse& response) {
  ASSIGN_OR_RETURN(MetadataParams params,
                   ParseMetadataParams(request, options_.defaults, clock_.NowMs()));
  if (params.matchers.empty()) return InvalidArgument("no match[] parameter provided");
  for (const model::Matchers& list : params.matchers) {
    // Without a matcher it would be everything there is.
    if (list.empty()) return InvalidArgument("match[] must contain at least one matcher");
  }
  if (options_.tenancy.enforce)
    EnforceTenant(options_.tenancy.label, context.request().tenant, &params.matchers);
  const Context bounded = Bounded(context);
  store::QueryableOptions options;
  options.replica_labels = params.replica_labels;
  options.deduplicate = params.dedup;
  options.partial_response =
      params.partial_response ? wire::PartialResponse::kWarn : wire::PartialResponse::kAbort;
  options.max_source_resolution_ms = INT64_MAX;
  options.skip_chunks = true;
  const auto missing = MissingFor(params.dedup, params.replica_labels);
  store::StoreQueryable queryable(evaluator_.StoreFor(params.store_matchers, missing),
                                  std::move(options));

  std::set<model::Labels> series;
  std::set<std::string> warnings;
  MemoryCharge charge(bounded.budget());
  for (const model::Matchers& list : params.matchers) {
    auto stream = queryable.Select(
        bounded, list, {.start_ms = params.start, .end_ms = params.end, .function = "series"});
    if (!stream.ok()) return AnnotateStoreError(stream.status(), "proxy Series()");
    while (true) {
      auto batch = (*stream)->Next();
      if (!batch.ok()) return AnnotateStoreError(batch.status(), "proxy Series()");
      if (*batch == nullptr) break;
      for (std::size_t i = 0; i < (*batch)->size(); ++i) {
        const model::Labels& labels = (*batch)->labels(i);
        if (series.insert(labels).second) {
          RETURN_IF_ERROR(
              charge.Add(static_cast<std::int64_t>(labels.memory_bytes()) + 64, "series"));
        }
      }
    }
    for (std::string& warning : (*stream)->warnings()) warnings.insert(std::move(warning));
  }
  const auto limit = static_cast<std::size_t>(params.limit);
  if (limit > 0 && series.size() > limit) {
    series.erase(std::next(series.begin(), params.limit), series.end());
    warnings.emplace(kTruncated);
  }
  const std::vector<store::MissingPart> parts = missing->List();
  if (!warnings.empty() || !parts.empty()) response.SetHeader("Cache-Control", "no-store");
  JsonWriter writer(SinkOf(response));
  BeginAnswer(writer);
  writer.Raw("[");
  bool first = true;
  for (const model::Labels& labels : series) {
    if (!std::exchange(first, false)) writer.Raw(",");
    writer.Labels(labels);
  }
  writer.Raw("]");
  return FinishAnswer(writer, {warnings.begin(), warnings.end()}, parts);
}

}  // namespace aevum::query
