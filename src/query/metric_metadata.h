// What targets say of their metrics, of all endpoints together.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/context.h"
#include "base/status.h"
#include "query/fan_out.h"
#include "wire/metadata_api.h"

namespace aevum::query {

struct MetricMetadataAnswer {
  wire::MetricMetadata metadata;
  std::vector<std::string> warnings;  // sorted, each once
};

// thanos.Metadata over all endpoints that offer it. Borrows the fan-out. Thread-safe.
class MetricMetadataProxy {
 public:
  using Sink = std::function<void(wire::MetricMetadataResponse)>;

  explicit MetricMetadataProxy(FanOut& fan_out) : fan_out_(fan_out) {}

  // Hands on what the endpoints say, in their order; who fails is a warning or, with kAbort, the
  // error.
  Status Ask(const Context& context, const wire::MetricMetadataRequest& request, const Sink& sink);

  // The answers together: of each metric, each different thing that is said of it once; no more
  // metrics than the limit, those of the first endpoints first. Charged to the context's budget
  // while it is made.
  StatusOr<MetricMetadataAnswer> Collect(const Context& context,
                                         const wire::MetricMetadataRequest& request);

 private:
  FanOut& fan_out_;
};

// Adds to `metadata` what it lacks, up to `limit` metrics; below 0: all.
void MergeMetricMetadata(wire::MetricMetadata more, std::int32_t limit,
                         wire::MetricMetadata* metadata);

}  // namespace aevum::query
