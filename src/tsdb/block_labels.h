// Names and values of the labels of a block.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/context.h"
#include "base/status.h"
#include "model/matcher.h"
#include "tsdb/block_source.h"
#include "tsdb/index_tables.h"

namespace aevum::tsdb {

// The names that occur in series that match, sorted. Without matchers from the tables alone; with
// them the entries of the series are read.
StatusOr<std::vector<std::string>> LabelNames(const Context& context, const IndexTables& tables,
                                              BlockSource& source, const model::Matchers& matchers);

// The values that a name has in series that match, sorted. Without matchers, or with matchers on
// the name itself alone, from the tables alone. Else either the entries of the series are read or
// the postings of the values, whichever is less.
StatusOr<std::vector<std::string>> LabelValues(const Context& context, const IndexTables& tables,
                                               BlockSource& source, std::string_view name,
                                               const model::Matchers& matchers);

}  // namespace aevum::tsdb
