// Native histograms as test scripts write them: {{schema:1 sum:3 count:4 buckets:[1 2 1]}}.
#pragma once

#include <string_view>

#include "base/status.h"
#include "model/histogram.h"

namespace aevum::promql::script {

struct HistogramText {
  model::FloatHistogram histogram;
  bool reset_hint_given = false;
};

// Reads what stands at the front of `*text`, which is moved behind it. InvalidArgument when it is
// not well formed.
StatusOr<HistogramText> ParseHistogram(std::string_view* text);

// Adds `factor` times `b` to `*a`. Unimplemented when the schema of `b` is lower, or when zero
// threshold or custom bounds differ.
Status AddHistogram(model::FloatHistogram* a, const model::FloatHistogram& b, double factor);

// The same within `tolerance`, whatever the spans that describe the buckets. Reset hints are
// compared only when `compare_hint`.
bool HistogramsEqual(const model::FloatHistogram& a, const model::FloatHistogram& b,
                     bool compare_hint);

// Equal, both NaN, or different by a millionth at most.
bool AlmostEqual(double a, double b);

}  // namespace aevum::promql::script
