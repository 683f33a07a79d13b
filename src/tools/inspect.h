// `tools bucket inspect`: the blocks of a bucket as a table.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "block/meta.h"

namespace aevum::tools {

// In the order of the columns; the names that --sort-by takes.
inline constexpr std::array<std::string_view, 13> kInspectColumns = {
    "ULID",    "FROM",       "UNTIL",       "RANGE",  "UNTIL-DOWN", "#SERIES", "#SAMPLES",
    "#CHUNKS", "COMP-LEVEL", "COMP-FAILED", "LABELS", "RESOLUTION", "SOURCE"};

struct InspectOptions {
  // External labels that a block must have, all of them.
  std::map<std::string, std::string> selector;
  // Columns, the first counts most; rows that are equal in all of them follow their ULIDs.
  std::vector<std::string> sort_by = {"FROM", "UNTIL"};
  enum class Form : std::uint8_t { kTable, kTsv, kCsv } form = Form::kTable;
};

// The table with its head. Numbers and times are sorted as such. InvalidArgument for a column that
// there is not.
StatusOr<std::string> InspectBlocks(const block::MetaMap& metas, const InspectOptions& options);

}  // namespace aevum::tools
