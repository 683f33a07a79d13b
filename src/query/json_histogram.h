// Native histograms in answers of the API.
#pragma once

#include <string>

#include "model/histogram.h"

namespace aevum::query {

// Appends {"count":"4","sum":"3","buckets":[[0,"1","2","4"]]}. Each bucket begins with which of its
// bounds belong to it: 0 the upper, 1 the lower, 2 none, 3 both. Empty buckets are left out.
void AppendJsonHistogram(std::string& out, const model::FloatHistogram& histogram);

}  // namespace aevum::query
