// The commands of a test script: series to load, queries with what they must answer.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "base/status.h"
#include "promql/script/series_notation.h"

namespace aevum::promql::script {

// clear: forget all series.
struct Clear {};

// load <step> and load_with_nhcb <step>, then a series on each line, perhaps after a line with its
// start timestamps.
struct Load {
  std::int64_t step_ms = 0;
  bool with_custom_buckets = false;  // classic histograms also as native ones
  std::vector<SeriesLine> series;
};

// What an error or annotation must look like: any, a text, or a regular expression in it.
struct TextPattern {
  enum class Kind : std::uint8_t { kAny, kExact, kRegex };
  Kind kind = Kind::kAny;
  std::string text;

  bool Matches(std::string_view actual) const;
};

// eval instant at <time> <query>, eval range from <start> to <end> step <step> <query>, then what
// is expected.
struct Eval {
  int line = 0;  // of the script, from 1
  std::string query;
  bool range = false;
  TimestampMs start_ms = 0;  // the time of an instant query
  TimestampMs end_ms = 0;
  std::int64_t step_ms = 0;

  std::optional<TextPattern> fail;
  std::vector<TextPattern> warnings;
  std::vector<TextPattern> infos;
  bool no_warnings = false;
  bool no_infos = false;
  bool ordered = false;

  std::optional<double> scalar;
  std::optional<std::string> text;
  std::vector<SeriesLine> series;
  // An instant query that answers a range: the times of the expected samples.
  bool range_vector = false;
  TimestampMs vector_start_ms = 0;
  TimestampMs vector_end_ms = 0;
  std::int64_t vector_step_ms = 0;
};

using Command = std::variant<Clear, Load, Eval>;

// Reads a script in the language of Prometheus 3.14's promqltest. InvalidArgument, with the line,
// when it is not well formed.
StatusOr<std::vector<Command>> ParseScript(std::string_view text);

}  // namespace aevum::promql::script
