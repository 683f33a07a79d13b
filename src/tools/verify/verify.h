// `tools bucket verify`: looks for what is wrong with the blocks of a bucket, and repairs what it
// can.
#pragma once

#include <cstddef>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/context.h"
#include "base/duration.h"
#include "base/logging.h"
#include "base/status.h"
#include "block/fetcher.h"
#include "model/ulid.h"
#include "objstore/bucket.h"
#include "tools/progress.h"

namespace prometheus {
class Counter;
class Registry;
}  // namespace prometheus

namespace aevum::tools {

// Blocks of a group that cover the same time. Only looked for.
inline constexpr std::string_view kOverlappedBlocks = "overlapped_blocks";
// Damaged or missing bytes of index and segments, and what old compactors did to indexes. Only
// looked for.
inline constexpr std::string_view kIndexKnownIssues = "index_known_issues";
// Several blocks that one compaction made of the same sources. Repaired: all but one are removed.
inline constexpr std::string_view kDuplicatedCompaction = "duplicated_compaction";

struct VerifyOptions {
  std::vector<std::string> issues = {std::string(kIndexKnownIssues),
                                     std::string(kOverlappedBlocks)};
  std::set<model::Ulid> ids;  // empty: all blocks
  bool repair = false;
  // How long a block that a repair replaces stays, marked for deletion; 0: it goes at once.
  Nanoseconds delete_delay{0};
  const Clock* clock = &Clock::System();
};

// One run. Findings are log lines. Thread-compatible.
class Verifier {
 public:
  // `backup` takes a copy of each block before a repair removes it; null without a repair. Borrows
  // all but the options and the logger.
  Verifier(VerifyOptions options, objstore::Bucket& bucket, objstore::Bucket* backup,
           block::MetaFetcher& fetcher, ProgressBar& progress, Logger logger,
           prometheus::Registry& metrics);

  // InvalidArgument for an issue that there is not, and for a repair without a backup. DataLoss
  // when blocks are damaged, Unimplemented when issues were found that a repair was asked for and
  // can't repair; all others were looked at and repaired first. Other errors end the run.
  Status Run(const Context& context);

 private:
  Status CheckOptions() const;
  Status RunIssue(const Context& context, std::string_view issue, const Logger& logger);
  Status VerifyOverlaps(const Context& context, const Logger& logger);
  Status VerifyBlocks(const Context& context, const Logger& logger);
  Status VerifyBlock(const Context& context, const block::Meta& meta, std::string* problems);
  Status RepairDuplicates(const Context& context, const Logger& logger);
  Status BackUpAndRemove(const Context& context, const model::Ulid& block, const Logger& logger);
  bool IsWanted(const model::Ulid& block) const {
    return options_.ids.empty() || options_.ids.contains(block);
  }

  const VerifyOptions options_;
  objstore::Bucket& bucket_;
  objstore::Bucket* const backup_;
  block::MetaFetcher& fetcher_;
  ProgressBar& progress_;
  const Logger logger_;
  prometheus::Counter& marked_;
  std::size_t damaged_ = 0;
  std::size_t not_repaired_ = 0;
};

}  // namespace aevum::tools
