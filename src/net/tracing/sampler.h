// Decides which traces are recorded.
#pragma once

#include <chrono>
#include <cstdint>

#include "base/mutex.h"
#include "base/trace.h"
#include "net/tracing/propagation.h"

namespace aevum::net {

enum class SamplerKind : std::uint8_t { kAlways, kNever, kRatio, kRateLimit };

struct SamplerOptions {
  SamplerKind kind = SamplerKind::kAlways;
  double param = 0;  // of kRatio the share of traces, of kRateLimit traces a second
  // What another process decided about its trace holds here too.
  bool follow_sampled_parent = true;
  bool follow_unsampled_parent = true;
};

// Asked once a trace and process: the operations of a request go with its first. Thread-safe.
class Sampler {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  explicit Sampler(const SamplerOptions& options);

  // `parent` may be null.
  bool Sample(const TraceId& id, const RemoteParent* parent, TimePoint now);

 private:
  bool Decide(const TraceId& id, TimePoint now);
  bool WithinRate(TimePoint now);

  const SamplerOptions options_;
  const std::uint64_t bound_;  // of kRatio: ids below it
  Mutex mutex_;
  double credits_ AEVUM_GUARDED_BY(mutex_);
  TimePoint filled_ AEVUM_GUARDED_BY(mutex_);
};

}  // namespace aevum::net
