// The messages of the StoreAPI and of Info as plain structs, and their protobuf forms.
//
// The field numbers and meanings are those of Thanos's rpc.proto; see proto/thanos/.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/status.h"
#include "model/labels.h"
#include "model/matcher.h"
#include "wire/series_batch.h"

namespace aevum::wire {

enum class PartialResponse : std::uint8_t { kWarn = 0, kAbort = 1 };
// Bits of SeriesRequest::aggregates, in the order of the protobuf enum Aggr.
enum class Aggr : std::uint8_t { kRaw = 0, kCount = 1, kSum = 2, kMin = 3, kMax = 4, kCounter = 5 };

struct ShardInfo {
  std::int64_t shard_index = 0;
  std::int64_t total_shards = 0;  // below 1: not sharded
  bool by = false;                // hash only `labels`, or all but `labels`
  std::vector<std::string> labels;
};

struct QueryHints {
  std::int64_t step_ms = 0;
  std::string function;
  bool grouping_by = false;
  std::vector<std::string> grouping_labels;
  std::int64_t range_ms = 0;
};

struct SeriesRequest {
  TimestampMs min_time = 0;
  TimestampMs max_time = 0;  // inclusive
  model::Matchers matchers;
  std::int64_t max_resolution_window_ms = 0;  // 0: raw only
  std::vector<Aggr> aggregates;
  PartialResponse partial_response = PartialResponse::kWarn;
  bool skip_chunks = false;
  std::string hints;  // google.protobuf.Any as bytes, passed through; "" when absent
  std::optional<QueryHints> query_hints;
  std::optional<ShardInfo> shard_info;
  std::vector<std::string> without_replica_labels;
  std::int64_t limit = 0;                // 0: unlimited
  std::int64_t response_batch_size = 0;  // 0 or 1: one series a message
};

struct LabelNamesRequest {
  PartialResponse partial_response = PartialResponse::kWarn;
  TimestampMs start = 0;
  TimestampMs end = 0;
  std::string hints;
  model::Matchers matchers;
  std::vector<std::string> without_replica_labels;
  std::int64_t limit = 0;
};

struct LabelValuesRequest {
  std::string label;
  PartialResponse partial_response = PartialResponse::kWarn;
  TimestampMs start = 0;
  TimestampMs end = 0;
  std::string hints;
  model::Matchers matchers;
  std::vector<std::string> without_replica_labels;
  std::int64_t limit = 0;
};

// The answer to both label requests: names or values, sorted, each once.
struct LabelsResponse {
  std::vector<std::string> strings;
  std::vector<std::string> warnings;
  std::string hints;
};

struct TsdbInfo {
  model::Labels labels;
  TimestampMs min_time = 0;
  TimestampMs max_time = 0;
};

struct StoreInfo {
  TimestampMs min_time = 0;
  TimestampMs max_time = 0;
  bool supports_sharding = false;
  bool supports_without_replica_labels = false;
  bool supports_projections = false;
  std::vector<TsdbInfo> tsdb_infos;
};

struct TimeRange {
  TimestampMs min_time = 0;
  TimestampMs max_time = 0;
};

struct InfoResponse {
  std::vector<model::Labels> label_sets;
  std::string component_type;  // "sidecar", "store", "query", ...
  std::optional<StoreInfo> store;
  std::optional<TimeRange> exemplars;
  bool rules = false;
  bool metric_metadata = false;
  bool targets = false;
  bool query = false;
  bool status = false;
};

// Encoders never fail. Decoders give InvalidArgument for bytes that are not the message, for a
// matcher that does not compile, and for enum values that are not known; unknown fields are
// skipped.
std::string Encode(const SeriesRequest& request);
std::string Encode(const LabelNamesRequest& request);
std::string Encode(const LabelValuesRequest& request);
std::string Encode(const InfoResponse& response);
// LabelNamesResponse and LabelValuesResponse have the same form.
std::string Encode(const LabelsResponse& response);

StatusOr<SeriesRequest> DecodeSeriesRequest(std::string_view bytes);
StatusOr<LabelNamesRequest> DecodeLabelNamesRequest(std::string_view bytes);
StatusOr<LabelValuesRequest> DecodeLabelValuesRequest(std::string_view bytes);
StatusOr<InfoResponse> DecodeInfoResponse(std::string_view bytes);
StatusOr<LabelsResponse> DecodeLabelsResponse(std::string_view bytes);

// ---- SeriesResponse, the hot message: read and written over the bytes, without protobuf ----

// Appends what one SeriesResponse message holds (a series, a batch, a warning; hints are appended
// to `hints` when it is given) to `out`, whose chunk views then point into `message`, which is
// added to the owners. Labels that are not sorted are sorted. Corruption when the bytes are not the
// message.
Status DecodeSeriesResponse(const SharedBytes& message, SeriesBatch* out,
                            std::string* hints = nullptr);

// The message for series [first, last) of a batch: `series` for one of them when not `as_batch`,
// else `batch`. Encodings with start timestamps are only for peers that asked for them.
std::string EncodeSeriesResponse(const SeriesBatch& batch, std::size_t first, std::size_t last,
                                 bool as_batch);
std::string EncodeWarningResponse(std::string_view warning);
std::string EncodeHintsResponse(std::string_view any);

}  // namespace aevum::wire
