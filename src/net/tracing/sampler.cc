#include "net/tracing/sampler.h"

#include <algorithm>

namespace aevum::net {
namespace {

// The sampler of OpenTelemetry by trace id looks at 63 of its bits, so that all processes whose
// share is the same choose the same traces.
constexpr double kIds = 9223372036854775808.0;  // 2^63

std::uint64_t BoundOf(double share) {
  if (!(share > 0)) return 0;
  return share >= 1 ? UINT64_MAX : static_cast<std::uint64_t>(share * kIds);
}

// Traces that may come at once after a quiet time.
double Burst(double rate) { return std::max(rate, 1.0); }

}  // namespace

Sampler::Sampler(const SamplerOptions& options)
    : options_(options), bound_(BoundOf(options.param)), credits_(Burst(options.param)) {}

bool Sampler::Sample(const TraceId& id, const RemoteParent* parent, TimePoint now) {
  if (parent != nullptr &&
      (parent->sampled ? options_.follow_sampled_parent : options_.follow_unsampled_parent)) {
    return parent->sampled;
  }
  return Decide(id, now);
}

bool Sampler::Decide(const TraceId& id, TimePoint now) {
  switch (options_.kind) {
    case SamplerKind::kAlways:
      return true;
    case SamplerKind::kNever:
      return false;
    case SamplerKind::kRatio:
      return id.low >> 1 < bound_;
    case SamplerKind::kRateLimit:
      return WithinRate(now);
  }
  return false;
}

bool Sampler::WithinRate(TimePoint now) {
  if (!(options_.param > 0)) return false;
  MutexLock lock(mutex_);
  if (filled_ == TimePoint()) filled_ = now;
  const std::chrono::duration<double> passed = std::max(now, filled_) - filled_;
  credits_ = std::min(Burst(options_.param), credits_ + passed.count() * options_.param);
  filled_ = std::max(now, filled_);
  if (credits_ < 1) return false;
  credits_ -= 1;
  return true;
}

}  // namespace aevum::net
