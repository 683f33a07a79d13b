// The order in which rows are looked at, whatever order they come in.
#pragma once

#include <vector>

#include "store/dedup/row_reader.h"

namespace aevum::store::dedup {

// Sorts rows by the first sample in which they differ: the earlier, then a live one before a
// marker, then the greater value; of a row and its own beginning the longer one. Drops those that
// are equal to another. Rows that have the same chunks are compared without decoding those.
void SortDistinct(std::vector<RowReader*>* rows);

}  // namespace aevum::store::dedup
