// A stream without some of its labels, in the order of what remains.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/context.h"
#include "store/store.h"

namespace aevum::store {

// For stores that can't leave replica labels out themselves. The first Next() reads the whole
// stream, charged to the budget of the context until the last batch that was made of it is gone.
// Series that became equal follow one another.
std::unique_ptr<SeriesStream> SortWithoutLabels(const Context& context,
                                                std::unique_ptr<SeriesStream> stream,
                                                std::vector<std::string> labels);

}  // namespace aevum::store
