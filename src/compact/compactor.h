// The compactor: the queues over one bucket, once or for ever.
#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/mutex.h"
#include "block/blocks_api.h"
#include "compact/queues.h"
#include "compact/workplace.h"
#include "net/api/routes.h"

namespace aevum::compact {

// What is known of a queue.
struct QueueState {
  std::string name;
  std::size_t passes = 0;
  std::size_t done = 0;
  TimestampMs last_ms = 0;  // the end of the last pass; 0: none has ended
  Status status;            // of the last pass
};

// Constructor, then RunOnce, or Start and Stop. Thread-safe after that.
class Compactor {
 public:
  Compactor(CompactorOptions options, std::shared_ptr<objstore::Bucket> bucket, BlockWork work,
            Logger logger, prometheus::Registry& registry, const Clock& clock = Clock::System());
  ~Compactor();
  Compactor(const Compactor&) = delete;
  Compactor& operator=(const Compactor&) = delete;

  // Does all that there is to do, in the caller's thread and those that the options allow. The
  // first error; what it did not concern is done all the same.
  Status RunOnce(const Context& context);

  // Each queue in a thread of its own, again and again.
  void Start();
  // Idempotent. Work that is under way ends at its next step and leaves nothing behind.
  void Stop();

  // What is worked with, and what is in the bucket, for the API about blocks. The latter is filled
  // between Start and Stop.
  block::BlocksView loaded() const;
  block::BlocksView global() const;
  std::map<std::string, Problem> problems() const { return place_.problems.List(); }
  // What the queues share, for one pass by hand.
  Workplace& place() { return place_; }
  // Adds GET /api/v1/compact: queues and problems. Borrows the compactor.
  void AddRoutes(net::ApiRoutes& routes);

 private:
  using Pass = std::function<PassResult(const Context&, Workplace&)>;

  // Passes until one does nothing.
  Status Exhaust(const Context& context, std::size_t queue, const Pass& pass);
  PassResult Account(std::size_t queue, PassResult result);
  // A thread that calls `work` each interval.
  void StartLoop(Nanoseconds interval, std::function<void(const Context&)> work);
  void StartQueue(std::size_t queue, Nanoseconds interval, Pass pass, bool until_done);
  // False when the compactor stops.
  bool Sleep(Nanoseconds duration);
  void Halt(const Status& status);
  void RefreshGlobalView(const Context& context);
  Status WriteState(net::HttpResponse& response) const;

  Workplace place_;
  const Logger logger_;
  block::MetaFetcher global_fetcher_;
  CancelScope scope_{Context::Background()};
  mutable Mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ AEVUM_GUARDED_BY(mutex_) = false;
  bool halted_ AEVUM_GUARDED_BY(mutex_) = false;
  std::vector<QueueState> queues_ AEVUM_GUARDED_BY(mutex_);
  block::BlocksView global_ AEVUM_GUARDED_BY(mutex_);
  std::vector<std::thread> threads_;
};

}  // namespace aevum::compact
