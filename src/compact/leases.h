// Leases: which of several workers on one bucket does a piece of work.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <thread>

#include "base/clock.h"
#include "base/context.h"
#include "base/logging.h"
#include "base/mutex.h"
#include "base/status.h"
#include "objstore/bucket.h"

namespace aevum::compact {

struct LeaseOptions {
  // Unlike that of any other worker.
  std::string owner;
  // A worker whose lease does not change for so long is taken for dead.
  std::chrono::milliseconds duration{30'000};
  // How long who waits for the leases of the dead rests before another try.
  std::chrono::milliseconds retry{10'000};
  std::string directory = "compact/leases";
};

class Leases;

// The right to do a piece of work, until it is lost or this object goes. Thread-safe.
class Lease {
 public:
  ~Lease();
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;

  // Of the work: ends with the one given to TryAcquire, or once the lease is lost.
  const Context& context() const;
  // Asks the bucket whether the lease is still ours, before something that others see. Aborted once
  // it is lost; other errors say that it could not be asked.
  Status Confirm(const Context& context);

 private:
  friend class Leases;
  struct State;
  Lease(Leases& leases, std::shared_ptr<State> state);

  Leases& leases_;
  const std::shared_ptr<State> state_;
};

// Takes, renews and gives back the leases of one worker; see docs/format/leases.md. No clocks are
// compared: a lease has expired when this worker saw it unchanged for its duration. What is right
// does not depend on leases, only that work is not done twice: blocks with equal sources are
// duplicates, of which one goes. Thread-safe; must outlive its leases.
class Leases {
 public:
  Leases(LeaseOptions options, std::shared_ptr<objstore::Bucket> bucket, Logger logger,
         const Clock& clock = Clock::System());
  ~Leases();
  Leases(const Leases&) = delete;
  Leases& operator=(const Leases&) = delete;

  struct Answer {
    // Null when another has it.
    std::unique_ptr<Lease> lease;
    // Whether the other was seen to live. If not it may be dead: worth another try.
    bool other_lives = false;
  };
  // `name` is a part of an object's name. An error says that the bucket could not be asked.
  StatusOr<Answer> TryAcquire(const Context& context, const std::string& name);

 private:
  friend class Lease;
  // How it is decided who has a lease.
  enum class Method : std::uint8_t { kUnknown, kConditions, kElection };
  enum class Sign : std::uint8_t { kUnknown, kAlive, kDead };
  struct Content {
    std::string text;
    std::string owner;  // "": the object can't be read as a lease
    std::int64_t renewal = 0;
    std::chrono::milliseconds duration{0};
    std::string version;
  };
  struct Seen {
    std::string text;
    TimestampMs since_ms = 0;
    bool changed = false;
  };

  StatusOr<Answer> AcquireByConditions(const Context& context, const std::string& name);
  StatusOr<Answer> TakeOver(const Context& context, std::shared_ptr<Lease::State> state);
  StatusOr<Answer> AcquireByElection(const Context& context, const std::string& name);
  // Whether another claim than ours stands before it. Removes those of the dead.
  StatusOr<Answer> AskOtherClaims(const Context& context, const Lease::State& ours, bool all);
  Answer Hold(std::shared_ptr<Lease::State> state);
  Status Renew(const Context& context, Lease::State& state);
  Status WriteByConditions(const Context& context, Lease::State& state,
                           objstore::UploadCondition condition);
  Status WriteClaim(const Context& context, Lease::State& state);
  StatusOr<Content> ReadContent(const Context& context, const std::string& object);
  Sign Watch(const std::string& object, const Content& content);
  void Release(const std::shared_ptr<Lease::State>& state);
  void RenewAll();
  Method method() const;
  void SetMethod(Method method);

  const LeaseOptions options_;
  const std::shared_ptr<objstore::Bucket> bucket_;
  const Logger logger_;
  const Clock& clock_;
  CancelScope scope_{Context::Background()};
  mutable Mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ AEVUM_GUARDED_BY(mutex_) = false;
  Method method_ AEVUM_GUARDED_BY(mutex_) = Method::kUnknown;
  std::map<std::string, std::shared_ptr<Lease::State>> held_ AEVUM_GUARDED_BY(mutex_);  // by name
  std::map<std::string, Seen> seen_ AEVUM_GUARDED_BY(mutex_);                           // by object
  std::thread thread_;  // renews what is held
};

}  // namespace aevum::compact
