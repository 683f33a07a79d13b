// What the bodies of Prometheus's HTTP API say.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/status.h"
#include "model/labels.h"

namespace aevum::sidecar {

// Label names or label values, as they came, with the warnings of the envelope.
struct StringsAnswer {
  std::vector<std::string> strings;
  std::vector<std::string> warnings;
};

struct SeriesAnswer {
  std::vector<model::Labels> series;
  std::vector<std::string> warnings;
};

// Of /api/v1/status/runtimeinfo.
struct ConfigState {
  bool reload_succeeded = false;
  std::string last_reload;  // RFC 3339 with whole seconds, comparable as text
};

// All of these give Unavailable when the body is not what Prometheus answers (half a JSON, another
// type, no Prometheus at all); the message names the field. An answer that says "error" is an error
// with Prometheus's text.

// The configuration, as YAML, out of /api/v1/status/config.
StatusOr<std::string> ParseConfigAnswer(std::string_view json);
// global.external_labels of a configuration; empty when there are none.
StatusOr<model::Labels> ParseExternalLabels(std::string_view yaml);
// The version of /api/v1/status/buildinfo, "2.42.0".
StatusOr<std::string> ParseVersionAnswer(std::string_view json);
StatusOr<std::map<std::string, std::string>> ParseFlagsAnswer(std::string_view json);
StatusOr<ConfigState> ParseRuntimeInfoAnswer(std::string_view json);
StatusOr<StringsAnswer> ParseStringsAnswer(std::string_view json);
StatusOr<SeriesAnswer> ParseSeriesAnswer(std::string_view json);
// The lowest time of Prometheus's database out of /metrics; kMinTime when it has no block yet or
// does not say.
TimestampMs ParseLowestTimestamp(std::string_view metrics);

// The text of an error answer: its "error" field, or the start of a body that is no JSON.
std::string ParseErrorText(std::string_view body);

}  // namespace aevum::sidecar
