// One question to a group of servers, of which the first answer counts.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include <prometheus/counter.h>

#include "base/context.h"
#include "base/mutex.h"
#include "store/group.h"

namespace aevum::store {

// Asks the first of its runners at Start, the next ones as those fail or are late, each on a thread
// of the group's pool. The losers are cancelled. Held by its tasks and by who waits. Thread-safe.
template <typename T>
class Race : public std::enable_shared_from_this<Race<T>> {
 public:
  // What a runner does; returns when the context ends.
  using Ask = std::function<StatusOr<T>(const Context&, Store&)>;
  using Clock = Context::TimePoint::clock;

  // The runtime must outlive the race.
  Race(GroupRuntime& runtime, const Context& context, GroupStore::Runners runners, Ask ask)
      : runtime_(runtime), context_(context), runners_(std::move(runners)), ask_(std::move(ask)) {}

  void Start() {
    MutexLock lock(mutex_);
    AskNextLocked();
    if (runtime_.options_.hedge_quantile <= 0 || runners_.size() < 2 || result_) return;
    alarm_ = runtime_.clock_.Arm(
        [weak = this->weak_from_this()] {
          if (const auto self = weak.lock()) self->Hedge();
        },
        Clock::now() + PatienceWith(*runners_.front()));
  }

  // The answer; once. Ends with the context at the latest.
  StatusOr<T> Wait() {
    MutexLock lock(mutex_);
    while (!result_) {
      if (const Status ended = context_.status(); !ended.ok()) return ended;
      lock.WaitUntil(changed_, std::min(context_.deadline(), Clock::now() + kLongestWait));
    }
    return *std::move(result_);
  }

  // Nobody wants the answer any more, nor what comes after it.
  void Abandon() {
    MutexLock lock(mutex_);
    FinishLocked(MakeError(StatusCode::kCancelled, "nobody waits for the answer"));
    for (const auto& scope : scopes_) scope->Cancel();
  }

 private:
  // How soon a cancelled request is noticed.
  static constexpr std::chrono::milliseconds kLongestWait{50};

  std::chrono::nanoseconds PatienceWith(GroupStore::Runner& runner) {
    MutexLock lock(runner.mutex);
    const auto usual = runner.latency.Value();
    return usual ? std::max(*usual, runtime_.options_.least_delay)
                 : runtime_.options_.unknown_delay;
  }

  void Hedge() {
    MutexLock lock(mutex_);
    if (result_ || finished_ || scopes_.size() == runners_.size()) return;
    hedged_ = true;
    runtime_.hedges_->Increment();
    AskNextLocked();
  }

  void AskNextLocked() AEVUM_REQUIRES(mutex_) {
    if (scopes_.size() == runners_.size()) return;
    const std::size_t position = scopes_.size();
    scopes_.push_back(std::make_shared<CancelScope>(context_));
    ++running_;
    const auto task = [self = this->shared_from_this(), position, scope = scopes_.back(),
                       began = Clock::now()] { self->Run(position, *scope, began); };
    if (runtime_.pool_.Submit(task)) return;
    --running_;
    if (running_ == 0) FinishLocked(Unavailable("too many calls to groups of endpoints wait"));
  }

  void Run(std::size_t position, const CancelScope& scope, Clock::time_point began) {
    GroupStore::Runner& runner = *runners_[position];
    StatusOr<T> answer = ask_(scope.context(), *runner.store);
    const auto took = Clock::now() - began;
    MutexLock lock(mutex_);
    --running_;
    // One that lost took at least so long.
    if (answer.ok() || won_) {
      MutexLock runner_lock(runner.mutex);
      runner.latency.Add(took);
    }
    if (finished_) return;
    if (answer.ok()) {
      won_ = true;
      if (hedged_ && position > 0) runtime_.hedge_wins_->Increment();
      FinishLocked(std::move(answer));
      for (std::size_t i = 0; i < scopes_.size(); ++i) {
        if (i != position) scopes_[i]->Cancel();
      }
      return;
    }
    const Status error = Annotate(answer.status(), runner.address);
    if (error_.ok()) error_ = error;
    if (!context_.status().ok() || IsAnswer(error)) {
      FinishLocked(error);
      return;
    }
    if (scopes_.size() < runners_.size()) {
      AskNextLocked();
    } else if (running_ == 0) {
      FinishLocked(error_);
    }
  }

  // Errors that another member would give as well.
  static bool IsAnswer(const Status& status) {
    return status.code() == StatusCode::kInvalidArgument ||
           status.code() == StatusCode::kUnimplemented;
  }

  void FinishLocked(StatusOr<T> result) AEVUM_REQUIRES(mutex_) {
    if (finished_) return;
    finished_ = true;
    result_ = std::move(result);
    if (alarm_) runtime_.clock_.Disarm(*std::exchange(alarm_, std::nullopt));
    changed_.notify_all();
  }

  GroupRuntime& runtime_;
  const Context context_;
  const GroupStore::Runners runners_;
  const Ask ask_;
  Mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::shared_ptr<CancelScope>> scopes_ AEVUM_GUARDED_BY(mutex_);  // of those asked
  std::size_t running_ AEVUM_GUARDED_BY(mutex_) = 0;
  bool hedged_ AEVUM_GUARDED_BY(mutex_) = false;
  bool won_ AEVUM_GUARDED_BY(mutex_) = false;  // one has answered
  bool finished_ AEVUM_GUARDED_BY(mutex_) = false;
  std::optional<std::uint64_t> alarm_ AEVUM_GUARDED_BY(mutex_);
  std::optional<StatusOr<T>> result_ AEVUM_GUARDED_BY(mutex_);  // gone once it is taken
  Status error_ AEVUM_GUARDED_BY(mutex_);                       // the first
};

}  // namespace aevum::store
