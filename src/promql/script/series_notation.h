// A series with its samples on one line, as test scripts write it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "model/histogram.h"
#include "model/labels.h"

namespace aevum::promql::script {

// One sample of the sequence: missing, a float, or a histogram.
struct SequenceValue {
  bool missing = false;
  double value = 0;
  std::shared_ptr<const model::FloatHistogram> histogram;
  bool reset_hint_given = false;                // the text names the reset hint of the histogram
  std::optional<std::int64_t> start_offset_ms;  // of its start timestamp from its time
};

struct SeriesLine {
  model::Labels labels;
  std::vector<SequenceValue> values;
};

// More samples than this on a line are an error.
inline constexpr std::size_t kMaxSequenceLength = 1'000'000;

// Reads `metric{label="value"} 1 2+3x4 _ _x2 stale {{schema:0 count:1}}x3`.
//
//     a       one sample            axn       n + 1 times the same
//     _       a missing one         _xn       n missing ones
//     stale   a staleness marker    a+bxn     a, a + b, .. a + n * b; also with -
//
// InvalidArgument when it is not well formed. Unimplemented for a step between histograms of
// different layouts.
StatusOr<SeriesLine> ParseSeriesLine(std::string_view line);

// Reads `metric{label="value"}@st _ -30s -1mx3 -1m-1mx2 _x2`: the offsets of start timestamps from
// the times of the samples, repeated and stepped like those. InvalidArgument when it is not well
// formed.
StatusOr<SeriesLine> ParseStartLine(std::string_view line);

// Whether a line is one of start timestamps.
bool IsStartLine(std::string_view line);

// The labels alone; `*line` is moved behind them.
StatusOr<model::Labels> ParseSeriesLabels(std::string_view* line);

// A number as scripts write it: decimal, Inf, NaN with a sign. False when it is something else.
bool ParseNumber(std::string_view text, double* out);

// A string in ", ' or ` with the escapes of Go; `*text` is moved behind it.
StatusOr<std::string> ParseQuoted(std::string_view* text);

}  // namespace aevum::promql::script
