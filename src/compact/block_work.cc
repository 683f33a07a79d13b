#include "compact/workplace.h"

namespace aevum::compact {

BlockWork BlockWork::Real() {
  return {.merge = compaction::MergeBlocks, .downsample = compaction::DownsampleBlock};
}

}  // namespace aevum::compact
