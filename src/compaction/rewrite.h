// A block written again without some series, or with other labels.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/context.h"
#include "base/status.h"
#include "compaction/deletion.h"
#include "compaction/merge.h"
#include "model/relabel.h"

namespace aevum::compaction {

struct RewriteOptions {
  std::vector<Deletion> deletions;
  // Changes or drops series; may be null. Series that become equal are merged.
  const model::Relabeler* relabeler = nullptr;
  // Told of each change, as the change log of the command shows it. May be null.
  std::function<Status(std::string_view line)> change_log;
  // Told now and then how many bytes of chunks the look at the block has read. May be null.
  std::function<void(std::uint64_t chunk_bytes)> progress;
  // Relabelled series are put in order in runs of this size.
  std::uint64_t run_bytes = 256ULL << 20;
  const Clock* clock = &Clock::System();
};

struct RewriteStats {
  std::uint64_t series_changed = 0;
  std::uint64_t series_dropped = 0;
  std::uint64_t samples_dropped = 0;
  std::uint64_t chunk_bytes_dropped = 0;
};

struct RewriteResult {
  std::vector<MergedBlock> blocks;  // none when nothing is left of the block
  RewriteStats stats;
  bool changed = false;  // otherwise `blocks` is empty too and nothing was written
};

// Writes the block anew below `directory` where something of it changes; meta.json tells of the
// rewrite as Thanos's does ("rewrites"). DataLoss when the block is damaged; nothing is left in
// `directory` after an error.
//
// The block is read once to see what changes. Deletions cost another reading and one writing. With
// a relabeler that changes something it is written twice more: without what is deleted, then as
// sorted runs, which are merged. Memory: the symbols as text, `run_bytes`, and what MergeBlocks
// takes. Disk: up to three times the block.
StatusOr<RewriteResult> RewriteBlock(const Context& context, const MergeInput& input,
                                     const RewriteOptions& options, const std::string& directory);

// What RewriteBlock would do, without writing.
StatusOr<RewriteStats> MeasureRewrite(const Context& context, const MergeInput& input,
                                      const RewriteOptions& options);

}  // namespace aevum::compaction
