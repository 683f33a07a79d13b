#include "cache/write_queue.h"

#include <algorithm>
#include <utility>

namespace aevum::cache {
namespace {

// A batch is sent in one piece, and does not grow once it has so many bytes.
constexpr std::size_t kBatchBytes = 1 << 20;

std::size_t CostOf(const CacheWrite& item) { return item.key.size() + item.bytes.size(); }

}  // namespace

WriteQueue::WriteQueue(WriteQueueOptions options, Write write)
    : options_(options),
      write_(std::move(write)),
      pool_("cache-write", std::max<std::size_t>(options.threads, 1), options.threads + 1) {}

bool WriteQueue::Push(CacheWrite item) {
  const std::size_t cost = CostOf(item);
  bool start = false;
  {
    MutexLock lock(mutex_);
    if (stopping_ || items_.size() >= options_.max_items || cost > options_.max_bytes - bytes_)
      return false;
    bytes_ += cost;
    items_.push_back(std::move(item));
    start = running_ < pool_.threads();
    if (start) ++running_;
  }
  if (start) pool_.Submit([this] { Drain(); });
  return true;
}

std::vector<CacheWrite> WriteQueue::TakeBatch() {
  std::vector<CacheWrite> batch;
  std::size_t bytes = 0;
  MutexLock lock(mutex_);
  while (!stopping_ && !items_.empty() && bytes < kBatchBytes &&
         batch.size() < std::max<std::size_t>(options_.batch, 1)) {
    bytes += CostOf(items_.front());
    bytes_ -= CostOf(items_.front());
    batch.push_back(std::move(items_.front()));
    items_.pop_front();
  }
  if (batch.empty()) --running_;
  return batch;
}

void WriteQueue::Drain() {
  while (true) {
    std::vector<CacheWrite> batch = TakeBatch();
    if (batch.empty()) return;
    write_(std::move(batch));
  }
}

void WriteQueue::Stop() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
  }
  pool_.Stop();
}

}  // namespace aevum::cache
