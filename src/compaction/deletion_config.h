// The file that says what a rewrite deletes.
#pragma once

#include <string_view>
#include <vector>

#include "base/status.h"
#include "compaction/deletion.h"

namespace aevum::compaction {

// Reads the YAML list of Thanos, {matchers: '{a="b"}', intervals: [{mint: 1, maxt: 2}], request_id:
// text} an item, into one deletion an interval; without intervals all of the time. "" is the empty
// list. InvalidArgument names the item: no matchers, a field that is not known, a time that is no
// whole number of milliseconds, an interval that ends before it begins. ResourceExhausted for more
// than 100000 deletions.
StatusOr<std::vector<Deletion>> ParseDeletionConfig(std::string_view yaml);

}  // namespace aevum::compaction
