#include "compaction/retention.h"

#include <algorithm>
#include <utility>

#include "compaction/downsample.h"

namespace aevum::compaction {
namespace {

using std::chrono::milliseconds;

// The place of a resolution in RetentionTimes.
std::optional<std::size_t> Place(std::int64_t resolution_ms) {
  if (resolution_ms == kResolutionRaw) return 0;
  if (resolution_ms == kResolution5m) return 1;
  if (resolution_ms == kResolution1h) return 2;
  return std::nullopt;
}

// How long a block must be for the copy that is one step coarser.
constexpr std::array<TimestampMs, 2> kRangeOfNext = {kDownsampleTo5mRange, kDownsampleTo1hRange};

// Whether `begin` lies at least `range` before `end`. Times may be anything.
bool IsAtLeastBefore(TimestampMs begin, TimestampMs end, std::uint64_t range) {
  return end > begin &&
         static_cast<std::uint64_t>(end) - static_cast<std::uint64_t>(begin) >= range;
}

class Expiry {
 public:
  Expiry(const block::MetaMap& metas, const RetentionPolicy& policy, TimestampMs now)
      : policy_(policy), now_(now) {
    for (const auto& [ulid, meta] : metas) {
      const std::optional<std::size_t> place = Place(meta->resolution_ms);
      if (!place.has_value()) continue;
      const std::vector<model::Ulid>& sources = meta->compaction.sources;
      sources_[*place].insert(sources.begin(), sources.end());
    }
  }

  std::optional<RetentionDecision> Decide(const std::shared_ptr<const block::Meta>& meta) const {
    const std::optional<std::size_t> place = Place(meta->resolution_ms);
    if (!place.has_value()) return std::nullopt;
    const std::optional<std::size_t> rule = RuleOf(*meta);
    const milliseconds retention = Keep(rule, *place);
    if (!IsPast(*meta, retention)) return std::nullopt;
    RetentionDecision decision{.meta = meta, .retention = retention, .rule = {}};
    if (rule.has_value() && policy_.rules[*rule].keep[*place].has_value()) decision.rule = rule;
    // A copy that would go at once is not waited for.
    decision.waits = IsCopyDue(*meta, *place) && !IsPast(*meta, Keep(rule, *place + 1));
    return decision;
  }

 private:
  std::optional<std::size_t> RuleOf(const block::Meta& meta) const {
    if (policy_.rules.empty()) return std::nullopt;
    const model::Labels labels = meta.ExternalLabels();
    const auto it = std::find_if(
        policy_.rules.begin(), policy_.rules.end(),
        [&](const RetentionRule& rule) { return model::MatchesAll(rule.matchers, labels); });
    if (it == policy_.rules.end()) return std::nullopt;
    return static_cast<std::size_t>(it - policy_.rules.begin());
  }

  milliseconds Keep(std::optional<std::size_t> rule, std::size_t place) const {
    const milliseconds otherwise = policy_.keep[place];
    return rule.has_value() ? policy_.rules[*rule].keep[place].value_or(otherwise) : otherwise;
  }

  bool IsPast(const block::Meta& meta, milliseconds retention) const {
    return retention.count() > 0 &&
           IsAtLeastBefore(meta.max_time, now_, static_cast<std::uint64_t>(retention.count()) + 1);
  }

  // Whether the copy that is one step coarser is still to be made.
  bool IsCopyDue(const block::Meta& meta, std::size_t place) const {
    if (!policy_.downsampling || place >= kRangeOfNext.size()) return false;
    const auto range = static_cast<std::uint64_t>(kRangeOfNext[place]);
    if (!IsAtLeastBefore(meta.min_time, meta.max_time, range)) return false;
    if (policy_.no_downsample.contains(meta.ulid)) return false;
    const std::vector<model::Ulid>& sources = meta.compaction.sources;
    return !std::all_of(sources.begin(), sources.end(), [&](const model::Ulid& source) {
      return sources_[place + 1].contains(source);
    });
  }

  const RetentionPolicy& policy_;
  const TimestampMs now_;
  std::array<std::set<model::Ulid>, 3> sources_;  // of all blocks of a resolution
};

}  // namespace

std::vector<RetentionDecision> BlocksBeyondRetention(const block::MetaMap& metas,
                                                     const RetentionPolicy& policy,
                                                     TimestampMs now) {
  const Expiry expiry(metas, policy, now);
  std::vector<RetentionDecision> decisions;
  for (const auto& [ulid, meta] : metas) {
    if (std::optional<RetentionDecision> decision = expiry.Decide(meta))
      decisions.push_back(*std::move(decision));
  }
  return decisions;
}

}  // namespace aevum::compaction
