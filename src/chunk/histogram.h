// Chunks of native histograms, of integer and of float counts, with and without start timestamps.
//
//     header | layout | first sample | later samples ...
//
// docs/format/chunk.md has the bits; the source is Prometheus's tsdb/chunkenc.
#pragma once

#include <string>
#include <string_view>

#include "base/status.h"
#include "chunk/chunk.h"

namespace aevum::chunk {

// Appends the samples of a chunk of `encoding`, one of the four of histograms; counts become
// absolute floats. Of a chunk of counters only the samples after the first are known to follow
// without a reset. A staleness marker is a histogram without buckets whose sum is one. Start
// timestamps are given where `out` wants them. Corruption when the bytes are not well formed,
// Unimplemented for a resolution above schema 8; the samples of `out` are unchanged then.
Status DecodeHistogram(Encoding encoding, std::string_view data, Columns* out);

// The chunk without the start timestamps that one of encoding kHistogramStart or
// kFloatHistogramStart has behind its samples. Errors as above.
StatusOr<std::string> StripStartTimes(Encoding encoding, std::string_view data);

}  // namespace aevum::chunk
