#include "storegateway/bucket_block.h"

#include <algorithm>
#include <utility>

namespace aevum::storegateway {
namespace {

using SteadyClock = std::chrono::steady_clock;

// How soon who waits for another's opening notices that its own request has ended.
constexpr std::chrono::milliseconds kLongestWait{50};

}  // namespace

BucketBlock::BucketBlock(std::shared_ptr<const block::Meta> meta, OpenHeader open)
    : meta_(std::move(meta)),
      id_(meta_->ulid.ToString()),
      labels_(meta_->ExternalLabels()),
      open_(std::move(open)) {}

StatusOr<BucketBlock::Tables> BucketBlock::GetTables(const Context& context) {
  {
    MutexLock lock(mutex_);
    while (opening_) {
      RETURN_IF_ERROR(context.status());
      lock.WaitUntil(changed_, std::min(context.deadline(), SteadyClock::now() + kLongestWait));
    }
    last_use_ = SteadyClock::now();
    if (tables_) return tables_;
    opening_ = true;
  }
  StatusOr<Tables> opened = open_(context, *meta_);
  MutexLock lock(mutex_);
  opening_ = false;
  changed_.notify_all();
  if (opened.ok()) tables_ = *opened;
  return opened;
}

bool BucketBlock::LetGoUnusedSince(SteadyClock::time_point before) {
  MutexLock lock(mutex_);
  if (!tables_ || last_use_ >= before) return false;
  tables_.reset();
  return true;
}

}  // namespace aevum::storegateway
