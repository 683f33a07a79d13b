#include "storegateway/expanded_postings.h"

#include <utility>

#include <prometheus/counter.h>
#include <prometheus/registry.h>

#include "tsdb/posting_groups.h"

namespace aevum::storegateway {
namespace {

const std::string kPrefix = "thanos_bucket_store_";

prometheus::Family<prometheus::Counter>& FamilyOf(prometheus::Registry& metrics, const char* name,
                                                  const char* help) {
  return prometheus::BuildCounter().Name(kPrefix + name).Help(help).Register(metrics);
}

// No block has more series than the postings of all its series have room for.
std::size_t MostSeries(const tsdb::IndexTables& tables) {
  constexpr std::uint64_t kFrameBytes = 12;
  const std::optional<tsdb::PostingsRange> all = tables.postings().Find("", "");
  if (!all || all->size() < kFrameBytes) return 0;
  return (all->size() - kFrameBytes) / sizeof(tsdb::SeriesRef);
}

}  // namespace

PostingsMetrics::PostingsMetrics(prometheus::Registry& metrics)
    : lazy_(FamilyOf(metrics, "lazy_expanded_postings_total",
                     "Selectors of which some postings were not read.")
                .Add({})),
      keys_limit_(FamilyOf(metrics, "lazy_expanded_posting_groups_total",
                           "Groups of postings that were not read, by reason.")
                      .Add({{"reason", "keys_limit"}})),
      postings_size_(FamilyOf(metrics, "lazy_expanded_posting_groups_total",
                              "Groups of postings that were not read, by reason.")
                         .Add({{"reason", "postings_size"}})),
      lazy_bytes_(FamilyOf(metrics, "lazy_expanded_posting_size_bytes_total",
                           "Bytes of the postings that were not read.")
                      .Add({})),
      overfetched_bytes_(
          FamilyOf(metrics, "lazy_expanded_posting_series_overfetched_size_bytes_total",
                   "Bytes of series that were read only since some postings were not.")
              .Add({})),
      empty_(
          FamilyOf(metrics, "empty_postings_total", "Selectors that no series of a block has.")) {}

void PostingsMetrics::Expanded(const Context& context, const LazyPostings& lazy, bool empty) {
  if (lazy.groups() > 0) lazy_.Increment();
  keys_limit_.Increment(static_cast<double>(lazy.too_many_keys));
  postings_size_.Increment(static_cast<double>(lazy.too_large));
  lazy_bytes_.Increment(static_cast<double>(lazy.bytes));
  if (empty) empty_.Add({{"tenant", tenants_.Of(context.request().tenant)}}).Increment();
}

void PostingsMetrics::Overfetched(std::size_t bytes) {
  overfetched_bytes_.Increment(static_cast<double>(bytes));
}

bool PostingsExpander::FetchFromCache(const Context& context, const Block& block,
                                      const model::Matchers& matchers, ExpandedPostings* expanded) {
  const SharedBytes cached = cache_.FetchExpanded(context, block.id, matchers);
  if (cached.empty()) return false;
  StatusOr<tsdb::Postings> series = codec_.Decode(context, cached.view, MostSeries(block.tables));
  if (!series.ok()) return false;  // it is counted, and read anew
  expanded->series = *std::move(series);
  expanded->cached = true;
  return true;
}

StatusOr<ExpandedPostings> PostingsExpander::Expand(const Context& context, const Block& block,
                                                    tsdb::BlockSource& source,
                                                    const model::Matchers& matchers,
                                                    UseCache use_cache) {
  ExpandedPostings expanded;
  const bool cacheable = !matchers.empty() && use_cache == UseCache::kYes;
  if (cacheable && FetchFromCache(context, block, matchers, &expanded)) return expanded;
  ASSIGN_OR_RETURN(tsdb::PostingGroups groups,
                   tsdb::ResolveMatchers(context, block.tables.postings(), matchers));
  const LazyPostings lazy = MarkLazyGroups(lazy_, block.series_bytes, &groups);
  for (const tsdb::PostingGroup& group : groups.groups) {
    if (group.lazy) expanded.left.push_back(*group.matcher);
  }
  ASSIGN_OR_RETURN(expanded.series, tsdb::SelectSeries(context, groups, source));
  metrics_.Expanded(context, lazy, expanded.series.empty());
  // The postings of a single label are in the cache already.
  const bool combined =
      groups.groups.size() > 1 || (!groups.groups.empty() && groups.groups.front().keys.size() > 1);
  if (cacheable && combined && expanded.left.empty()) {
    cache_.StoreExpanded(context, block.id, matchers, codec_.Encode(context, expanded.series));
  }
  return expanded;
}

}  // namespace aevum::storegateway
