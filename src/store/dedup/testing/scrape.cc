#include "store/dedup/testing/scrape.h"

#include <algorithm>

namespace aevum::store::dedup::testing {

void Scrape(Random& random, const Process& process, const ReplicaPlan& plan,
            const std::function<void(TimestampMs time, std::optional<TimestampMs> read)>& add) {
  bool live = false;
  TimestampMs last = kMinTime;
  TimestampMs interval = plan.interval;
  for (TimestampMs slot = plan.start + plan.offset; slot < plan.end; slot += interval) {
    if (slot >= plan.change) {
      interval = static_cast<TimestampMs>(static_cast<double>(plan.interval) * plan.change_factor);
    }
    const auto jitter = static_cast<TimestampMs>(plan.jitter * Uniform(random, -0.5, 0.5) *
                                                 static_cast<double>(interval));
    const TimestampMs read = slot + jitter + Below(random, plan.latency + 1);
    const bool missed = Chance(random, plan.misses);
    const TimestampMs time = slot + jitter + plan.skew;
    const auto out = std::find_if(
        plan.outages.begin(), plan.outages.end(),
        [slot](const ReplicaPlan::Outage& o) { return o.down.from <= slot && slot < o.down.to; });
    const bool is_out = out != plan.outages.end();
    if ((is_out && !out->marked) || time <= last) {
      continue;
    }
    const bool success = !is_out && !missed && process.Up(read);
    if (!success && !(live && (is_out || plan.markers))) continue;
    add(time, success ? std::optional(read) : std::nullopt);
    live = success;
    last = time;
  }
}

}  // namespace aevum::store::dedup::testing
