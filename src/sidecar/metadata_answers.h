// What Prometheus's HTTP API says of metrics, exemplars and its database.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "wire/exemplars_api.h"
#include "wire/metadata_api.h"
#include "wire/status_api.h"

namespace aevum::sidecar {

// Of /api/v1/metadata.
struct MetadataAnswer {
  wire::MetricMetadata metadata;
  std::vector<std::string> warnings;
};

// Of /api/v1/query_exemplars.
struct ExemplarsAnswer {
  std::vector<wire::ExemplarSeries> series;
  std::vector<std::string> warnings;
};

// All of these give Unavailable when the body is not what Prometheus answers; the message names the
// field. An answer that says "error" is an error with Prometheus's text.
StatusOr<MetadataAnswer> ParseMetadataAnswer(std::string_view json);
// Times are rounded to milliseconds.
StatusOr<ExemplarsAnswer> ParseExemplarsAnswer(std::string_view json);
// Of /api/v1/status/tsdb. Fields that are absent, as in versions that lack them, are 0 or empty.
StatusOr<wire::TsdbStatistics> ParseTsdbStatusAnswer(std::string_view json);

}  // namespace aevum::sidecar
