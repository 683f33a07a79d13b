// The metrics of a compactor.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "block/marks.h"

namespace prometheus {
class Counter;
class Gauge;
class Histogram;
class Registry;
template <typename T>
class Family;
}  // namespace prometheus

namespace aevum::compact {

// Names are those of the contract, and aevum_compact_… what is ours. Thread-safe.
struct CompactMetrics {
  explicit CompactMetrics(prometheus::Registry& registry);

  // Of the label `resolution`, in milliseconds.
  struct OfResolution {
    prometheus::Counter& compactions;
    prometheus::Counter& vertical_compactions;
    prometheus::Counter& failures;
    prometheus::Counter& runs_started;
    prometheus::Counter& runs_completed;
  };
  OfResolution Of(std::int64_t resolution_ms);
  // Of the resolution of the block that is read.
  prometheus::Counter& Downsamplings(std::int64_t resolution_ms);
  prometheus::Counter& DownsampleFailures(std::int64_t resolution_ms);
  prometheus::Histogram& DownsampleSeconds(std::int64_t resolution_ms);
  void Marked(block::MarkKind kind, std::string_view reason);

 private:
  prometheus::Family<prometheus::Counter>& compactions_;
  prometheus::Family<prometheus::Counter>& vertical_compactions_;
  prometheus::Family<prometheus::Counter>& failures_;
  prometheus::Family<prometheus::Counter>& runs_started_;
  prometheus::Family<prometheus::Counter>& runs_completed_;
  prometheus::Family<prometheus::Counter>& downsamplings_;
  prometheus::Family<prometheus::Counter>& downsample_failures_;
  prometheus::Family<prometheus::Histogram>& downsample_seconds_;
  prometheus::Family<prometheus::Counter>& marked_;

 public:
  prometheus::Gauge& halted;
  prometheus::Counter& retries;
  prometheus::Counter& iterations;
  prometheus::Counter& cleanup_loops;
  prometheus::Counter& partial_upload_deletions;
  prometheus::Counter& blocks_cleaned;
  prometheus::Counter& cleanup_failures;
  prometheus::Counter& garbage_blocks;
  prometheus::Counter& garbage_collections;
  prometheus::Counter& garbage_failures;
  prometheus::Histogram& garbage_seconds;
  prometheus::Gauge& delete_delay_seconds;
  prometheus::Gauge& todo_compactions;
  prometheus::Gauge& todo_compaction_blocks;
  prometheus::Gauge& todo_downsample_blocks;
  prometheus::Gauge& todo_deletion_blocks;
  prometheus::Counter& chunk_bytes_read;
  prometheus::Gauge& scratch_bytes;
  prometheus::Gauge& problems;
};

}  // namespace aevum::compact
