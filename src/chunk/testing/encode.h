// Encodes columns as one chunk of any encoding. For tests.
#pragma once

#include <string>
#include <string_view>

#include "base/status.h"
#include "chunk/chunk.h"
#include "model/histogram.h"

namespace aevum::chunk::testing {

// What the header of a chunk of histograms says about a reset before it; kUnknown for other chunks.
model::ResetHint HintOf(Encoding encoding, std::string_view data);

// All samples, which must be of the kind of the encoding. Start timestamps are taken when the
// columns have them. InvalidArgument when histograms do not share a layout.
StatusOr<std::string> Encode(Encoding encoding, model::ResetHint hint, const Columns& columns);

}  // namespace aevum::chunk::testing
