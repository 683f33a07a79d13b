// The messages of thanos.Status as plain structs, and their protobuf forms.
//
// The field numbers and meanings are those of Thanos's status/rpc.proto; see proto/thanos/.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/status.h"
#include "model/matcher.h"
#include "wire/store_api.h"

namespace aevum::wire {

struct TsdbStatisticsRequest {
  std::string tenant;      // "": all; the form before matchers
  std::int32_t limit = 0;  // of each list; below 1: the server's default
  PartialResponse partial_response = PartialResponse::kWarn;
  model::Matchers matchers = {};  // of external labels
};

struct HeadStatistics {
  std::uint64_t series = 0;
  std::int64_t label_pairs = 0;
  std::int64_t chunks = 0;
  TimestampMs min_time = 0;
  TimestampMs max_time = 0;
  friend bool operator==(const HeadStatistics&, const HeadStatistics&) = default;
};

struct Statistic {
  std::string name;
  std::uint64_t value = 0;
  friend bool operator==(const Statistic&, const Statistic&) = default;
};

// Of one database, or of several together.
struct TsdbStatistics {
  HeadStatistics head;
  std::vector<Statistic> series_by_metric;
  std::vector<Statistic> values_by_label;
  std::vector<Statistic> memory_bytes_by_label;
  std::vector<Statistic> series_by_label_pair;  // name is "label=value"
};

// By tenant; "" where there are no tenants.
using TsdbStatisticsByTenant = std::map<std::string, TsdbStatistics, std::less<>>;

// One message of an answer: a warning, or statistics, which may be of no tenant at all.
struct TsdbStatisticsResponse {
  std::string warning;
  std::optional<TsdbStatisticsByTenant> statistics = {};
};

// Encoders never fail; of a response without statistics, the warning is written.
// DecodeTsdbStatisticsRequest gives InvalidArgument for bytes that are not the message, for a
// strategy that is not known and for a matcher that does not compile, DecodeTsdbStatisticsResponse
// Corruption. Unknown fields are skipped.
std::string Encode(const TsdbStatisticsRequest& request);
std::string Encode(const TsdbStatisticsResponse& response);
StatusOr<TsdbStatisticsRequest> DecodeTsdbStatisticsRequest(std::string_view bytes);
StatusOr<TsdbStatisticsResponse> DecodeTsdbStatisticsResponse(std::string_view bytes);

}  // namespace aevum::wire
