// An index cache that keeps some kinds of items and lets the others pass.
#pragma once

#include <bitset>
#include <memory>
#include <string>
#include <utility>

#include "storegateway/index_cache.h"

namespace aevum::storegateway {

// Thread-safe, as the cache behind it.
class FilteredIndexCache final : public IndexCache {
 public:
  using Kinds = std::bitset<kIndexItems>;

  // `kinds` by the numbers of IndexItem.
  FilteredIndexCache(std::shared_ptr<IndexCache> cache, Kinds kinds)
      : cache_(std::move(cache)), kinds_(kinds) {}

  CachedItems FetchPostings(const Context& context, std::string_view block,
                            std::span<const tsdb::PostingsKey> keys) override {
    return Has(IndexItem::kPostings) ? cache_->FetchPostings(context, block, keys)
                                     : CachedItems(keys.size());
  }
  void StorePostings(const Context& context, std::string_view block, const tsdb::PostingsKey& key,
                     const SharedBytes& section) override {
    if (Has(IndexItem::kPostings)) cache_->StorePostings(context, block, key, section);
  }
  SharedBytes FetchExpanded(const Context& context, std::string_view block,
                            const model::Matchers& matchers) override {
    return Has(IndexItem::kExpandedPostings) ? cache_->FetchExpanded(context, block, matchers)
                                             : SharedBytes();
  }
  void StoreExpanded(const Context& context, std::string_view block,
                     const model::Matchers& matchers, std::string encoded) override {
    if (Has(IndexItem::kExpandedPostings))
      cache_->StoreExpanded(context, block, matchers, std::move(encoded));
  }
  SeriesUnit series_unit() const override {
    // Nothing is looked for by single series where none are kept.
    return Has(IndexItem::kSeries) ? cache_->series_unit() : SeriesUnit::kPages;
  }
  CachedItems FetchSeries(const Context& context, std::string_view block,
                          std::span<const std::uint64_t> numbers) override {
    return Has(IndexItem::kSeries) ? cache_->FetchSeries(context, block, numbers)
                                   : CachedItems(numbers.size());
  }
  void StoreSeries(const Context& context, std::string_view block, std::uint64_t number,
                   const SharedBytes& bytes) override {
    if (Has(IndexItem::kSeries)) cache_->StoreSeries(context, block, number, bytes);
  }

 private:
  bool Has(IndexItem kind) const { return kinds_[static_cast<std::size_t>(kind)]; }

  const std::shared_ptr<IndexCache> cache_;
  const Kinds kinds_;
};

}  // namespace aevum::storegateway
