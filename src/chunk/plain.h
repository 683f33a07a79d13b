// Chunks of the newer encodings in those that every reader knows.
#pragma once

#include <string>
#include <string_view>

#include "base/status.h"
#include "chunk/chunk.h"

namespace aevum::chunk {

// The encoding of RewritePlain's result: kXor, kHistogram or kFloatHistogram.
Encoding PlainEncoding(Encoding encoding);

// The samples of a chunk of encoding kXor2, kHistogramStart or kFloatHistogramStart without their
// start timestamps, for peers that can't read these: floats are encoded anew, of histograms the
// bits of the start timestamps are left out. Corruption as Decode says it.
StatusOr<std::string> RewritePlain(Encoding encoding, std::string_view data);

}  // namespace aevum::chunk
