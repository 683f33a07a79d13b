#include "storegateway/remote_index_cache.h"

#include <algorithm>
#include <utility>

#include "encoding/byte_writer.h"
#include "encoding/crc32c.h"
#include "storegateway/index_cache_keys.h"

namespace aevum::storegateway {
namespace {

using SteadyClock = std::chrono::steady_clock;

// Length, count and checksum of a section of postings.
constexpr std::uint64_t kSectionFrameBytes = 12;

// The section that tsdb::DecodePostings reads.
std::string SectionOf(const tsdb::Postings& postings) {
  std::string section;
  section.reserve(postings.size() * sizeof(tsdb::SeriesRef) + kSectionFrameBytes);
  encoding::PutU32(section,
                   static_cast<std::uint32_t>((postings.size() + 1) * sizeof(tsdb::SeriesRef)));
  encoding::PutU32(section, static_cast<std::uint32_t>(postings.size()));
  for (const tsdb::SeriesRef ref : postings) encoding::PutU32(section, ref);
  encoding::PutU32(section, encoding::Crc32c(std::string_view(section).substr(4)));
  return section;
}

}  // namespace

RemoteIndexCache::RemoteIndexCache(std::shared_ptr<cache::Cache> cache,
                                   std::chrono::nanoseconds ttl, prometheus::Registry& metrics)
    : cache_(std::move(cache)), ttl_(ttl), metrics_(metrics), codec_(metrics) {}

CachedItems RemoteIndexCache::Fetch(const Context& context, IndexItem kind,
                                    const std::vector<std::string>& keys) {
  const auto began = SteadyClock::now();
  CachedItems items = cache_->Fetch(context, keys);
  const auto missing = std::count_if(items.begin(), items.end(),
                                     [](const SharedBytes& item) { return item.empty(); });
  metrics_.Fetched(context, kind, keys.size(), items.size() - static_cast<std::size_t>(missing),
                   SteadyClock::now() - began);
  return items;
}

CachedItems RemoteIndexCache::FetchPostings(const Context& context, std::string_view block,
                                            std::span<const tsdb::PostingsKey> keys) {
  std::vector<std::string> texts;
  texts.reserve(keys.size());
  for (const tsdb::PostingsKey& key : keys)
    texts.push_back(PostingsCacheKey(block, key.name, key.value));
  CachedItems items = Fetch(context, IndexItem::kPostings, texts);
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (items[i].empty()) continue;
    const std::uint64_t room = std::max(keys[i].range.size(), kSectionFrameBytes);
    const StatusOr<tsdb::Postings> postings = codec_.Decode(
        context, items[i].view, (room - kSectionFrameBytes) / sizeof(tsdb::SeriesRef));
    // The index says how many there are, so what was cut does not pass for all.
    const bool whole =
        postings.ok() && postings->size() == (room - kSectionFrameBytes) / sizeof(tsdb::SeriesRef);
    items[i] = whole ? SharedBytes::Own(SectionOf(*postings)) : SharedBytes();
  }
  return items;
}

void RemoteIndexCache::StorePostings(const Context& context, std::string_view block,
                                     const tsdb::PostingsKey& key, const SharedBytes& section) {
  const StatusOr<tsdb::Postings> postings = tsdb::DecodePostings(section.view);
  if (!postings.ok()) return;  // who reads it says so
  std::string encoded = codec_.Encode(context, *postings);
  metrics_.Stored(context, IndexItem::kPostings, encoded.size());
  cache_->Store(PostingsCacheKey(block, key.name, key.value), SharedBytes::Own(std::move(encoded)),
                ttl_);
}

SharedBytes RemoteIndexCache::FetchExpanded(const Context& context, std::string_view block,
                                            const model::Matchers& matchers) {
  return Fetch(context, IndexItem::kExpandedPostings, {ExpandedPostingsCacheKey(block, matchers)})
      .front();
}

void RemoteIndexCache::StoreExpanded(const Context& context, std::string_view block,
                                     const model::Matchers& matchers, std::string encoded) {
  metrics_.Stored(context, IndexItem::kExpandedPostings, encoded.size());
  cache_->Store(ExpandedPostingsCacheKey(block, matchers), SharedBytes::Own(std::move(encoded)),
                ttl_);
}

CachedItems RemoteIndexCache::FetchSeries(const Context& context, std::string_view block,
                                          std::span<const std::uint64_t> numbers) {
  std::vector<std::string> keys;
  keys.reserve(numbers.size());
  for (const std::uint64_t number : numbers) keys.push_back(SeriesCacheKey(block, number));
  return Fetch(context, IndexItem::kSeries, keys);
}

void RemoteIndexCache::StoreSeries(const Context& context, std::string_view block,
                                   std::uint64_t number, const SharedBytes& bytes) {
  metrics_.Stored(context, IndexItem::kSeries, bytes.size());
  // A copy: what waits to be stored must not keep whole pages alive.
  cache_->Store(SeriesCacheKey(block, number), SharedBytes::Own(std::string(bytes.view)), ttl_);
}

}  // namespace aevum::storegateway
