// Reads a block in a directory series by series. For tests.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/status.h"
#include "model/labels.h"
#include "tsdb/block_writer.h"

namespace aevum::compaction::testing {

// An error ends the reading and is its result. The chunks are valid during the call.
using SeriesVisitor = std::function<Status(const model::Labels& labels,
                                           const std::vector<tsdb::WrittenChunk>& chunks)>;
Status ReadBlock(const std::string& directory, const SeriesVisitor& visit);

}  // namespace aevum::compaction::testing
