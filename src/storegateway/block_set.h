// The blocks that the gateway serves, and which of them a request needs.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/clock.h"
#include "model/labels.h"
#include "model/matcher.h"
#include "storegateway/bucket_block.h"
#include "wire/store_api.h"

namespace aevum::storegateway {

// A block, and what is left of the matchers once its external labels have answered theirs.
struct ChosenBlock {
  std::shared_ptr<BucketBlock> block;
  model::Matchers matchers;
};

// Immutable, hence safe to share between threads.
class BlockSet {
 public:
  BlockSet() = default;
  explicit BlockSet(std::vector<std::shared_ptr<BucketBlock>> blocks);

  const std::vector<std::shared_ptr<BucketBlock>>& blocks() const { return blocks_; }

  // What blocks a request is about: those of `matchers` on external labels, and, of them, those
  // whose external labels with __block_id match `block_matchers`.
  struct Selection {
    const model::Matchers& matchers;
    const model::Matchers& block_matchers;
  };

  // Of each stream of data whose external labels match: what ChooseBlocks says.
  std::vector<ChosenBlock> Choose(const Selection& selection, TimestampMs min_time,
                                  TimestampMs max_time, std::int64_t max_resolution_ms) const;

  // All blocks that overlap the time, of every resolution, whose external labels match.
  std::vector<ChosenBlock> ChooseAll(const Selection& selection, TimestampMs min_time,
                                     TimestampMs max_time) const;

  // A TsdbInfo for each stream: its external labels and times, max_time exclusive as in meta.json.
  const std::vector<wire::TsdbInfo>& streams() const { return streams_; }

 private:
  struct Group {
    model::Labels labels;
    std::vector<std::shared_ptr<BucketBlock>> blocks;
  };
  std::vector<std::shared_ptr<BucketBlock>> blocks_;
  std::vector<Group> groups_;
  std::vector<wire::TsdbInfo> streams_;
};

}  // namespace aevum::storegateway
