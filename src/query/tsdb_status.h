// What the databases behind all endpoints hold, together.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/context.h"
#include "base/status.h"
#include "query/fan_out.h"
#include "wire/status_api.h"

namespace aevum::query {

struct TsdbStatusAnswer {
  wire::TsdbStatisticsByTenant statistics;
  std::vector<std::string> warnings;  // sorted, each once
};

// thanos.Status over all endpoints that offer it. Borrows the fan-out. Thread-safe.
class TsdbStatusProxy {
 public:
  using Sink = std::function<void(wire::TsdbStatisticsResponse)>;

  explicit TsdbStatusProxy(FanOut& fan_out) : fan_out_(fan_out) {}

  // Hands on what the endpoints say, in their order; who fails is a warning or, with kAbort, the
  // error.
  Status Ask(const Context& context, const wire::TsdbStatisticsRequest& request, const Sink& sink);

  // The answers together, tenant by tenant. Charged to the context's budget while it is made.
  StatusOr<TsdbStatusAnswer> Collect(const Context& context,
                                     const wire::TsdbStatisticsRequest& request);

 private:
  FanOut& fan_out_;
};

// Adds what another database holds. Counts are summed, except those of a label's values: the same
// values may be in both, so the larger counts. The lists are sorted, the largest first. Replicas
// count as often as there are.
void MergeTsdbStatistics(const wire::TsdbStatistics& more, wire::TsdbStatistics* statistics);

}  // namespace aevum::query
