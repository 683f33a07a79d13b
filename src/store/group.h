// Several servers that hold the same data as one store.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "base/thread_pool.h"
#include "store/recent_quantile.h"
#include "store/store.h"
#include "store/watchdog.h"

namespace prometheus {
class Counter;
class Registry;
}  // namespace prometheus

namespace aevum::store {

struct GroupOptions {
  // A member that is slower than this part of its own last answers is hedged; 0: none ever is.
  double hedge_quantile = 0.95;
  // How long a member is waited for of which too little is known.
  std::chrono::nanoseconds unknown_delay = std::chrono::seconds(1);
  // No member is hedged sooner: below it the second question costs more than it saves.
  std::chrono::nanoseconds least_delay = std::chrono::milliseconds(5);
};

// What all groups of a process share: the threads that wait for first answers, the clock that says
// when to hedge, and the counters. Must outlive its groups and their streams. Thread-safe.
class GroupRuntime {
 public:
  GroupRuntime(GroupOptions options, prometheus::Registry& metrics);
  ~GroupRuntime();

 private:
  template <typename T>
  friend class Race;
  friend class GroupStore;

  const GroupOptions options_;
  prometheus::Counter* hedges_;
  prometheus::Counter* hedge_wins_;
  ThreadPool pool_;
  Watchdog clock_;
};

// One of the servers.
struct GroupMember {
  std::string address;
  std::shared_ptr<Store> store;
  bool healthy = true;
};

// Members take turns, the healthy ones first. When one fails before it gave anything the next is
// asked; when one is slower than usual a second is asked too, and the first answer wins. What comes
// after the first batch of a stream is that of the same member. A question that all members would
// refuse is asked once. Without members: Unavailable. Thread-safe.
class GroupStore final : public Store {
 public:
  // Borrows the runtime.
  explicit GroupStore(GroupRuntime& runtime) : runtime_(runtime) {}

  // Replaces the members; what is known of those that stay is kept.
  void SetMembers(std::vector<GroupMember> members);

  StatusOr<std::unique_ptr<SeriesStream>> Series(const Context& context,
                                                 const wire::SeriesRequest& request) override;
  StatusOr<wire::LabelsResponse> LabelNames(const Context& context,
                                            const wire::LabelNamesRequest& request) override;
  StatusOr<wire::LabelsResponse> LabelValues(const Context& context,
                                             const wire::LabelValuesRequest& request) override;
  StatusOr<wire::InfoResponse> Info(const Context& context) override;

 private:
  template <typename T>
  friend class Race;

  // A member and how fast it was.
  struct Runner {
    explicit Runner(double quantile) : latency(quantile) {}
    std::string address;
    std::shared_ptr<Store> store;
    Mutex mutex;
    RecentQuantile latency AEVUM_GUARDED_BY(mutex);
  };
  struct Entry {
    std::shared_ptr<Runner> runner;
    bool healthy = true;
  };
  using Runners = std::vector<std::shared_ptr<Runner>>;

  // All members in the order in which this request asks them.
  Runners TakeTurn();

  GroupRuntime& runtime_;
  Mutex mutex_;
  std::vector<Entry> members_ AEVUM_GUARDED_BY(mutex_);
  std::size_t turn_ AEVUM_GUARDED_BY(mutex_) = 0;
};

}  // namespace aevum::store
