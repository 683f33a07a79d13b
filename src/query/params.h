// Parameters of the querier's API: their rules, and the errors that users know.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/duration.h"
#include "base/status.h"
#include "model/matcher.h"
#include "net/http/server.h"
#include "query/json_writer.h"
#include "wire/store_api.h"

namespace aevum::query {

// What flags set and requests may set anew.
struct ParamDefaults {
  std::vector<std::string> replica_labels;
  bool partial_response = true;
  bool auto_downsampling = false;
  Nanoseconds instant_max_source_resolution{0};
  Nanoseconds timeout = std::chrono::minutes(2);
  Nanoseconds default_step = std::chrono::seconds(1);
  Nanoseconds metadata_time_range{0};  // 0: all time
  std::string engine = "prometheus";   // or "thanos"
};

// A query, instant or over a range.
struct QueryParams {
  std::string query;
  bool instant = true;  // at `start` alone
  TimestampMs start = 0;
  TimestampMs end = 0;
  std::int64_t step_ms = 0;
  bool dedup = true;
  std::vector<std::string> replica_labels;
  bool partial_response = true;
  std::vector<model::Matchers> store_matchers;
  Nanoseconds timeout{0};
  std::int64_t max_source_resolution_ms = 0;
  std::optional<wire::ShardInfo> shard_info;
  std::int64_t lookback_delta_ms = 0;  // 0: not given
  StatsDetail stats = StatsDetail::kNone;
  bool analyze = false;
  bool analyzable = false;  // asked of the engine that can
  std::int64_t limit = 0;   // of series; 0: none
};

// The engine that a request wants. Both names mean the one there is, but what it is asked to tell
// of its plan has to be asked of "thanos".
StatusOr<std::string> ParseEngine(const net::HttpRequest& request, const ParamDefaults& defaults);

// Of labels, label values and series.
struct MetadataParams {
  TimestampMs start = 0;
  TimestampMs end = 0;
  std::vector<model::Matchers> matchers;  // match[]
  std::vector<model::Matchers> store_matchers;
  bool partial_response = true;
  bool dedup = true;
  std::vector<std::string> replica_labels;
  std::int64_t limit = 0;  // 0: none
};

// Of /query_exemplars.
struct ExemplarsParams {
  std::string query;
  TimestampMs start = 0;
  TimestampMs end = 0;
};

// Of /metadata.
struct MetricMetadataParams {
  std::string metric;       // "": all
  std::int32_t limit = -1;  // of metrics; below 0: none
};

// Of /status/tsdb.
struct TsdbStatusParams {
  std::int32_t limit = 10;   // of each list
  model::Matchers matchers;  // of external labels, all of match[]
};

// InvalidArgument with the text that a user of Thanos knows, for what can't be right.
StatusOr<QueryParams> ParseInstantParams(const net::HttpRequest& request,
                                         const ParamDefaults& defaults, TimestampMs now);
StatusOr<QueryParams> ParseRangeParams(const net::HttpRequest& request,
                                       const ParamDefaults& defaults);
StatusOr<MetadataParams> ParseMetadataParams(const net::HttpRequest& request,
                                             const ParamDefaults& defaults, TimestampMs now);
StatusOr<ExemplarsParams> ParseExemplarsParams(const net::HttpRequest& request);
StatusOr<MetricMetadataParams> ParseMetricMetadataParams(const net::HttpRequest& request);
StatusOr<TsdbStatusParams> ParseTsdbStatusParams(const net::HttpRequest& request);

}  // namespace aevum::query
