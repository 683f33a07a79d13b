// A block written again without some series, or with other labels.
#pragma once

#include <functional>
#include <string>
#include <vector>

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
  std::function<void(std::uint64_t chunk_bytes)> progress;
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
// rewrite as Thanos's does (contract, "rewrites"). With `dry_run` of a caller: see
// MeasureRewrite. Errors as MergeBlocks.
StatusOr<RewriteResult> RewriteBlock(const Context& context, const MergeInput& input,
                                     const RewriteOptions& options, const std::string& directory);

// What RewriteBlock would do, without writing.
StatusOr<RewriteStats> MeasureRewrite(const Context& context, const MergeInput& input,
                                      const RewriteOptions& options);

}  // namespace aevum::compaction
