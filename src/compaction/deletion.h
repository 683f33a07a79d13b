// Samples that somebody wants deleted from blocks: which series, and when.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/status.h"
#include "model/labels.h"
#include "model/matcher.h"

namespace aevum::compaction {

// Series that all matchers accept lose their samples of an interval. Matchers see the external
// labels of the block too.
struct Deletion {
  std::vector<model::Matcher> matchers;
  TimestampMs min_time = INT64_MIN;  // both inclusive
  TimestampMs max_time = INT64_MAX;
  std::string request_id;  // for the record only
};

}  // namespace aevum::compaction
