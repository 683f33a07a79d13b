#include "storegateway/read_ahead.h"

#include <condition_variable>
#include <optional>
#include <utility>

#include "base/mutex.h"

namespace aevum::storegateway {
namespace {

using store::SeriesStream;

// Held by the reader and by the task that fills it. The stream and the batch are the task's while
// it runs.
struct Ahead {
  std::unique_ptr<SeriesStream> stream;
  wire::SeriesBatch batch;
  Mutex mutex;
  std::condition_variable filled;
  std::optional<StatusOr<bool>> result AEVUM_GUARDED_BY(mutex);

  void Fill() {
    StatusOr<bool> more = stream->Next(&batch);
    MutexLock lock(mutex);
    result = std::move(more);
    filled.notify_all();
  }
};

class ReadAheadStream final : public SeriesStream {
 public:
  ReadAheadStream(std::unique_ptr<SeriesStream> stream, ThreadPool& pool) : pool_(pool) {
    ahead_->stream = std::move(stream);
    Start();
  }

  StatusOr<bool> Next(wire::SeriesBatch* batch) override {
    if (ended_) return *ended_;
    if (!started_) ahead_->Fill();
    StatusOr<bool> more = false;
    {
      MutexLock lock(ahead_->mutex);
      while (!ahead_->result) lock.Wait(ahead_->filled);
      more = *std::move(ahead_->result);
      ahead_->result.reset();
    }
    batch->Clear();
    std::swap(*batch, ahead_->batch);
    if (!more.ok() || !*more) {
      ended_ = more;
    } else {
      Start();
    }
    return more;
  }

 private:
  void Start() {
    started_ = pool_.Submit([ahead = ahead_] { ahead->Fill(); });
  }

  ThreadPool& pool_;
  const std::shared_ptr<Ahead> ahead_ = std::make_shared<Ahead>();
  bool started_ = false;  // a task fills, or has filled
  std::optional<StatusOr<bool>> ended_;
};

}  // namespace

std::unique_ptr<SeriesStream> ReadAhead(std::unique_ptr<SeriesStream> stream, ThreadPool& pool) {
  return std::make_unique<ReadAheadStream>(std::move(stream), pool);
}

}  // namespace aevum::storegateway
