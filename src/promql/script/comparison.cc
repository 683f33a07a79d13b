#include <algorithm>
#include <unordered_map>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "promql/script/histogram_notation.h"
#include "promql/script/runner.h"

namespace aevum::promql::script {
namespace {

// Expected series by their packed labels, with their place in the script.
using Expected = std::unordered_map<std::string_view, std::size_t>;

Expected IndexSeries(const std::vector<SeriesLine>& series) {
  Expected index;
  for (std::size_t i = 0; i < series.size(); ++i) index[series[i].labels.packed()] = i;
  return index;
}

std::string Describe(const AnswerSeries& series) {
  return fmt::format("{} at {} and {} histograms", series.values, series.times,
                     series.histograms.size());
}

// Compares annotations of one kind: each expectation must be met, and each annotation expected
// when any expectation is given.
std::string CompareAnnotations(std::string_view kind, const std::vector<TextPattern>& expected,
                               bool none, const std::vector<std::string>& actual) {
  if (none && !actual.empty()) return fmt::format("unexpected {}: {}", kind, actual.front());
  for (const TextPattern& pattern : expected) {
    const auto matches = [&](const std::string& text) { return pattern.Matches(text); };
    if (std::none_of(actual.begin(), actual.end(), matches)) {
      return fmt::format("no {} like \"{}\", got: {}", kind, pattern.text, actual);
    }
  }
  if (expected.empty()) return {};
  for (const std::string& text : actual) {
    const auto matches = [&](const TextPattern& pattern) { return pattern.Matches(text); };
    if (std::none_of(expected.begin(), expected.end(), matches)) {
      return fmt::format("unexpected {}: {}", kind, text);
    }
  }
  return {};
}

// Compares the samples of a series with a sequence whose first value is at `start`.
std::string CompareSamples(const SeriesLine& expected, TimestampMs start, std::int64_t step,
                           const AnswerSeries& actual) {
  std::size_t floats = 0;
  std::size_t histograms = 0;
  TimestampMs time = start;
  const std::string where = expected.labels.ToString();
  for (const SequenceValue& value : expected.values) {
    const TimestampMs at = time;
    time += step;
    if (value.missing) continue;
    if (value.histogram) {
      const std::size_t i = histograms++;
      if (i >= actual.histograms.size() || actual.histograms[i].time != at ||
          !HistogramsEqual(*value.histogram, *actual.histograms[i].value, value.reset_hint_given)) {
        return fmt::format("{} at {}: wrong or no histogram, got {}", where, at, Describe(actual));
      }
      continue;
    }
    const std::size_t i = floats++;
    if (i >= actual.times.size() || actual.times[i] != at ||
        !AlmostEqual(actual.values[i], value.value)) {
      return fmt::format("{} at {}: expected {}, got {}", where, at, value.value, Describe(actual));
    }
  }
  if (floats != actual.times.size() || histograms != actual.histograms.size()) {
    return fmt::format("{}: expected {} floats and {} histograms, got {}", where, floats,
                       histograms, Describe(actual));
  }
  return {};
}

std::string CompareSeries(const Eval& eval, const Answer& answer) {
  if (eval.scalar) return fmt::format("expected a scalar, got a {}", ValueTypeName(answer.type));
  const bool matrix = answer.type == ValueType::kMatrix;
  if (!eval.range && matrix && !eval.range_vector) {
    return "an instant query gave a range vector, which is not expected";
  }
  if (matrix && eval.ordered) return "expected an ordered vector, got a matrix";
  const TimestampMs start = eval.range_vector ? eval.vector_start_ms : eval.start_ms;
  const std::int64_t step = eval.range_vector ? eval.vector_step_ms : eval.step_ms;
  const Expected expected = IndexSeries(eval.series);
  std::vector<bool> seen(eval.series.size());
  for (std::size_t i = 0; i < answer.series.size(); ++i) {
    const AnswerSeries& series = answer.series[i];
    const auto it = expected.find(series.labels.packed());
    if (it == expected.end()) {
      return fmt::format("unexpected series {}: {}", series.labels.ToString(), Describe(series));
    }
    if (seen[it->second]) return fmt::format("twice the series {}", series.labels.ToString());
    seen[it->second] = true;
    if (eval.ordered && it->second != i) {
      return fmt::format("{} is at position {}, expected at {}", series.labels.ToString(), i + 1,
                         it->second + 1);
    }
    if (matrix && i > 0 && answer.series[i - 1].labels >= series.labels) {
      return fmt::format("not sorted at {}", series.labels.ToString());
    }
    std::string difference = CompareSamples(eval.series[it->second], start, step, series);
    if (!difference.empty()) return difference;
  }
  // By the index, since a script may give a series twice: the last line counts.
  for (const auto& [packed, i] : expected) {
    if (!seen[i]) return fmt::format("no series {}", eval.series[i].labels.ToString());
  }
  return {};
}

std::string CompareValue(const Eval& eval, const Answer& answer) {
  switch (answer.type) {
    case ValueType::kString:
      if (!eval.text) return fmt::format("unexpected string: {}", answer.text);
      if (*eval.text == answer.text) return {};
      return fmt::format("expected \"{}\", got \"{}\"", *eval.text, answer.text);
    case ValueType::kScalar:
      if (!eval.scalar) return fmt::format("expected series, got the scalar {}", answer.scalar);
      if (AlmostEqual(*eval.scalar, answer.scalar)) return {};
      return fmt::format("expected {}, got {}", *eval.scalar, answer.scalar);
    default:
      if (eval.text) return "expected a string, got series";
      return CompareSeries(eval, answer);
  }
}

}  // namespace

std::string Difference(const Eval& eval, const StatusOr<Answer>& answer) {
  if (!answer.ok()) {
    if (!eval.fail) return fmt::format("failed: {}", answer.status().message());
    if (eval.fail->Matches(answer.status().message())) return {};
    return fmt::format("expected the error \"{}\", got \"{}\"", eval.fail->text,
                       answer.status().message());
  }
  if (eval.fail) return "expected an error, got an answer";
  std::string difference =
      CompareAnnotations("warning", eval.warnings, eval.no_warnings, answer->warnings);
  if (difference.empty()) {
    difference = CompareAnnotations("info", eval.infos, eval.no_infos, answer->infos);
  }
  if (difference.empty()) difference = CompareValue(eval, *answer);
  return difference;
}

}  // namespace aevum::promql::script
