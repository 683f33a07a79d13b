// Which blocks have been kept for as long as they are to be kept.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/status.h"
#include "block/meta.h"
#include "model/matcher.h"
#include "model/ulid.h"

namespace aevum::compaction {

// How long blocks are kept; 0: for ever. Order: raw, 5 minutes, 1 hour.
using RetentionTimes = std::array<std::chrono::milliseconds, 3>;

// Other times for blocks whose external labels all matchers accept.
struct RetentionRule {
  model::Matchers matchers;
  // Where a time is absent, that of the policy holds.
  std::array<std::optional<std::chrono::milliseconds>, 3> keep;
};

struct RetentionPolicy {
  RetentionTimes keep{};
  // The first that matches a block decides.
  std::vector<RetentionRule> rules;
  // Whether coarse copies are made at all: if so, blocks wait for theirs.
  bool downsampling = true;
  // Blocks with a mark, of which no coarse copy will be made.
  std::set<model::Ulid> no_downsample;
};

// The rules of a file (docs/user/retention.md): a list of {matchers, raw, 5m, 1h}, the matchers a
// selector, the others durations of Prometheus. An empty text has none. InvalidArgument names the
// rule and what is wrong with it.
StatusOr<std::vector<RetentionRule>> ParseRetentionRules(std::string_view yaml);

struct RetentionDecision {
  std::shared_ptr<const block::Meta> meta;
  std::chrono::milliseconds retention{0};  // that it is past
  // Number of the rule, from 0; absent: none matched, or it leaves the time to the policy.
  std::optional<std::size_t> rule;
  // The coarse copy, which would be kept for longer, does not exist yet: the block has to stay.
  bool waits = false;
};

// The blocks whose last sample is older than their retention, by ULID. `metas` are all blocks that
// are not marked for deletion: a copy that is about to go is none. Blocks of unknown resolutions
// are never among them.
std::vector<RetentionDecision> BlocksBeyondRetention(const block::MetaMap& metas,
                                                     const RetentionPolicy& policy,
                                                     TimestampMs now);

}  // namespace aevum::compaction
