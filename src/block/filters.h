// The filters of a fetcher: which blocks a component leaves out.
#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/duration.h"
#include "base/logging.h"
#include "base/mutex.h"
#include "block/fetcher.h"
#include "block/marks.h"
#include "model/relabel.h"
#include "objstore/bucket.h"

namespace aevum::block {

// The label that holds a block's ULID for the selector.
inline constexpr std::string_view kBlockIdLabel = "__block_id";

// Keeps blocks with samples between two times (--min-time, --max-time).
class TimePartitionFilter final : public MetaFilter {
 public:
  // Whether a block that only touches one of the times is kept: it may hold a sample of max_time,
  // which a store serves; who lists the blocks between two times does not mean it.
  enum class Touching : std::uint8_t { kKept, kLeftOut };

  TimePartitionFilter(TimeOrDuration min_time, TimeOrDuration max_time,
                      const Clock& clock = Clock::System(), Touching touching = Touching::kKept)
      : min_time_(min_time), max_time_(max_time), clock_(clock), touching_(touching) {}
  Status Apply(const Context& context, FetchView& view) override;

 private:
  const TimeOrDuration min_time_;
  const TimeOrDuration max_time_;
  const Clock& clock_;
  const Touching touching_;
};

// Keeps blocks whose external labels, and kBlockIdLabel, the selector does not drop
// (--selector.relabel-config).
class LabelFilter final : public MetaFilter {
 public:
  // InvalidArgument when it can't be read or has other actions than keep, drop and hashmod.
  static StatusOr<std::shared_ptr<LabelFilter>> Create(std::string_view yaml);
  explicit LabelFilter(model::Relabeler selector) : selector_(std::move(selector)) {}
  Status Apply(const Context& context, FetchView& view) override;

 private:
  const model::Relabeler selector_;
};

// Leaves out blocks that were uploaded a moment ago, or made, when the time of upload is not known;
// but for those of compactors, which replace blocks that are there.
class ConsistencyDelayFilter final : public MetaFilter {
 public:
  ConsistencyDelayFilter(std::chrono::milliseconds delay, prometheus::Registry& registry,
                         const std::string& metric = "thanos_consistency_delay_seconds",
                         const Clock& clock = Clock::System());
  Status Apply(const Context& context, FetchView& view) override;

 private:
  const std::chrono::milliseconds delay_;
  const Clock& clock_;
};

// Leaves out blocks that were marked for deletion longer ago than a delay. A mark that can't be
// read is none, with a warning.
class DeletionMarkFilter final : public MetaFilter {
 public:
  struct Options {
    std::chrono::milliseconds delay{0};
    std::size_t concurrency = 32;
  };
  // Borrows the bucket.
  DeletionMarkFilter(Options options, objstore::Bucket& bucket, Logger logger,
                     const Clock& clock = Clock::System())
      : options_(options), bucket_(bucket), logger_(std::move(logger)), clock_(clock) {}
  Status Apply(const Context& context, FetchView& view) override;

  using Marks = std::map<model::Ulid, Mark>;
  // Of the last fetch, those within the delay included. Never null.
  std::shared_ptr<const Marks> marks() const { return marks_.Get(); }

 private:
  const Options options_;
  objstore::Bucket& bucket_;
  const Logger logger_;
  const Clock& clock_;
  Snapshot<Marks> marks_{std::make_shared<const Marks>()};
};

// Leaves out blocks whose sources another block of their group has too: what a compaction has
// replaced but not yet deleted.
class DuplicateFilter final : public MetaFilter {
 public:
  Status Apply(const Context& context, FetchView& view) override;

  // Of the last fetch, sorted.
  std::shared_ptr<const std::vector<model::Ulid>> duplicates() const { return duplicates_.Get(); }

 private:
  Snapshot<std::vector<model::Ulid>> duplicates_{
      std::make_shared<const std::vector<model::Ulid>>()};
};

// Removes labels from the metas, so that replicas fall into one group. A block without other labels
// gets the first of them with the value "deduped".
class ReplicaLabelRemover final : public MetaFilter {
 public:
  explicit ReplicaLabelRemover(std::vector<std::string> labels) : labels_(std::move(labels)) {}
  Status Apply(const Context& context, FetchView& view) override;

 private:
  const std::vector<std::string> labels_;
};

// Leaves out blocks that were converted to Parquet and are served from there.
class ParquetMigratedFilter final : public MetaFilter {
 public:
  Status Apply(const Context& context, FetchView& view) override;
};

}  // namespace aevum::block
