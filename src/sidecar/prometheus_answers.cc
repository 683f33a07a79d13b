#include "sidecar/prometheus_answers.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>

#include <yaml-cpp/yaml.h>

#include "sidecar/prometheus_json.h"

namespace aevum::sidecar {
namespace {

// The value of a line of the text format when it is the wanted metric.
std::optional<double> ValueOfLine(std::string_view line, std::string_view name) {
  if (!line.starts_with(name)) return std::nullopt;
  line.remove_prefix(name.size());
  if (line.starts_with("{")) {
    const std::size_t close = line.find('}');
    if (close == std::string_view::npos) return std::nullopt;
    line.remove_prefix(close + 1);
  }
  if (!line.starts_with(" ")) return std::nullopt;
  line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
  double value = 0;
  if (std::from_chars(line.data(), line.data() + line.size(), value).ec != std::errc()) {
    return std::nullopt;
  }
  return value;
}

}  // namespace

StatusOr<std::string> ParseConfigAnswer(std::string_view json) {
  Envelope envelope;
  RETURN_IF_ERROR(envelope.Parse(json));
  ASSIGN_OR_RETURN(const JsonElement field, Member(envelope.data, "yaml", "data.yaml"));
  ASSIGN_OR_RETURN(const std::string_view yaml, AsString(field, "data.yaml"));
  return std::string(yaml);
}

StatusOr<model::Labels> ParseExternalLabels(std::string_view yaml) {
  constexpr std::string_view kField = "global.external_labels";
  try {
    const YAML::Node root = YAML::Load(std::string(yaml));
    if (root.IsNull()) return model::Labels();
    if (!root.IsMap()) return Unavailable("the configuration in data.yaml is not a map");
    const YAML::Node global = root["global"];
    if (!global || global.IsNull()) return model::Labels();
    if (!global.IsMap()) return Unavailable("field global of the configuration is not a map");
    const YAML::Node labels = global["external_labels"];
    if (!labels || labels.IsNull()) return model::Labels();
    if (!labels.IsMap()) return Unavailable("field {} of the configuration is not a map", kField);
    std::vector<std::pair<std::string, std::string>> pairs;
    for (const auto& entry : labels) {
      if (!entry.first.IsScalar() || !entry.second.IsScalar()) {
        return Unavailable("field {} of the configuration holds more than names and strings",
                           kField);
      }
      pairs.emplace_back(entry.first.Scalar(), entry.second.Scalar());
    }
    std::vector<model::Label> views;
    views.reserve(pairs.size());
    for (const auto& [name, value] : pairs) views.push_back({name, value});
    return model::Labels::FromUnsorted(std::move(views));
  } catch (const YAML::Exception& error) {
    return Unavailable("the configuration in data.yaml is not YAML: {}", error.what());
  }
}

StatusOr<std::string> ParseVersionAnswer(std::string_view json) {
  Envelope envelope;
  RETURN_IF_ERROR(envelope.Parse(json));
  ASSIGN_OR_RETURN(const JsonElement field, Member(envelope.data, "version", "data.version"));
  ASSIGN_OR_RETURN(const std::string_view version, AsString(field, "data.version"));
  return std::string(version);
}

StatusOr<std::map<std::string, std::string>> ParseFlagsAnswer(std::string_view json) {
  Envelope envelope;
  RETURN_IF_ERROR(envelope.Parse(json));
  simdjson::dom::object object;
  if (envelope.data.get(object) != simdjson::SUCCESS) {
    return WrongType("data", "an object", envelope.data);
  }
  std::map<std::string, std::string> flags;
  for (const auto member : object) {
    ASSIGN_OR_RETURN(const std::string_view value, AsString(member.value, member.key));
    flags.emplace(member.key, value);
  }
  return flags;
}

StatusOr<ConfigState> ParseRuntimeInfoAnswer(std::string_view json) {
  Envelope envelope;
  RETURN_IF_ERROR(envelope.Parse(json));
  ConfigState state;
  ASSIGN_OR_RETURN(const JsonElement succeeded,
                   Member(envelope.data, "reloadConfigSuccess", "data.reloadConfigSuccess"));
  if (succeeded.get(state.reload_succeeded) != simdjson::SUCCESS) {
    return WrongType("data.reloadConfigSuccess", "a boolean", succeeded);
  }
  ASSIGN_OR_RETURN(const JsonElement time,
                   Member(envelope.data, "lastConfigTime", "data.lastConfigTime"));
  ASSIGN_OR_RETURN(const std::string_view text, AsString(time, "data.lastConfigTime"));
  state.last_reload = text;
  return state;
}

StatusOr<StringsAnswer> ParseStringsAnswer(std::string_view json) {
  Envelope envelope;
  RETURN_IF_ERROR(envelope.Parse(json));
  StringsAnswer answer;
  if (!envelope.DataIsNull()) {
    ASSIGN_OR_RETURN(answer.strings, Strings(envelope.data, "data"));
  }
  ASSIGN_OR_RETURN(answer.warnings, Warnings(envelope));
  return answer;
}

StatusOr<SeriesAnswer> ParseSeriesAnswer(std::string_view json) {
  Envelope envelope;
  RETURN_IF_ERROR(envelope.Parse(json));
  SeriesAnswer answer;
  if (!envelope.DataIsNull()) {
    simdjson::dom::array items;
    if (envelope.data.get(items) != simdjson::SUCCESS) {
      return WrongType("data", "an array", envelope.data);
    }
    answer.series.reserve(items.size());
    for (const JsonElement item : items) {
      ASSIGN_OR_RETURN(model::Labels labels, LabelsOf(item, "data[]"));
      answer.series.push_back(std::move(labels));
    }
  }
  ASSIGN_OR_RETURN(answer.warnings, Warnings(envelope));
  return answer;
}

TimestampMs ParseLowestTimestamp(std::string_view metrics) {
  constexpr std::string_view kName = "prometheus_tsdb_lowest_timestamp_seconds";
  while (!metrics.empty()) {
    const std::size_t end = std::min(metrics.find('\n'), metrics.size());
    const std::optional<double> seconds = ValueOfLine(metrics.substr(0, end), kName);
    metrics.remove_prefix(std::min(end + 1, metrics.size()));
    if (!seconds) continue;
    // A database without a block says the largest 64-bit number of milliseconds, rounded to a
    // double.
    const double milliseconds = *seconds * 1000;
    if (!(std::abs(milliseconds) < 9.2e18)) return kMinTime;
    return static_cast<TimestampMs>(milliseconds);
  }
  return kMinTime;
}

std::string ParseErrorText(std::string_view body) {
  constexpr std::size_t kShown = 300;  // of a page of HTML, say; enough to recognise it
  simdjson::dom::parser parser;
  JsonElement root;
  std::string_view text;
  if (parser.parse(body.data(), body.size()).get(root) == simdjson::SUCCESS &&
      root["error"].get(text) == simdjson::SUCCESS) {
    return std::string(text);
  }
  std::string shown(body.substr(0, kShown));
  while (!shown.empty() && shown.back() == '\n') shown.pop_back();
  std::replace_if(
      shown.begin(), shown.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20; }, ' ');
  return shown.empty() ? "empty answer" : shown;
}

}  // namespace aevum::sidecar
