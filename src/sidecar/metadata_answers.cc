#include "sidecar/metadata_answers.h"

#include <charconv>
#include <cmath>
#include <utility>

#include "sidecar/prometheus_json.h"

namespace aevum::sidecar {
namespace {

// Beyond this milliseconds are not whole in a double.
constexpr double kMostSeconds = 9e12;

StatusOr<simdjson::dom::object> AsObject(JsonElement value, std::string_view field) {
  simdjson::dom::object object;
  if (value.get(object) != simdjson::SUCCESS) return WrongType(field, "an object", value);
  return object;
}

StatusOr<simdjson::dom::array> AsArray(JsonElement value, std::string_view field) {
  simdjson::dom::array array;
  if (value.get(array) != simdjson::SUCCESS) return WrongType(field, "an array", value);
  return array;
}

// 0 when it is absent.
template <typename Integer>
Status ReadInteger(JsonElement parent, std::string_view name, std::string_view path,
                   Integer* value) {
  JsonElement field;
  if (parent.at_key(name).get(field) != simdjson::SUCCESS || field.is_null()) return OkStatus();
  if (field.get(*value) != simdjson::SUCCESS)
    return WrongType(fmt::format("{}.{}", path, name), "a whole number", field);
  return OkStatus();
}

// A value as Prometheus writes it in a string: "1.5", "+Inf", "NaN".
StatusOr<double> ParseValue(std::string_view text) {
  std::string_view number = text;
  if (number.starts_with('+') && !number.starts_with("+-")) number.remove_prefix(1);
  double value = 0;
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), value);
  if (error != std::errc() || end != number.data() + number.size())
    return Unavailable("field data[].exemplars[].value must be a number in a string, not {}", text);
  return value;
}

StatusOr<wire::Metadata> ReadMeta(JsonElement value) {
  constexpr std::string_view kPath = "data.*[]";
  if (!value.is_object()) return WrongType(kPath, "an object", value);
  ASSIGN_OR_RETURN(const std::string_view type, StringMember(value, "type", kPath));
  ASSIGN_OR_RETURN(const std::string_view help, StringMember(value, "help", kPath));
  ASSIGN_OR_RETURN(const std::string_view unit, StringMember(value, "unit", kPath));
  return wire::Metadata{
      .type = std::string(type), .help = std::string(help), .unit = std::string(unit)};
}

// An object of labels; none when it is absent or null.
StatusOr<model::Labels> LabelsMember(JsonElement parent, std::string_view name,
                                     std::string_view path) {
  JsonElement value;
  if (parent.at_key(name).get(value) != simdjson::SUCCESS || value.is_null())
    return model::Labels();
  return LabelsOf(value, fmt::format("{}.{}", path, name));
}

StatusOr<wire::Exemplar> ReadExemplar(JsonElement value) {
  constexpr std::string_view kPath = "data[].exemplars[]";
  if (!value.is_object()) return WrongType(kPath, "an object", value);
  wire::Exemplar exemplar;
  ASSIGN_OR_RETURN(exemplar.labels, LabelsMember(value, "labels", kPath));
  ASSIGN_OR_RETURN(const JsonElement text, Member(value, "value", "data[].exemplars[].value"));
  ASSIGN_OR_RETURN(const std::string_view number, AsString(text, "data[].exemplars[].value"));
  ASSIGN_OR_RETURN(exemplar.value, ParseValue(number));
  ASSIGN_OR_RETURN(const double seconds, NumberMember(value, "timestamp", kPath));
  if (!(std::abs(seconds) <= kMostSeconds))
    return Unavailable("field {}.timestamp is no time: {}", kPath, seconds);
  exemplar.time = std::llround(seconds * 1000);
  return exemplar;
}

StatusOr<wire::ExemplarSeries> ReadSeries(JsonElement value) {
  constexpr std::string_view kPath = "data[]";
  if (!value.is_object()) return WrongType(kPath, "an object", value);
  wire::ExemplarSeries series;
  ASSIGN_OR_RETURN(series.labels, LabelsMember(value, "seriesLabels", kPath));
  ASSIGN_OR_RETURN(const std::vector<JsonElement> exemplars,
                   ArrayMember(value, "exemplars", kPath));
  series.exemplars.reserve(exemplars.size());
  for (const JsonElement item : exemplars) {
    ASSIGN_OR_RETURN(wire::Exemplar exemplar, ReadExemplar(item));
    series.exemplars.push_back(std::move(exemplar));
  }
  return series;
}

Status ReadStatistics(JsonElement data, std::string_view name,
                      std::vector<wire::Statistic>* statistics) {
  ASSIGN_OR_RETURN(const std::vector<JsonElement> items, ArrayMember(data, name, "data"));
  statistics->reserve(items.size());
  const std::string path = fmt::format("data.{}[]", name);
  for (const JsonElement item : items) {
    if (!item.is_object()) return WrongType(path, "an object", item);
    ASSIGN_OR_RETURN(const std::string_view text, StringMember(item, "name", path));
    wire::Statistic statistic{.name = std::string(text)};
    RETURN_IF_ERROR(ReadInteger(item, "value", path, &statistic.value));
    statistics->push_back(std::move(statistic));
  }
  return OkStatus();
}

Status ReadHead(JsonElement data, wire::HeadStatistics* head) {
  constexpr std::string_view kPath = "data.headStats";
  JsonElement stats;
  if (data.at_key("headStats").get(stats) != simdjson::SUCCESS || stats.is_null())
    return OkStatus();
  if (!stats.is_object()) return WrongType(kPath, "an object", stats);
  RETURN_IF_ERROR(ReadInteger(stats, "numSeries", kPath, &head->series));
  RETURN_IF_ERROR(ReadInteger(stats, "numLabelPairs", kPath, &head->label_pairs));
  RETURN_IF_ERROR(ReadInteger(stats, "chunkCount", kPath, &head->chunks));
  RETURN_IF_ERROR(ReadInteger(stats, "minTime", kPath, &head->min_time));
  return ReadInteger(stats, "maxTime", kPath, &head->max_time);
}

}  // namespace

StatusOr<MetadataAnswer> ParseMetadataAnswer(std::string_view json) {
  Envelope envelope;
  RETURN_IF_ERROR(envelope.Parse(json));
  MetadataAnswer answer;
  if (!envelope.DataIsNull()) {
    ASSIGN_OR_RETURN(const simdjson::dom::object metrics, AsObject(envelope.data, "data"));
    for (const auto metric : metrics) {
      ASSIGN_OR_RETURN(const simdjson::dom::array metas, AsArray(metric.value, "data.*"));
      std::vector<wire::Metadata>& list = answer.metadata[std::string(metric.key)];
      for (const JsonElement item : metas) {
        ASSIGN_OR_RETURN(wire::Metadata meta, ReadMeta(item));
        list.push_back(std::move(meta));
      }
    }
  }
  ASSIGN_OR_RETURN(answer.warnings, Warnings(envelope));
  return answer;
}

StatusOr<ExemplarsAnswer> ParseExemplarsAnswer(std::string_view json) {
  Envelope envelope;
  RETURN_IF_ERROR(envelope.Parse(json));
  ExemplarsAnswer answer;
  if (!envelope.DataIsNull()) {
    ASSIGN_OR_RETURN(const simdjson::dom::array items, AsArray(envelope.data, "data"));
    answer.series.reserve(items.size());
    for (const JsonElement item : items) {
      ASSIGN_OR_RETURN(wire::ExemplarSeries series, ReadSeries(item));
      answer.series.push_back(std::move(series));
    }
  }
  ASSIGN_OR_RETURN(answer.warnings, Warnings(envelope));
  return answer;
}

StatusOr<wire::TsdbStatistics> ParseTsdbStatusAnswer(std::string_view json) {
  Envelope envelope;
  RETURN_IF_ERROR(envelope.Parse(json));
  if (!envelope.data.is_object()) return WrongType("data", "an object", envelope.data);
  wire::TsdbStatistics statistics;
  RETURN_IF_ERROR(ReadHead(envelope.data, &statistics.head));
  RETURN_IF_ERROR(
      ReadStatistics(envelope.data, "seriesCountByMetricName", &statistics.series_by_metric));
  RETURN_IF_ERROR(
      ReadStatistics(envelope.data, "labelValueCountByLabelName", &statistics.values_by_label));
  RETURN_IF_ERROR(
      ReadStatistics(envelope.data, "memoryInBytesByLabelName", &statistics.memory_bytes_by_label));
  RETURN_IF_ERROR(ReadStatistics(envelope.data, "seriesCountByLabelValuePair",
                                 &statistics.series_by_label_pair));
  return statistics;
}

}  // namespace aevum::sidecar
