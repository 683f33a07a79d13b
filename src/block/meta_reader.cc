#include "block/meta_reader.h"

#include <prometheus/counter.h>
#include <prometheus/registry.h>

#include <utility>
#include <vector>

#include "block/marks.h"
#include "objstore/parallel.h"

namespace aevum::block {
namespace {

prometheus::Counter& MakeCounter(prometheus::Registry& registry, const std::string& name,
                                 const std::string& help) {
  return prometheus::BuildCounter().Name(name).Help(help).Register(registry).Add({});
}

bool IsSetAside(const Status& status) {
  return status.code() == StatusCode::kNotFound || status.code() == StatusCode::kDataLoss;
}

}  // namespace

MetaReader::MetaReader(MetaReaderOptions options, objstore::Bucket& bucket, Logger logger,
                       prometheus::Registry& registry, const std::string& prefix)
    : options_(std::move(options)),
      bucket_(bucket),
      logger_(std::move(logger)),
      cache_(options_.cache_directory, logger_),
      reads_(MakeCounter(registry, prefix + "_base_syncs_total",
                         "How often the blocks of the bucket were looked at.")),
      cache_busts_(MakeCounter(registry, prefix + "_base_cache_busts_total",
                               "Metas that were read again because they changed.")) {}

StatusOr<MetaReader::Listing> MetaReader::List(const Context& context) {
  const bool recursive = options_.discovery == Discovery::kRecursive;
  objstore::IterateOptions iterate;
  if (recursive) {
    iterate.depth = objstore::IterateOptions::Depth::kRecursive;
    iterate.attributes = objstore::IterateOptions::Attributes::kWanted;
  }
  Listing listing;
  if (recursive) listing.deletion_marks.emplace();
  RETURN_IF_ERROR(
      bucket_.Iterate(context, "", iterate, [&](const objstore::ListedObject& object) -> Status {
        const std::string_view name = object.name;
        const std::size_t slash = name.find(objstore::kDelimiter);
        // What lies in the root beside the directories is no block.
        if (slash == std::string_view::npos) return OkStatus();
        const std::optional<model::Ulid> block = model::BlockDirectory(name.substr(0, slash));
        if (!block) return OkStatus();
        Found& found = listing.blocks[*block];
        found.listed = recursive;
        const std::string_view file = name.substr(slash + 1);
        if (file == kMetaFile) {
          found.has_meta = true;
          found.modified_ms = object.last_modified_ms.value_or(0);
        }
        if (recursive && file == MarkFile(MarkKind::kDeletion))
          listing.deletion_marks->insert(*block);
        return OkStatus();
      }));
  return listing;
}

StatusOr<CachedMeta> MetaReader::Fetch(const Context& context, const model::Ulid& block,
                                       TimestampMs modified_ms) {
  const std::string name = ObjectName(block, kMetaFile);
  StatusOr<std::string> text = bucket_.Get(context, name, kMaxMetaBytes);
  if (text.status().code() == StatusCode::kResourceExhausted)
    return Corruption("{}: too large: {}", name, text.status().message());
  if (!text.ok()) return text.status();
  StatusOr<Meta> meta = Meta::Parse(*text);
  if (!meta.ok()) return Annotate(meta.status(), name);
  if (meta->ulid != block)
    return Corruption("{}: ulid: of another block: {}", name, meta->ulid.ToString());
  CachedMeta fetched{std::make_shared<const Meta>(*std::move(meta)), modified_ms};
  cache_.Store(fetched);
  return fetched;
}

StatusOr<CachedMeta> MetaReader::Look(const Context& context, const model::Ulid& block, Found found,
                                      const CachedMeta* known, bool trusted) {
  if (known != nullptr && trusted && !found.listed) return *known;
  if (!found.listed) {
    const auto attributes = bucket_.Attributes(context, ObjectName(block, kMetaFile));
    if (!attributes.ok()) return attributes.status();
    found.modified_ms = attributes->last_modified_ms;
  } else if (!found.has_meta) {
    return NotFound("no such object: {}", ObjectName(block, kMetaFile));
  }
  if (known != nullptr) {
    const TimestampMs before = known->modified_ms;
    if (before == found.modified_ms || before == 0 || found.modified_ms == 0)
      return CachedMeta{known->meta, found.modified_ms};
    cache_busts_.Increment();
  }
  return Fetch(context, block, found.modified_ms);
}

void MetaReader::Keep(CachedMetas metas) {
  for (const auto& [block, cached] : known_) {
    if (!metas.contains(block)) cache_.Remove(block);
  }
  known_ = std::move(metas);
}

StatusOr<std::shared_ptr<const BucketBlocks>> MetaReader::Read(const Context& context) {
  MutexLock lock(mutex_);
  reads_.Increment();
  if (!loaded_) {
    known_ = cache_.Load();
    loaded_ = true;
    trust_cache_ = true;
  }
  ASSIGN_OR_RETURN(Listing listing, List(context));

  std::vector<std::pair<model::Ulid, Found>> blocks(listing.blocks.begin(), listing.blocks.end());
  std::vector<StatusOr<CachedMeta>> looked(blocks.size(), Unavailable("not looked at"));
  // Held by this thread while the others only read.
  const CachedMetas* const before = &known_;
  const bool trusted = std::exchange(trust_cache_, false);
  RETURN_IF_ERROR(objstore::RunParallel(
      bucket_.pool(), blocks.size(), options_.concurrency, [&](std::size_t i) {
        const auto known = before->find(blocks[i].first);
        looked[i] = Look(context, blocks[i].first, blocks[i].second,
                         known == before->end() ? nullptr : &known->second, trusted);
        return context.status();
      }));

  auto result = std::make_shared<BucketBlocks>();
  result->deletion_marks = std::move(listing.deletion_marks);
  CachedMetas seen;
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    const model::Ulid& block = blocks[i].first;
    if (looked[i].ok()) {
      result->metas[block] = looked[i]->meta;
      seen[block] = *std::move(looked[i]);
      continue;
    }
    const Status& status = looked[i].status();
    if (IsSetAside(status)) {
      result->partial[block] = status;
      continue;
    }
    result->failed[block] = status;
    if (const auto known = known_.find(block); known != known_.end()) {
      result->metas[block] = known->second.meta;
      seen[block] = known->second;
    }
  }
  Keep(std::move(seen));
  return result;
}

}  // namespace aevum::block
