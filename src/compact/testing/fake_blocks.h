// Blocks whose samples are words, and work on them, for tests that are about the bucket.
#pragma once

#include <atomic>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "block/meta.h"
#include "compact/workplace.h"
#include "objstore/bucket.h"

namespace aevum::compact::testing {

// Each look at it is five minutes later: leases of the dead expire though nobody waits.
class TickingClock final : public Clock {
 public:
  explicit TickingClock(TimestampMs now) : now_(now) {}
  TimestampMs NowMs() const override { return now_.fetch_add(kTickMs); }
  void Advance(std::int64_t milliseconds) { now_.fetch_add(milliseconds); }

 private:
  static constexpr std::int64_t kTickMs = 300'000;
  mutable std::atomic<TimestampMs> now_;
};

model::Ulid IdOf(int number);

// Puts blocks with these labels into a bucket.
class BucketOf {
 public:
  explicit BucketOf(objstore::Bucket& bucket, std::string cluster = "eu", std::string replica = "")
      : bucket_(bucket), cluster_(std::move(cluster)), replica_(std::move(replica)) {}

  // `word` "" is the number.
  void Put(int number, TimestampMs min_time, TimestampMs max_time, std::string word = "",
           std::int64_t resolution_ms = 0);
  // With what meta.json says of the samples.
  void PutWithSamples(int number, TimestampMs min_time, TimestampMs max_time,
                      std::uint64_t samples);
  void PutWithoutMeta(int number);
  // As the meta says, files apart; the labels of this object do not matter.
  void PutBlock(block::Meta meta, const std::string& word);

 private:
  block::Meta MakeMeta(int number, TimestampMs min_time, TimestampMs max_time) const;

  objstore::Bucket& bucket_;
  const std::string cluster_;
  const std::string replica_;
};

// Min time, max time and resolution of blocks.
using Shape = std::multiset<std::tuple<TimestampMs, TimestampMs, std::int64_t>>;

struct FoundBlock {
  block::Meta meta;
  bool marked = false;  // for deletion
  std::set<std::string> samples;
};

struct FoundBlocks {
  std::map<model::Ulid, FoundBlock> all;
  std::vector<std::string> incomplete;    // names of objects that a meta.json lists in vain
  std::vector<std::string> without_meta;  // ids

  // Of the blocks that are not marked for deletion.
  Shape Live() const;
  std::set<std::string> LiveSamples() const;
};
FoundBlocks ReadBlocks(objstore::Bucket& bucket);

// Merges are unions of words. The word DAMAGED is a damage.
class FakeWork {
 public:
  BlockWork functions();

  std::atomic<int> merges = 0;
  // Set while nothing runs.
  Status merge_status;
  Status downsample_status;
  bool drop_all = false;  // merges find no samples

 private:
  StatusOr<compaction::MergeResult> Merge(const Context& context,
                                          const std::vector<compaction::MergeInput>& inputs,
                                          const std::string& directory);
  StatusOr<compaction::DownsampledBlock> Downsample(const Context& context, const block::Meta& meta,
                                                    const compaction::BlockPlace& place,
                                                    std::int64_t resolution_ms,
                                                    const std::string& directory);

  model::UlidGenerator ulids_;
};

}  // namespace aevum::compact::testing
