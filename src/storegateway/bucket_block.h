// One block of the bucket as the gateway knows it.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <string>

#include "base/context.h"
#include "base/mutex.h"
#include "base/status.h"
#include "block/meta.h"
#include "model/labels.h"
#include "tsdb/index_tables.h"

namespace aevum::storegateway {

// Knows the meta.json at once and the index-header from the first use on, until nobody used it for
// a while. Thread-safe.
class BucketBlock {
 public:
  using Tables = std::shared_ptr<const tsdb::IndexTables>;
  // Opens the index-header of a block, which it makes when it is not there.
  using OpenHeader =
      std::function<StatusOr<Tables>(const Context& context, const block::Meta& meta)>;

  BucketBlock(std::shared_ptr<const block::Meta> meta, OpenHeader open);

  const block::Meta& meta() const { return *meta_; }
  const std::string& id() const { return id_; }
  // Its external labels.
  const model::Labels& labels() const { return labels_; }

  // Who holds the tables may go on using them after they were let go. An error is not kept: the
  // next call tries again. Callers that come meanwhile wait, until their context ends.
  StatusOr<Tables> GetTables(const Context& context);
  // True when they were in memory and unused since `before`; they are gone then.
  bool LetGoUnusedSince(std::chrono::steady_clock::time_point before);

 private:
  const std::shared_ptr<const block::Meta> meta_;
  const std::string id_;
  const model::Labels labels_;
  const OpenHeader open_;
  Mutex mutex_;
  std::condition_variable changed_;
  bool opening_ AEVUM_GUARDED_BY(mutex_) = false;  // by one caller, for all
  Tables tables_ AEVUM_GUARDED_BY(mutex_);
  std::chrono::steady_clock::time_point last_use_ AEVUM_GUARDED_BY(mutex_);
};

}  // namespace aevum::storegateway
