// One sorted stream of series out of many: each label set once, with the chunks of all.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "base/status.h"
#include "chunk/chunk.h"
#include "store/store.h"

namespace aevum::store {

// What a merge does with an input that fails, or that does not keep the order of labels. Called
// with the position of the input and its error. OK: the input has ended and the others go on, what
// it had delivered stays; the function may have put a warning into `out`. An error ends the merge.
using InputErrorHandler =
    std::function<Status(std::size_t input, const Status& error, wire::SeriesBatch* out)>;

// A batch that MergeStreams gives holds at most this many series, and is given out early when the
// chunks of its series pass this size.
inline constexpr std::size_t kMergeBatchSeries = 1024;
inline constexpr std::size_t kMergeBatchChunkBytes = std::size_t{1} << 20;

// A loser tree over offset-value codes: one integer comparison decides most matches, so a series
// costs some 20 ns however many bytes of labels it shares with its neighbours.
//
// Holds one batch of each input. `sources` are those of the inputs, which may have only one table
// between them. Chunks of a label set are sorted as SortChunks says. Without a
// handler the first error of an input ends the stream. The first Next() pulls from every input, in
// their order.
std::unique_ptr<SeriesStream> MergeStreams(std::vector<std::unique_ptr<SeriesStream>> inputs,
                                           InputErrorHandler on_error = nullptr);

// Sorts the chunks of one series from `first` on by min time, max time, then by content, and drops
// those that are there twice: same bounds, same encoding, same bytes. Parts of one aggregate chunk
// stay together. What is left of equal ones is of the replicas of all of them. But for the numbers
// of the replicas the result does not depend on the order of the chunks before.
void SortChunks(std::vector<chunk::ChunkView>* chunks, std::size_t first);

}  // namespace aevum::store
