#include "storegateway/lazy_postings.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace aevum::storegateway {
namespace {

// Of the series that are left, a group is expected to keep so many.
constexpr double kMatchShare = 0.5;
constexpr std::uint64_t kPostingBytes = 4;

// Estimates as it goes over the groups what is left to select.
class Estimate {
 public:
  Estimate(const LazyPostingsOptions& options, std::uint64_t series_bytes, double first)
      : options_(options), series_bytes_(series_bytes), most_(first), left_(first) {}

  bool HasTooManyKeys(const tsdb::PostingGroup& group) const {
    return options_.max_keys_per_series > 0 &&
           static_cast<double>(group.keys.size()) > options_.max_keys_per_series * most_;
  }
  // Whether reading the group spares more than it costs; takes what it spares off what is left.
  bool IsWorthReading(const tsdb::PostingGroup& group) {
    const double postings = static_cast<double>(group.bytes() / kPostingBytes);
    // What a group subtracts is no more than it holds.
    const double spared = group.subtract ? std::ceil(std::min(postings, left_) * kMatchShare)
                                         : std::ceil(left_ * (1 - kMatchShare));
    left_ -= spared;
    return postings * kPostingBytes <= spared * static_cast<double>(series_bytes_);
  }
  bool nothing_left() const { return left_ <= 0; }

 private:
  const LazyPostingsOptions& options_;
  const std::uint64_t series_bytes_;
  const double most_;
  double left_;
};

}  // namespace

LazyPostings MarkLazyGroups(const LazyPostingsOptions& options, std::uint64_t series_bytes,
                            tsdb::PostingGroups* groups) {
  LazyPostings lazy;
  // The groups that add stand first, the smallest in front; one without a matcher is there when
  // none adds.
  if (!options.enabled || groups->groups.size() < 2 || groups->groups.front().matcher == nullptr)
    return lazy;
  for (const tsdb::PostingGroup& group : groups->groups) {
    if (group.matcher == nullptr) return lazy;
  }
  std::vector<tsdb::PostingGroup*> rest;
  for (std::size_t i = 1; i < groups->groups.size(); ++i) rest.push_back(&groups->groups[i]);
  std::stable_sort(rest.begin(), rest.end(),
                   [](const auto* a, const auto* b) { return a->bytes() < b->bytes(); });
  Estimate estimate(options, series_bytes,
                    static_cast<double>(groups->groups.front().bytes() / kPostingBytes));
  bool stopped = false;
  for (tsdb::PostingGroup* group : rest) {
    stopped = stopped || estimate.nothing_left();
    const bool too_many_keys = !stopped && estimate.HasTooManyKeys(*group);
    if (!stopped && !too_many_keys) stopped = !estimate.IsWorthReading(*group);
    group->lazy = stopped || too_many_keys;
    if (!group->lazy) continue;
    ++(too_many_keys ? lazy.too_many_keys : lazy.too_large);
    lazy.bytes += group->bytes();
  }
  return lazy;
}

}  // namespace aevum::storegateway
