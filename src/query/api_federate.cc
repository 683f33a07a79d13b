#include <fmt/core.h>
#include <prometheus/counter.h>

#include "net/metrics/exposition.h"
#include "query/answer.h"
#include "query/api.h"
#include "query/federation.h"

namespace aevum::query {

Status Api::Federate(const Context& context, const net::HttpRequest& request,
                     net::HttpResponse& response) {
  const TimestampMs now = clock_.NowMs();
  ASSIGN_OR_RETURN(MetadataParams params, ParseMetadataParams(request, options_.defaults, now));
  if (params.matchers.empty()) {
    return InvalidArgument(
        "no match[] parameter provided: give a selector for each set of series, as in "
        "match[]={{job=\"node\"}}");
  }
  for (const model::Matchers& list : params.matchers) {
    if (list.empty()) return InvalidArgument("match[] must contain at least one matcher");
  }
  auto newest = evaluator_.Newest(context.WithTimeout(options_.defaults.timeout), params, now);
  if (!newest.ok()) {
    federation_errors_->Increment();
    return newest.status();
  }
  const auto limit = static_cast<std::size_t>(params.limit);
  if (limit > 0 && newest->samples.size() > limit) {
    newest->samples.resize(limit);
    newest->warnings.emplace_back(kTruncated);
  }
  if (!newest->warnings.empty()) {
    federation_warnings_->Increment(static_cast<double>(newest->warnings.size()));
    response.SetHeader("Cache-Control", "no-store");
    // The formats have no place for them.
    response.SetHeader("Warning", WarningHeader(newest->warnings));
    for (const std::string& warning : newest->warnings)
      logger_.Debug("federation is not complete", {{"warning", warning}});
  }
  const net::ExpositionFormat format = net::NegotiateExposition(request.Header("Accept"));
  response.SetHeader("Content-Type", net::ExpositionContentType(format));
  // A client that is gone needs no error.
  static_cast<void>(WriteFederation(*newest, format, SinkOf(response)));
  return OkStatus();
}

}  // namespace aevum::query
