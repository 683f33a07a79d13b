// The messages of thanos.Query, PromQL over gRPC, as plain structs, and their protobuf forms.
//
// The field numbers and meanings are those of Thanos's query.proto; see proto/thanos/. Times are in
// whole seconds there.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/status.h"
#include "model/histogram.h"
#include "model/labels.h"
#include "model/matcher.h"
#include "wire/store_api.h"

namespace aevum::wire {

enum class QueryEngine : std::uint8_t { kDefault = 0, kPrometheus = 1, kThanos = 2 };

// What QueryRequest and QueryRangeRequest have in common.
struct QueryApiOptions {
  std::string query;
  std::int64_t timeout_seconds = 0;         // 0: the server's
  std::int64_t max_resolution_seconds = 0;  // 0: the server's default
  std::vector<std::string> replica_labels;  // none: the server's
  std::vector<model::Matchers> store_matchers;
  bool enable_dedup = false;
  bool enable_partial_response = false;
  bool skip_chunks = false;
  std::optional<ShardInfo> shard_info;
  std::int64_t lookback_delta_seconds = 0;  // 0: the server's
  QueryEngine engine = QueryEngine::kDefault;
  std::int64_t response_batch_size = 0;  // 0 or 1: one series a message
};

struct QueryRequest : QueryApiOptions {
  std::int64_t time_seconds = 0;  // 0: now
};

struct QueryRangeRequest : QueryApiOptions {
  std::int64_t start_seconds = 0;
  std::int64_t end_seconds = 0;
  std::int64_t interval_seconds = 0;
};

// A series of an answer; the times of each kind ascend when the peer is sane, which is not checked.
struct QuerySeries {
  model::Labels labels;
  std::vector<TimestampMs> times;
  std::vector<double> values;
  std::vector<TimestampMs> histogram_times;
  std::vector<model::FloatHistogram> histograms;
};

struct QueryApiStats {
  std::int64_t samples_total = 0;
  std::int64_t peak_samples = 0;
};

// One message of an answer: QueryResponse and QueryRangeResponse have the same form.
struct QueryApiResponse {
  std::string warnings;
  std::vector<QuerySeries> series;
  std::optional<QueryApiStats> stats;
};

// Encoders never fail. Decoders give InvalidArgument for bytes that are not the message, for a
// matcher that does not compile and for an engine that is not known; unknown fields are skipped,
// the plan among them: it says nothing that the text of the query does not.
std::string Encode(const QueryRequest& request);
std::string Encode(const QueryRangeRequest& request);
StatusOr<QueryRequest> DecodeQueryRequest(std::string_view bytes);
StatusOr<QueryRangeRequest> DecodeQueryRangeRequest(std::string_view bytes);

std::string EncodeQueryWarning(std::string_view warning);
std::string EncodeQueryStats(const QueryApiStats& stats);
// The first of the series alone when not `as_batch`.
std::string EncodeQuerySeries(std::span<const QuerySeries> series, bool as_batch);

// Corruption when the bytes are not the message, or a histogram's buckets are not those that its
// spans describe. Histograms of integers become those of floats.
StatusOr<QueryApiResponse> DecodeQueryResponse(std::string_view bytes);

}  // namespace aevum::wire
