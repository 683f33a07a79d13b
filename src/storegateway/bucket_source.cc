#include "storegateway/bucket_source.h"

#include <algorithm>
#include <utility>

#include "encoding/byte_reader.h"
#include "encoding/byte_writer.h"
#include "encoding/crc32c.h"
#include "tsdb/chunk_segment.h"
#include "tsdb/series_entry.h"

namespace aevum::storegateway {
namespace {

// No real series or chunk comes near it; a length beyond it is damage.
constexpr std::uint64_t kMostRecordBytes = 64 << 20;
// The longest length, so that what it says is known.
constexpr std::size_t kLengthBytes = 10;
constexpr std::size_t kChecksumBytes = 4;

}  // namespace

BucketSource::BucketSource(objstore::Bucket& bucket, std::string block,
                           const tsdb::IndexTables& tables, IndexCache& cache, RequestReads& reads,
                           BucketSourceOptions options)
    : bucket_(bucket),
      block_(std::move(block)),
      tables_(tables),
      cache_(cache),
      reads_(reads),
      options_(std::move(options)) {}

Status BucketSource::Read(const Context& context, objstore::Bucket& bucket, DataType type,
                          const std::string& name, MergedExtents& extents) {
  RETURN_IF_ERROR(reads_.Charge(type, extents.bytes(), extents.parts().size()));
  return extents.Read(context, bucket, name);
}

StatusOr<tsdb::Pieces> BucketSource::ReadPostings(const Context& context,
                                                  std::span<const tsdb::PostingsKey> keys) {
  CachedItems items = cache_.FetchPostings(context, block_, keys);
  std::vector<std::size_t> missing;
  std::vector<Extent> extents;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (!items[i].empty()) continue;
    missing.push_back(i);
    extents.push_back({keys[i].range.begin, keys[i].range.end});
  }
  tsdb::Pieces pieces;
  if (!missing.empty()) {
    MergedExtents merged(extents);
    RETURN_IF_ERROR(Read(context, bucket_, DataType::kPostings, block_ + "/index", merged));
    for (std::size_t i = 0; i < missing.size(); ++i) {
      items[missing[i]] = merged.Slice(i);
      cache_.StorePostings(context, block_, keys[missing[i]], items[missing[i]]);
    }
  }
  std::uint64_t bytes = 0;
  pieces.bytes.reserve(items.size());
  for (SharedBytes& item : items) {
    bytes += item.size();
    pieces.bytes.push_back(item.view);
    if (pieces.owners.empty() || pieces.owners.back() != item.owner)
      pieces.owners.push_back(std::move(item.owner));
  }
  reads_.Touch(DataType::kPostings, keys.size(), bytes);
  return pieces;
}

Status BucketSource::FetchPages(const Context& context, std::span<const std::uint64_t> wanted,
                                Pages* pages) {
  const bool cached = cache_.series_unit() == IndexCache::SeriesUnit::kPages;
  CachedItems items =
      cached ? cache_.FetchSeries(context, block_, wanted) : CachedItems(wanted.size());
  std::vector<std::size_t> missing;
  std::vector<Extent> extents;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (!items[i].empty()) continue;
    missing.push_back(i);
    extents.push_back({wanted[i] * options_.page_bytes, (wanted[i] + 1) * options_.page_bytes});
  }
  if (!missing.empty()) {
    MergedExtents merged(extents);
    RETURN_IF_ERROR(Read(context, bucket_, DataType::kSeries, block_ + "/index", merged));
    for (std::size_t i = 0; i < missing.size(); ++i) {
      SharedBytes& page = items[missing[i]];
      page = merged.Slice(i);
      if (cached) cache_.StoreSeries(context, block_, wanted[missing[i]], page);
    }
  }
  for (std::size_t i = 0; i < wanted.size(); ++i) (*pages)[wanted[i]] = std::move(items[i]);
  return OkStatus();
}

// Appends pages until an entry that begins in an earlier one is whole; false when one is missing.
StatusOr<bool> BucketSource::Assemble(const Pages& pages, std::uint64_t page, std::string* whole,
                                      std::vector<std::uint64_t>* missing) const {
  while (true) {
    const StatusOr<std::size_t> length = tsdb::SeriesEntryBytes(*whole);
    if (length.ok() && *length > kMostRecordBytes) return Corruption("series of {} bytes", *length);
    const bool known = length.ok() || whole->size() >= kLengthBytes;
    if (known && (!length.ok() || *length <= whole->size())) return true;
    const auto next = pages.find(page);
    if (next == pages.end()) {
      const std::size_t left = length.ok() ? *length - whole->size() : 1;
      for (std::uint64_t at = 0; at * options_.page_bytes < left; ++at)
        missing->push_back(page + at);
      return false;
    }
    *whole += next->second.view;
    if (next->second.size() < options_.page_bytes) return true;  // the index ends here
    ++page;
  }
}

// Adds the entry at an offset; false when a page of it is missing, which is then noted.
StatusOr<bool> BucketSource::AddSeries(const Pages& pages, std::uint64_t offset, tsdb::Pieces* out,
                                       std::vector<std::uint64_t>* missing,
                                       Pages::const_iterator* last_page) const {
  const std::uint64_t first = offset / options_.page_bytes;
  Pages::const_iterator& page = *last_page;  // many entries are in the page of the one before
  if (page == pages.end() || page->first != first) page = pages.find(first);
  if (page == pages.end()) {
    missing->push_back(first);
    return false;
  }
  const std::string_view rest = page->second.view.substr(
      std::min<std::uint64_t>(offset % options_.page_bytes, page->second.size()));
  // Where the index ends inside the page there is nothing more to have.
  const bool ends = page->second.size() < options_.page_bytes;
  const StatusOr<std::size_t> length = tsdb::SeriesEntryBytes(rest);
  if (ends || (length.ok() && *length <= rest.size())) {
    out->bytes.push_back(rest);
    return true;
  }
  std::string whole(rest);
  StatusOr<bool> complete = Assemble(pages, first + 1, &whole, missing);
  if (!complete.ok() || !*complete) return complete;
  SharedBytes copy = SharedBytes::Own(std::move(whole));
  out->bytes.push_back(copy.view);
  out->owners.push_back(std::move(copy.owner));
  return true;
}

StatusOr<tsdb::Pieces> BucketSource::ReadSeries(const Context& context,
                                                std::span<const tsdb::SeriesRef> refs) {
  return cache_.series_unit() == IndexCache::SeriesUnit::kPages ? ReadPages(context, refs)
                                                                : ReadEntries(context, refs);
}

SharedBytes BucketSource::EntryOf(const SharedBytes& body, tsdb::SeriesEntry* scratch) const {
  if (body.size() > kMostRecordBytes) return {};
  std::string entry;
  entry.reserve(body.size() + kLengthBytes + kChecksumBytes);
  encoding::PutUvarint(entry, body.size());
  entry += body.view;
  encoding::PutU32(entry, encoding::Crc32c(body.view));
  if (!tsdb::ParseSeriesEntry(entry, {INT64_MIN, INT64_MAX}, scratch).ok()) return {};
  const std::uint32_t symbols = tables_.symbols().size();
  for (const tsdb::SeriesEntry::Label& label : scratch->labels) {
    if (label.name >= symbols || label.value >= symbols) return {};
  }
  return SharedBytes::Own(std::move(entry));
}

StatusOr<tsdb::Pieces> BucketSource::ReadEntries(const Context& context,
                                                 std::span<const tsdb::SeriesRef> refs) {
  std::vector<std::uint64_t> offsets;
  offsets.reserve(refs.size());
  for (const tsdb::SeriesRef ref : refs) offsets.push_back(tables_.SeriesOffset(ref));
  CachedItems items = cache_.FetchSeries(context, block_, offsets);
  tsdb::SeriesEntry scratch;
  std::vector<tsdb::SeriesRef> missing;
  std::uint64_t bytes = 0;
  for (std::size_t i = 0; i < refs.size(); ++i) {
    if (!items[i].empty()) items[i] = EntryOf(items[i], &scratch);
    if (items[i].empty()) missing.push_back(refs[i]);
    bytes += items[i].size();
  }
  reads_.Touch(DataType::kSeries, refs.size() - missing.size(), bytes);
  tsdb::Pieces read;
  if (!missing.empty()) {
    ASSIGN_OR_RETURN(read, ReadPages(context, missing));
  }
  tsdb::Pieces pieces{.owners = std::move(read.owners)};
  std::size_t at = 0;  // of what was read
  for (std::size_t i = 0; i < refs.size(); ++i) {
    if (!items[i].empty()) {
      pieces.bytes.push_back(items[i].view);
      pieces.owners.push_back(std::move(items[i].owner));
      continue;
    }
    const std::string_view entry = read.bytes[at++];
    pieces.bytes.push_back(entry);
    // A damaged one is named by who reads it, and goes into no cache.
    if (!tsdb::ParseSeriesEntry(entry, {INT64_MIN, INT64_MAX}, &scratch).ok()) continue;
    ASSIGN_OR_RETURN(const std::size_t size, tsdb::SeriesEntryBytes(entry));
    encoding::ByteReader length(entry);
    const std::uint64_t body = length.ReadUvarint();
    cache_.StoreSeries(context, block_, offsets[i],
                       {entry.substr(size - kChecksumBytes - body, body), nullptr});
  }
  return pieces;
}

StatusOr<tsdb::Pieces> BucketSource::ReadPages(const Context& context,
                                               std::span<const tsdb::SeriesRef> refs) {
  std::vector<std::uint64_t> wanted;
  for (const tsdb::SeriesRef ref : refs) {
    const std::uint64_t page = tables_.SeriesOffset(ref) / options_.page_bytes;
    if (wanted.empty() || wanted.back() != page) wanted.push_back(page);
  }
  Pages pages;
  RETURN_IF_ERROR(FetchPages(context, wanted, &pages));
  tsdb::Pieces pieces;
  // Entries that go on in another page are known once their first one is there.
  while (true) {
    pieces = {};
    pieces.bytes.reserve(refs.size());
    std::vector<std::uint64_t> missing;
    auto page = pages.cend();
    for (const tsdb::SeriesRef ref : refs) {
      RETURN_IF_ERROR(
          AddSeries(pages, tables_.SeriesOffset(ref), &pieces, &missing, &page).status());
    }
    if (missing.empty()) break;
    std::sort(missing.begin(), missing.end());
    missing.erase(std::unique(missing.begin(), missing.end()), missing.end());
    RETURN_IF_ERROR(FetchPages(context, missing, &pages));
  }
  std::uint64_t bytes = 0;
  for (auto& [number, page] : pages) {
    bytes += page.size();
    pieces.owners.push_back(std::move(page.owner));
  }
  reads_.Touch(DataType::kSeries, refs.size(), bytes);
  return pieces;
}

StatusOr<tsdb::Pieces> BucketSource::ReadChunks(const Context& context, std::uint32_t segment,
                                                std::span<const std::uint32_t> offsets) {
  const std::string name = block_ + "/" + tsdb::SegmentName(segment);
  std::vector<Extent> extents;
  extents.reserve(offsets.size());
  for (const std::uint32_t offset : offsets)
    extents.push_back({offset, offset + options_.chunk_bytes});
  MergedExtents merged(extents);
  tsdb::Pieces pieces;
  RETURN_IF_ERROR(Own(merged, &pieces));
  RETURN_IF_ERROR(Read(context, bucket_, DataType::kChunks, name, merged));
  pieces.bytes.reserve(offsets.size());
  for (std::size_t i = 0; i < offsets.size(); ++i) pieces.bytes.push_back(merged.Find(i));
  std::vector<BufferOwner> owners = merged.owners();
  std::move(owners.begin(), owners.end(), std::back_inserter(pieces.owners));
  RETURN_IF_ERROR(ReadLongChunks(context, name, offsets, &pieces));
  RETURN_IF_ERROR(ReadDamagedChunks(context, name, offsets, &pieces));
  reads_.Touch(DataType::kChunks, offsets.size(), merged.bytes());
  return pieces;
}

// Chunks longer than was thought, once more in full.
Status BucketSource::ReadLongChunks(const Context& context, const std::string& name,
                                    std::span<const std::uint32_t> offsets, tsdb::Pieces* pieces) {
  std::vector<std::size_t> long_ones;
  std::vector<Extent> extents;
  for (std::size_t i = 0; i < offsets.size(); ++i) {
    const StatusOr<std::size_t> length = tsdb::StoredChunkBytes(pieces->bytes[i]);
    if (!length.ok() && options_.origin) continue;  // damaged in the cache, perhaps
    ASSIGN_OR_RETURN(const std::size_t size, length);
    // Behind a piece that is shorter than asked for the file ends, and the parser says so.
    if (size <= pieces->bytes[i].size() || pieces->bytes[i].size() < options_.chunk_bytes) continue;
    if (size > kMostRecordBytes && options_.origin) continue;
    if (size > kMostRecordBytes)
      return Corruption("chunk of {} bytes at offset {} of {}", size, offsets[i], name);
    long_ones.push_back(i);
    extents.push_back({offsets[i], offsets[i] + size});
  }
  return ReadAgain(context, bucket_, name, long_ones, extents, pieces);
}

Status BucketSource::ReadDamagedChunks(const Context& context, const std::string& name,
                                       std::span<const std::uint32_t> offsets,
                                       tsdb::Pieces* pieces) {
  if (!options_.origin) return OkStatus();
  std::vector<std::size_t> damaged;
  std::vector<Extent> extents;
  for (std::size_t i = 0; i < offsets.size(); ++i) {
    if (tsdb::ParseStoredChunk(pieces->bytes[i]).ok()) continue;
    damaged.push_back(i);
    // What a damaged piece says of its length may be wrong.
    extents.push_back({offsets[i], offsets[i] + options_.chunk_bytes});
  }
  RETURN_IF_ERROR(ReadAgain(context, *options_.origin, name, damaged, extents, pieces));
  std::vector<std::size_t> long_ones;
  extents.clear();
  for (const std::size_t i : damaged) {
    ASSIGN_OR_RETURN(const std::size_t size, tsdb::StoredChunkBytes(pieces->bytes[i]));
    if (size <= pieces->bytes[i].size() || size > kMostRecordBytes) continue;
    long_ones.push_back(i);
    extents.push_back({offsets[i], offsets[i] + size});
  }
  return ReadAgain(context, *options_.origin, name, long_ones, extents, pieces);
}

Status BucketSource::ReadAgain(const Context& context, objstore::Bucket& bucket,
                               const std::string& name, std::span<const std::size_t> places,
                               std::span<const Extent> extents, tsdb::Pieces* pieces) {
  if (places.empty()) return OkStatus();
  MergedExtents merged(extents);
  RETURN_IF_ERROR(Own(merged, pieces));
  RETURN_IF_ERROR(Read(context, bucket, DataType::kChunks, name, merged));
  for (std::size_t i = 0; i < places.size(); ++i) pieces->bytes[places[i]] = merged.Find(i);
  std::vector<BufferOwner> owners = merged.owners();
  std::move(owners.begin(), owners.end(), std::back_inserter(pieces->owners));
  return OkStatus();
}

// The room that chunks take in the pool is theirs as long as their bytes live.
Status BucketSource::Own(MergedExtents& extents, tsdb::Pieces* pieces) {
  auto charge = std::make_shared<MemoryCharge>(options_.chunk_pool);
  RETURN_IF_ERROR(charge->Add(static_cast<std::int64_t>(extents.bytes()), "chunks in memory"));
  pieces->owners.push_back(std::move(charge));
  return OkStatus();
}

}  // namespace aevum::storegateway
