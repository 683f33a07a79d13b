#include "promql/script/series_notation.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <chrono>
#include <limits>
#include <utility>

#include "base/duration.h"
#include "chunk/chunk.h"
#include "promql/parser.h"
#include "promql/script/histogram_notation.h"

namespace aevum::promql::script {
namespace {

constexpr std::string_view kStartSuffix = "@st";

void SkipSpaces(std::string_view* text) {
  text->remove_prefix(std::min(text->find_first_not_of(" \t"), text->size()));
}

bool TakePrefix(std::string_view* text, std::string_view prefix) {
  if (!text->starts_with(prefix)) return false;
  text->remove_prefix(prefix.size());
  return true;
}

// The number at the front; false when there is none.
bool TakeNumber(std::string_view* text, double* out) {
  std::string_view rest = *text;
  const bool negative = rest.starts_with('-');
  if (negative || rest.starts_with('+')) rest.remove_prefix(1);
  if (rest.empty() || rest.front() == '-') return false;
  const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), *out);
  if (error == std::errc::result_out_of_range) {
    // Too small for a double is zero to Prometheus too; too large does not occur in scripts.
    *out = 0;
  } else if (error != std::errc()) {
    return false;
  }
  rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
  if (negative) *out = -*out;
  *text = rest;
  return true;
}

// "x3" or nothing. `*given` says which.
Status TakeRepeat(std::string_view* text, std::size_t* count, bool* given) {
  *given = TakePrefix(text, "x");
  *count = 0;
  if (!*given) return OkStatus();
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), *count);
  if (error != std::errc() || *count > kMaxSequenceLength) {
    return InvalidArgument("bad number of repetitions: {}", *text);
  }
  text->remove_prefix(static_cast<std::size_t>(end - text->data()));
  return OkStatus();
}

Status ParseHistograms(std::string_view* text, std::vector<SequenceValue>* out) {
  ASSIGN_OR_RETURN(HistogramText first, ParseHistogram(text));
  double factor = 0;
  HistogramText step;
  if (text->starts_with("+{{") || text->starts_with("-{{")) {
    factor = text->front() == '+' ? 1 : -1;
    text->remove_prefix(1);
    ASSIGN_OR_RETURN(step, ParseHistogram(text));
  }
  std::size_t count = 0;
  bool given = false;
  RETURN_IF_ERROR(TakeRepeat(text, &count, &given));
  if (factor != 0 && !given) return InvalidArgument("a step has no number of repetitions");
  for (std::size_t i = 0; i <= count; ++i) {
    if (i > 0 && factor != 0) {
      RETURN_IF_ERROR(AddHistogram(&first.histogram, step.histogram, factor));
    }
    out->push_back({.histogram = std::make_shared<model::FloatHistogram>(first.histogram),
                    .reset_hint_given = first.reset_hint_given});
  }
  return OkStatus();
}

Status ParseFloats(std::string_view* text, std::vector<SequenceValue>* out) {
  double value = 0;
  if (TakePrefix(text, "stale")) {
    value = std::bit_cast<double>(chunk::kStaleNanBits);
  } else if (!TakeNumber(text, &value)) {
    return InvalidArgument("not a sample: {}", *text);
  }
  double step = 0;
  const bool stepped = text->starts_with('+') || text->starts_with('-');
  if (stepped && !TakeNumber(text, &step)) return InvalidArgument("not a step: {}", *text);
  std::size_t count = 0;
  bool given = false;
  RETURN_IF_ERROR(TakeRepeat(text, &count, &given));
  if (stepped && !given) return InvalidArgument("a step has no number of repetitions");
  for (std::size_t i = 0; i <= count; ++i) {
    out->push_back({.value = value});
    // Added up rather than multiplied, so that rounding is the reference's. A marker stays one.
    if (stepped) value += step;
  }
  return OkStatus();
}

using ItemParser = Status(std::string_view* text, std::vector<SequenceValue>* out);

Status ParseSamples(std::string_view* text, std::vector<SequenceValue>* out) {
  return text->starts_with("{{") ? ParseHistograms(text, out) : ParseFloats(text, out);
}

// What stands between two blanks: missing ones, or what `parse` reads.
Status ParseItem(std::string_view* text, ItemParser* parse, std::vector<SequenceValue>* out) {
  if (TakePrefix(text, "_")) {
    std::size_t count = 0;
    bool given = false;
    RETURN_IF_ERROR(TakeRepeat(text, &count, &given));
    out->insert(out->end(), given ? count : 1, SequenceValue{.missing = true});
  } else {
    RETURN_IF_ERROR(parse(text, out));
  }
  if (!text->empty() && text->find_first_of(" \t") != 0) {
    return InvalidArgument("unexpected behind a sample: {}", *text);
  }
  if (out->size() > kMaxSequenceLength) return InvalidArgument("too many samples on a line");
  return OkStatus();
}

// A duration with an optional sign, in milliseconds; false when there is none.
bool TakeOffset(std::string_view* text, std::int64_t* out_ms) {
  std::string_view rest = *text;
  const bool negative = rest.starts_with('-');
  if (negative || rest.starts_with('+')) rest.remove_prefix(1);
  const auto is_part = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'w') || c == 'y';
  };
  const auto end = std::find_if_not(rest.begin(), rest.end(), is_part);
  const std::string_view digits = rest.substr(0, static_cast<std::size_t>(end - rest.begin()));
  const auto duration = ParsePrometheusDuration(digits);
  if (!duration.ok()) return false;
  *out_ms = std::chrono::duration_cast<std::chrono::milliseconds>(*duration).count();
  if (negative) *out_ms = -*out_ms;
  rest.remove_prefix(digits.size());
  *text = rest;
  return true;
}

Status ParseOffsets(std::string_view* text, std::vector<SequenceValue>* out) {
  std::int64_t offset = 0;
  if (!TakeOffset(text, &offset)) return InvalidArgument("not a start timestamp: {}", *text);
  std::int64_t step = 0;
  const bool stepped = text->starts_with('+') || text->starts_with('-');
  if (stepped && !TakeOffset(text, &step)) return InvalidArgument("not a step: {}", *text);
  std::size_t count = 0;
  bool given = false;
  RETURN_IF_ERROR(TakeRepeat(text, &count, &given));
  if (stepped && !given) return InvalidArgument("a step has no number of repetitions");
  for (std::size_t i = 0; i <= count; ++i, offset += step)
    out->push_back({.start_offset_ms = offset});
  return OkStatus();
}

// The name of a metric or label without quotes.
std::string_view TakeName(std::string_view* text) {
  const auto is_name = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == ':';
  };
  const auto end = std::find_if_not(text->begin(), text->end(), is_name);
  const std::string_view name = text->substr(0, static_cast<std::size_t>(end - text->begin()));
  text->remove_prefix(name.size());
  return name;
}

// Reads name="value" or "name"="value", or a lone "name of the metric".
Status ParseLabel(std::string_view* line, std::pair<std::string, std::string>* out) {
  const bool quoted = line->starts_with('"') || line->starts_with('\'') || line->starts_with('`');
  if (quoted) {
    ASSIGN_OR_RETURN(out->first, ParseQuoted(line));
  } else {
    out->first = TakeName(line);
  }
  if (out->first.empty()) return InvalidArgument("a label has no name: {}", *line);
  SkipSpaces(line);
  if (!TakePrefix(line, "=")) {
    if (!quoted) return InvalidArgument("a label has no value: {}", out->first);
    out->second = std::exchange(out->first, std::string(model::kMetricName));
    return OkStatus();
  }
  SkipSpaces(line);
  ASSIGN_OR_RETURN(out->second, ParseQuoted(line));
  return OkStatus();
}

Status ParseItems(std::string_view line, ItemParser* parse, std::vector<SequenceValue>* out) {
  SkipSpaces(&line);
  while (!line.empty()) {
    RETURN_IF_ERROR(ParseItem(&line, parse, out));
    SkipSpaces(&line);
  }
  return OkStatus();
}

}  // namespace

bool ParseNumber(std::string_view text, double* out) {
  return TakeNumber(&text, out) && text.empty();
}

StatusOr<std::string> ParseQuoted(std::string_view* text) {
  const char quote = text->empty() ? '\0' : text->front();
  if (quote != '"' && quote != '\'' && quote != '`') {
    return InvalidArgument("a string has no quotes: {}", *text);
  }
  std::size_t end = 1;
  while (end < text->size() && (*text)[end] != quote) {
    end += (*text)[end] == '\\' && quote != '`' ? 2 : 1;
  }
  if (end >= text->size()) return InvalidArgument("a string has no end: {}", *text);
  const std::string_view quoted = text->substr(0, end + 1);
  text->remove_prefix(end + 1);
  StatusOr<std::string> unquoted = Unquote(quoted);
  if (!unquoted.ok()) return InvalidArgument("bad string: {}", quoted);
  return unquoted;
}

StatusOr<model::Labels> ParseSeriesLabels(std::string_view* line) {
  std::vector<std::pair<std::string, std::string>> pairs;
  if (const std::string_view name = TakeName(line); !name.empty()) {
    pairs.emplace_back(model::kMetricName, name);
  }
  if (TakePrefix(line, "{")) {
    SkipSpaces(line);
    while (!TakePrefix(line, "}")) {
      RETURN_IF_ERROR(ParseLabel(line, &pairs.emplace_back()));
      SkipSpaces(line);
      if (!TakePrefix(line, ",") && !line->starts_with('}')) {
        return InvalidArgument("labels have no end: {}", *line);
      }
      SkipSpaces(line);
    }
  } else if (pairs.empty()) {
    return InvalidArgument("a line has no series: {}", *line);
  }
  std::vector<model::Label> labels;
  for (const auto& [name, value] : pairs) labels.push_back({name, value});
  return model::Labels::FromUnsorted(std::move(labels));
}

StatusOr<SeriesLine> ParseSeriesLine(std::string_view line) {
  SeriesLine out;
  ASSIGN_OR_RETURN(out.labels, ParseSeriesLabels(&line));
  RETURN_IF_ERROR(ParseItems(line, ParseSamples, &out.values));
  return out;
}

bool IsStartLine(std::string_view line) {
  return line.substr(0, line.find_first_of(" \t")).ends_with(kStartSuffix);
}

StatusOr<SeriesLine> ParseStartLine(std::string_view line) {
  SeriesLine out;
  ASSIGN_OR_RETURN(out.labels, ParseSeriesLabels(&line));
  if (!TakePrefix(&line, kStartSuffix)) return InvalidArgument("expected @st, got {}", line);
  RETURN_IF_ERROR(ParseItems(line, ParseOffsets, &out.values));
  return out;
}

}  // namespace aevum::promql::script
