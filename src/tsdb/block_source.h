// Where the bytes of a block come from: a directory or a bucket.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/context.h"
#include "base/status.h"
#include "tsdb/posting_offsets.h"
#include "tsdb/postings.h"

namespace aevum::tsdb {

// The postings of one label, and where they stand.
struct PostingsKey {
  std::string_view name;
  std::string_view value;
  PostingsRange range;
};

// Views, and what keeps them alive.
struct Pieces {
  std::vector<std::string_view> bytes;
  std::vector<BufferOwner> owners;
};

// What differs between a block on disk and one in a bucket. Each call answers with one piece for
// each thing asked for, in the same order; a piece begins with it and may go on behind it. Readers
// check what they get: a source gives bytes as they are stored. Charges what it reads to the limits
// of the request, if there are any, before it reads. Thread-safe.
class BlockSource {
 public:
  virtual ~BlockSource() = default;

  // Sections of postings.
  virtual StatusOr<Pieces> ReadPostings(const Context& context,
                                        std::span<const PostingsKey> keys) = 0;
  // Entries of series, whose references rise.
  virtual StatusOr<Pieces> ReadSeries(const Context& context, std::span<const SeriesRef> refs) = 0;
  // Chunks of one segment, whose offsets rise.
  virtual StatusOr<Pieces> ReadChunks(const Context& context, std::uint32_t segment,
                                      std::span<const std::uint32_t> offsets) = 0;
};

}  // namespace aevum::tsdb
