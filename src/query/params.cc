#include "query/params.h"

#include <charconv>
#include <cmath>

#include <nlohmann/json.hpp>

#include "model/quote.h"
#include "promql/parser.h"

namespace aevum::query {
namespace {

// The earliest and latest times that the reference knows, as milliseconds.
constexpr TimestampMs kEarliest = -(std::int64_t{1} << 62) / 1'000'000;
constexpr std::int64_t kMaxPoints = 11'000;

std::string Quoted(std::string_view text) {
  std::string out;
  model::AppendGoQuoted(out, text);
  return out;
}

std::int64_t Milliseconds(Nanoseconds duration) { return duration.count() / 1'000'000; }

StatusOr<bool> BoolParam(const net::HttpRequest& request, std::string_view name, bool otherwise) {
  const std::string_view text = request.Param(name);
  if (text.empty()) return otherwise;
  for (const char* yes : {"1", "t", "T", "TRUE", "true", "True"}) {
    if (text == yes) return true;
  }
  for (const char* no : {"0", "f", "F", "FALSE", "false", "False"}) {
    if (text == no) return false;
  }
  return InvalidArgument("'{}' parameter: strconv.ParseBool: parsing {}: invalid syntax", name,
                         Quoted(text));
}

StatusOr<std::int64_t> DurationParam(const net::HttpRequest& request, std::string_view name) {
  auto duration = ParseApiDuration(request.Param(name));
  if (!duration.ok()) return Annotate(duration.status(), fmt::format("'{}' parameter", name));
  return Milliseconds(*duration);
}

StatusOr<std::optional<wire::ShardInfo>> ShardParam(const net::HttpRequest& request) {
  const std::string_view text = request.Param("shard_info");
  if (text.empty()) return std::optional<wire::ShardInfo>();
  const auto json = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  const auto invalid = [](std::string_view why) {
    return InvalidArgument("could not unmarshal parameter shard_info: {}", why);
  };
  if (json.is_discarded()) return invalid("unexpected end of JSON input");
  if (json.is_null()) return std::optional<wire::ShardInfo>();
  if (!json.is_object()) return invalid("not an object");
  wire::ShardInfo shard;
  for (const auto& [key, value] : json.items()) {
    if (key == "shard_index" && value.is_number_integer()) {
      shard.shard_index = value.get<std::int64_t>();
    } else if (key == "total_shards" && value.is_number_integer()) {
      shard.total_shards = value.get<std::int64_t>();
    } else if (key == "by" && value.is_boolean()) {
      shard.by = value.get<bool>();
    } else if (key == "labels" && value.is_array()) {
      for (const auto& label : value) {
        if (!label.is_string()) return invalid("labels: not a list of strings");
        shard.labels.push_back(label.get<std::string>());
      }
    } else if (key == "shard_index" || key == "total_shards" || key == "by" || key == "labels") {
      return invalid(fmt::format("{}: wrong type", key));
    }
  }
  return std::optional<wire::ShardInfo>(std::move(shard));
}

StatusOr<std::vector<model::Matchers>> SelectorParams(const net::HttpRequest& request,
                                                      std::string_view name) {
  std::vector<model::Matchers> all;
  for (const std::string& text : request.AllParams(name)) {
    ASSIGN_OR_RETURN(model::Matchers matchers, promql::ParseSelector(text));
    all.push_back(std::move(matchers));
  }
  return all;
}

std::vector<std::string> ReplicaLabels(const net::HttpRequest& request,
                                       const ParamDefaults& defaults) {
  return request.HasParam("replicaLabels[]") ? request.AllParams("replicaLabels[]")
                                             : defaults.replica_labels;
}

StatusOr<std::int64_t> Resolution(const net::HttpRequest& request, bool automatic,
                                  Nanoseconds auto_value) {
  const std::string_view text = request.Param("max_source_resolution");
  if (text == "auto" || (automatic && text.empty())) return Milliseconds(auto_value);
  if (text.empty()) return 0;
  ASSIGN_OR_RETURN(const std::int64_t resolution, DurationParam(request, "max_source_resolution"));
  if (resolution < 0)
    return InvalidArgument(
        "negative 'max_source_resolution' is not accepted. Try a positive integer");
  return resolution;
}

StatusOr<std::int64_t> LimitParam(const net::HttpRequest& request) {
  const std::string_view text = request.Param("limit");
  std::int64_t limit = 0;
  if (text.empty()) return limit;
  const auto [last, error] = std::from_chars(text.data(), text.data() + text.size(), limit);
  if (error != std::errc() || last != text.data() + text.size())
    return InvalidArgument("cannot parse {} to a valid limit", Quoted(text));
  if (limit < 0) return InvalidArgument("limit must be non-negative");
  return limit;
}

Status ParseCommon(const net::HttpRequest& request, const ParamDefaults& defaults,
                   QueryParams* params) {
  params->timeout = defaults.timeout;
  if (request.HasParam("timeout") && !request.Param("timeout").empty()) {
    ASSIGN_OR_RETURN(const Nanoseconds timeout, ParseApiDuration(request.Param("timeout")));
    params->timeout = std::min(timeout, defaults.timeout);
  }
  ASSIGN_OR_RETURN(params->dedup, BoolParam(request, "dedup", true));
  params->replica_labels = ReplicaLabels(request, defaults);
  ASSIGN_OR_RETURN(params->store_matchers, SelectorParams(request, "storeMatch[]"));
  ASSIGN_OR_RETURN(params->partial_response,
                   BoolParam(request, "partial_response", defaults.partial_response));
  ASSIGN_OR_RETURN(params->shard_info, ShardParam(request));
  ASSIGN_OR_RETURN(const std::string engine, ParseEngine(request, defaults));
  if (!request.Param("lookback_delta").empty()) {
    ASSIGN_OR_RETURN(params->lookback_delta_ms, DurationParam(request, "lookback_delta"));
  }
  const std::string_view stats = request.Param("stats");
  params->stats = stats.empty()    ? StatsDetail::kNone
                  : stats == "all" ? StatsDetail::kPerStep
                                   : StatsDetail::kTotals;
  const std::string_view analyze = request.Param("analyze");
  params->analyze = analyze == "true" || analyze == "1";
  params->analyzable = engine == "thanos";
  ASSIGN_OR_RETURN(params->limit, LimitParam(request));
  return OkStatus();
}

StatusOr<TimestampMs> TimeParam(const net::HttpRequest& request, std::string_view name,
                                TimestampMs otherwise) {
  const std::string_view text = request.Param(name);
  if (text.empty()) return otherwise;
  auto time = ParseApiTime(text);
  if (!time.ok()) return Annotate(time.status(), fmt::format("Invalid time value for '{}'", name));
  return time;
}

}  // namespace

StatusOr<std::string> ParseEngine(const net::HttpRequest& request, const ParamDefaults& defaults) {
  const std::string_view engine = request.Param("engine");
  if (engine.empty()) return defaults.engine;
  if (engine != "prometheus" && engine != "thanos")
    return InvalidArgument("'{}' bad engine", engine);
  return std::string(engine);
}

StatusOr<QueryParams> ParseInstantParams(const net::HttpRequest& request,
                                         const ParamDefaults& defaults, TimestampMs now) {
  QueryParams params;
  ASSIGN_OR_RETURN(params.start, TimeParam(request, "time", now));
  params.end = params.start;
  RETURN_IF_ERROR(ParseCommon(request, defaults, &params));
  ASSIGN_OR_RETURN(
      params.max_source_resolution_ms,
      Resolution(request, defaults.auto_downsampling, defaults.instant_max_source_resolution));
  params.query = request.Param("query");
  return params;
}

StatusOr<QueryParams> ParseRangeParams(const net::HttpRequest& request,
                                       const ParamDefaults& defaults) {
  QueryParams params;
  params.instant = false;
  ASSIGN_OR_RETURN(params.start, ParseApiTime(request.Param("start")));
  ASSIGN_OR_RETURN(params.end, ParseApiTime(request.Param("end")));
  if (params.end < params.start)
    return InvalidArgument("end timestamp must not be before start time");
  const double seconds =
      (static_cast<double>(params.end) - static_cast<double>(params.start)) / 1000;
  if (request.Param("step").empty()) {
    const std::int64_t floor_ms = Milliseconds(defaults.default_step);
    params.step_ms = std::max(static_cast<std::int64_t>(seconds / 250) * 1000, floor_ms);
  } else {
    ASSIGN_OR_RETURN(params.step_ms, DurationParam(request, "step"));
    // A step of less than a millisecond is none.
  }
  if (params.step_ms <= 0) {
    return InvalidArgument(
        "zero or negative query resolution step widths are not accepted. Try a positive integer");
  }
  if (seconds * 1000 / static_cast<double>(params.step_ms) > kMaxPoints) {
    return InvalidArgument(
        "exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query "
        "resolution "
        "(?step=XX)");
  }
  RETURN_IF_ERROR(ParseCommon(request, defaults, &params));
  ASSIGN_OR_RETURN(params.max_source_resolution_ms,
                   Resolution(request, defaults.auto_downsampling,
                              std::chrono::milliseconds(params.step_ms / 5)));
  params.query = request.Param("query");
  return params;
}

StatusOr<MetadataParams> ParseMetadataParams(const net::HttpRequest& request,
                                             const ParamDefaults& defaults, TimestampMs now) {
  MetadataParams params;
  const TimestampMs earliest = defaults.metadata_time_range.count() == 0
                                   ? kEarliest
                                   : now - Milliseconds(defaults.metadata_time_range);
  auto start = TimeParam(request, "start", earliest);
  if (!start.ok()) return Annotate(start.status(), "bad_data");
  auto end =
      TimeParam(request, "end", defaults.metadata_time_range.count() == 0 ? -kEarliest : now);
  if (!end.ok()) return Annotate(end.status(), "bad_data");
  params.start = *start;
  params.end = *end;
  if (params.end < params.start)
    return InvalidArgument("bad_data: end timestamp must not be before start time");
  ASSIGN_OR_RETURN(params.partial_response,
                   BoolParam(request, "partial_response", defaults.partial_response));
  ASSIGN_OR_RETURN(params.dedup, BoolParam(request, "dedup", true));
  params.replica_labels = ReplicaLabels(request, defaults);
  ASSIGN_OR_RETURN(params.matchers, SelectorParams(request, "match[]"));
  ASSIGN_OR_RETURN(params.store_matchers, SelectorParams(request, "storeMatch[]"));
  ASSIGN_OR_RETURN(params.limit, LimitParam(request));
  return params;
}

StatusOr<ExemplarsParams> ParseExemplarsParams(const net::HttpRequest& request) {
  ExemplarsParams params;
  ASSIGN_OR_RETURN(params.start, TimeParam(request, "start", kEarliest));
  ASSIGN_OR_RETURN(params.end, TimeParam(request, "end", -kEarliest));
  if (params.end < params.start)
    return InvalidArgument("end timestamp must not be before start time");
  params.query = request.Param("query");
  return params;
}

StatusOr<MetricMetadataParams> ParseMetricMetadataParams(const net::HttpRequest& request) {
  MetricMetadataParams params;
  params.metric = request.Param("metric");
  const std::string_view text = request.Param("limit");
  if (text.empty()) return params;
  const std::string_view digits = text.starts_with('+') ? text.substr(1) : text;
  const char* const end = digits.data() + digits.size();
  const auto [last, error] = std::from_chars(digits.data(), end, params.limit);
  if (error == std::errc() && last == end) return params;
  // The number that the reference shows is what it could make of the text.
  const bool too_large = error == std::errc::result_out_of_range && last == end;
  const std::int32_t shown = !too_large ? 0 : digits.starts_with('-') ? INT32_MIN : INT32_MAX;
  return InvalidArgument("invalid metric metadata limit='{}'", shown);
}

StatusOr<TsdbStatusParams> ParseTsdbStatusParams(const net::HttpRequest& request) {
  TsdbStatusParams params;
  ASSIGN_OR_RETURN(const std::int64_t limit, LimitParam(request));
  ASSIGN_OR_RETURN(const std::vector<model::Matchers> lists, SelectorParams(request, "match[]"));
  for (const model::Matchers& list : lists)
    params.matchers.insert(params.matchers.end(), list.begin(), list.end());
  if (limit > INT32_MAX) return InvalidArgument("limit {} overflows int32", limit);
  if (limit > 0) params.limit = static_cast<std::int32_t>(limit);
  return params;
}

}  // namespace aevum::query
