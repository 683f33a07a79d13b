// Series of a block under other labels, in an order that these no longer have.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/context.h"
#include "base/status.h"
#include "compaction/merge.h"
#include "compaction/sample_encoder.h"
#include "model/labels.h"
#include "model/ulid.h"
#include "tsdb/block_writer.h"

namespace aevum::compaction {

// Takes series in any order and gives blocks that are sorted. Series that become equal within a run
// are merged there; those of several runs when the runs are merged. Thread-compatible.
class RelabelRuns {
 public:
  // `meta` is that of the block. Runs are written below `directory`, which belongs to the caller.
  RelabelRuns(block::Meta meta, std::string directory, std::uint64_t run_bytes, const Clock& clock)
      : meta_(std::move(meta)),
        directory_(std::move(directory)),
        run_bytes_(run_bytes),
        clock_(clock),
        ulids_(clock) {}

  // Copies the chunks. Corruption when chunks of series that become equal can't be merged.
  Status Add(const Context& context, const model::Labels& labels,
             const std::vector<tsdb::WrittenChunk>& chunks);
  // The runs, none when nothing was added.
  StatusOr<std::vector<MergeInput>> Finish(const Context& context);

 private:
  struct Series {
    model::Labels labels;
    std::vector<EncodedChunk> chunks;
  };

  Status WriteRun(const Context& context);
  // Makes one run of all, so that few are open at once.
  Status JoinRuns(const Context& context);
  // Puts the chunks of equal series in order and merges those that overlap.
  Status MergeChunks(std::vector<EncodedChunk>* chunks) const;

  const block::Meta meta_;
  const std::string directory_;
  const std::uint64_t run_bytes_;
  const Clock& clock_;
  model::UlidGenerator ulids_;
  std::vector<Series> series_;
  std::uint64_t bytes_ = 0;
  std::vector<MergeInput> runs_;
};

}  // namespace aevum::compaction
