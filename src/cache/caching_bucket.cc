#include "cache/caching_bucket.h"

#include <algorithm>
#include <optional>
#include <utility>

#include <fmt/format.h>
#include <prometheus/counter.h>
#include <prometheus/registry.h>
#include <nlohmann/json.hpp>

#include "base/duration.h"

namespace aevum::cache {
namespace {

using nlohmann::json;
using objstore::ByteRange;
using objstore::ByteSink;
using objstore::IterateOptions;
using objstore::ListedObject;
using objstore::ObjectAttributes;
using SteadyClock = std::chrono::steady_clock;

constexpr const char* kChunks = "chunks";
constexpr const char* kMetafiles = "meta.jsons";
constexpr const char* kBlocks = "blocks-iter";
// A longer listing is not kept.
constexpr std::size_t kMostListingBytes = 64 << 20;

bool IsChunkFile(std::string_view name) {
  const std::size_t slash = name.rfind('/');
  if (slash == std::string_view::npos || slash + 1 == name.size()) return false;
  const std::string_view number = name.substr(slash + 1);
  return name.substr(0, slash).ends_with("/chunks") &&
         std::all_of(number.begin(), number.end(), [](char c) { return c >= '0' && c <= '9'; });
}

bool IsMetafile(std::string_view name) {
  return name.ends_with("/meta.json") || name.ends_with("/deletion-mark.json");
}

std::string AttributesJson(const ObjectAttributes& attributes) {
  return json{{"size", attributes.size_bytes},
              {"last_modified", FormatRfc3339(attributes.last_modified_ms)}}
      .dump();
}

std::optional<ObjectAttributes> ParseAttributes(std::string_view text) {
  const json value = json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!value.is_object() || !value.contains("size") || !value["size"].is_number_unsigned())
    return std::nullopt;
  ObjectAttributes attributes;
  attributes.size_bytes = value["size"].get<std::int64_t>();
  if (attributes.size_bytes < 0) return std::nullopt;
  if (value.contains("last_modified") && value["last_modified"].is_string()) {
    const auto time = ParseRfc3339(value["last_modified"].get<std::string>());
    if (time.ok()) attributes.last_modified_ms = *time;
  }
  return attributes;
}

std::optional<std::vector<std::string>> ParseListing(std::string_view text) {
  const json value = json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!value.is_array()) return std::nullopt;
  std::vector<std::string> names;
  for (const json& name : value) {
    if (!name.is_string()) return std::nullopt;
    names.push_back(name.get<std::string>());
  }
  return names;
}

std::string SubrangeKey(const std::string& name, std::int64_t begin, std::int64_t end) {
  return fmt::format("subrange:{}:{}:{}", name, begin, end);
}

// Passes on, and keeps what it passed while that is no more than a limit.
class CopyingSink final : public ByteSink {
 public:
  CopyingSink(ByteSink& sink, std::size_t limit) : sink_(sink), limit_(limit) {}
  Status Start(std::int64_t size_bytes) override {
    copy_.clear();
    whole_ = true;
    return sink_.Start(size_bytes);
  }
  Status Write(std::string_view piece) override {
    whole_ = whole_ && piece.size() <= limit_ - copy_.size();
    if (whole_) copy_ += piece;
    return sink_.Write(piece);
  }
  // Nothing when it was too much.
  std::string Take() && { return whole_ ? std::move(copy_) : std::string(); }

 private:
  ByteSink& sink_;
  const std::size_t limit_;
  std::string copy_;
  bool whole_ = true;
};

}  // namespace

// Parts of a chunk file, one after another; each but the last of the file of the same size.
struct CachingBucket::Subranges {
  std::int64_t begin = 0;  // of the first
  std::int64_t end = 0;    // of the last
  std::int64_t step = 0;
  std::vector<std::string> keys = {};
  std::vector<SharedBytes> bytes = {};

  Range RangeOf(std::size_t i) const {
    const std::int64_t from = begin + static_cast<std::int64_t>(i) * step;
    return {from, std::min(from + step, end)};
  }
};

struct CachingBucket::Metrics {
  struct Operation {
    prometheus::Counter* requests = nullptr;
    prometheus::Counter* hits = nullptr;
  };

  explicit Metrics(prometheus::Registry& metrics) {
    auto& requests = prometheus::BuildCounter()
                         .Name("thanos_store_bucket_cache_operation_requests_total")
                         .Help("Operations that the cache was asked for.")
                         .Register(metrics);
    auto& hits = prometheus::BuildCounter()
                     .Name("thanos_store_bucket_cache_operation_hits_total")
                     .Help("Operations that the cache answered; of reads the share that it had.")
                     .Register(metrics);
    const auto add = [&](Operation* to, const char* operation, const char* config) {
      const prometheus::Labels labels = {{"operation", operation}, {"config", config}};
      *to = {&requests.Add(labels), &hits.Add(labels)};
    };
    add(&iterate, "iter", kBlocks);
    add(&get, "get", kMetafiles);
    add(&exists, "exists", kMetafiles);
    add(&attributes, "attributes", kChunks);
    add(&get_range, "get_range", kChunks);
    const std::string prefix = "thanos_store_bucket_cache_getrange_";
    requested_bytes = &prometheus::BuildCounter()
                           .Name(prefix + "requested_bytes_total")
                           .Help("Bytes that were asked for by range.")
                           .Register(metrics)
                           .Add({{"config", kChunks}});
    auto& fetched = prometheus::BuildCounter()
                        .Name(prefix + "fetched_bytes_total")
                        .Help("Bytes that reads by range fetched.")
                        .Register(metrics);
    cache_bytes = &fetched.Add({{"origin", "cache"}, {"config", kChunks}});
    bucket_bytes = &fetched.Add({{"origin", "bucket"}, {"config", kChunks}});
    refetched_bytes = &prometheus::BuildCounter()
                           .Name(prefix + "refetched_bytes_total")
                           .Help("Bytes that were in the cache and were fetched all the same.")
                           .Register(metrics)
                           .Add({{"origin", "cache"}, {"config", kChunks}});
  }

  Operation iterate, get, exists, attributes, get_range;
  prometheus::Counter* requested_bytes;
  prometheus::Counter* cache_bytes;
  prometheus::Counter* bucket_bytes;
  prometheus::Counter* refetched_bytes;
};

CachingBucket::CachingBucket(std::shared_ptr<objstore::Bucket> bucket, std::shared_ptr<Cache> cache,
                             CachingBucketOptions options, Logger logger,
                             prometheus::Registry& metrics)
    : BucketDecorator(bucket),
      origin_(std::move(bucket)),
      cache_(std::move(cache)),
      options_(std::move(options)),
      logger_(std::move(logger)),
      metrics_(std::make_unique<Metrics>(metrics)) {}

CachingBucket::~CachingBucket() = default;

SharedBytes CachingBucket::FetchOne(const Context& context, const std::string& key) {
  return cache_->Fetch(context, std::span(&key, 1)).front();
}

Status CachingBucket::Iterate(const Context& context, const std::string& directory,
                              const IterateOptions& options, const objstore::ObjectVisitor& visit) {
  // The cache knows names alone.
  if (!directory.empty() || options.attributes == IterateOptions::Attributes::kWanted)
    return inner().Iterate(context, directory, options, visit);
  metrics_->iterate.requests->Increment();
  const bool recursive = options.depth == IterateOptions::Depth::kRecursive;
  const std::string key =
      fmt::format("{}::{}", recursive ? "iter-recursive" : "iter", options_.config_hash);
  if (const auto names = ParseListing(FetchOne(context, key).view)) {
    metrics_->iterate.hits->Increment();
    for (const std::string& name : *names) RETURN_IF_ERROR(visit(ListedObject{.name = name}));
    return OkStatus();
  }
  const auto began = SteadyClock::now();
  json names = json::array();
  std::size_t bytes = 0;
  RETURN_IF_ERROR(inner().Iterate(context, directory, options, [&](const ListedObject& object) {
    bytes += object.name.size();
    if (bytes <= kMostListingBytes) names.push_back(object.name);
    return visit(object);
  }));
  if (bytes <= kMostListingBytes) {
    // Names that are not UTF-8 come back as others, so such a listing is not kept.
    std::string text = names.dump(-1, ' ', false, json::error_handler_t::replace);
    if (text.find("\xef\xbf\xbd") == std::string::npos)
      cache_->Store(key, SharedBytes::Own(std::move(text)),
                    options_.blocks_iter_ttl - (SteadyClock::now() - began));
  }
  return OkStatus();
}

Status CachingBucket::Read(const Context& context, const std::string& name, ByteRange range,
                           ByteSink& sink) {
  if (range.IsWhole() && IsMetafile(name)) return ReadMetafile(context, name, sink);
  if (range.offset >= 0 && range.length > 0 && IsChunkFile(name))
    return ReadChunks(context, name, range, sink);
  return inner().Read(context, name, range, sink);
}

Status CachingBucket::ReadMetafile(const Context& context, const std::string& name,
                                   ByteSink& sink) {
  metrics_->get.requests->Increment();
  const std::string keys[] = {"content:" + name, "exists:" + name};
  const std::vector<SharedBytes> found = cache_->Fetch(context, keys);
  // An object that is damaged in the cache must not pass for one that is damaged in the bucket.
  if (!found[0].empty() && json::accept(found[0].view)) {
    metrics_->get.hits->Increment();
    RETURN_IF_ERROR(sink.Start(static_cast<std::int64_t>(found[0].size())));
    return sink.Write(found[0].view);
  }
  if (found[1].view == "false") {
    metrics_->get.hits->Increment();
    return NotFound("no such object, as the cache knows: {}", name);
  }
  const auto began = SteadyClock::now();
  CopyingSink copying(sink, options_.metafile_max_size);
  const Status status = inner().Read(context, name, ByteRange{}, copying);
  if (objstore::IsNotFound(status)) StoreExists(name, false, began);
  RETURN_IF_ERROR(status);
  StoreExists(name, true, began);
  cache_->Store(keys[0], SharedBytes::Own(std::move(copying).Take()),
                options_.metafile_content_ttl - (SteadyClock::now() - began));
  return OkStatus();
}

StatusOr<bool> CachingBucket::Exists(const Context& context, const std::string& name) {
  if (!IsMetafile(name)) return inner().Exists(context, name);
  metrics_->exists.requests->Increment();
  const SharedBytes found = FetchOne(context, "exists:" + name);
  if (found.view == "true" || found.view == "false") {
    metrics_->exists.hits->Increment();
    return found.view == "true";
  }
  const auto began = SteadyClock::now();
  ASSIGN_OR_RETURN(const bool exists, inner().Exists(context, name));
  StoreExists(name, exists, began);
  return exists;
}

void CachingBucket::StoreExists(const std::string& name, bool exists,
                                SteadyClock::time_point since) {
  const auto ttl = exists ? options_.metafile_exists_ttl : options_.metafile_doesnt_exist_ttl;
  cache_->Store("exists:" + name, SharedBytes::Own(exists ? "true" : "false"),
                ttl - (SteadyClock::now() - since));
}

StatusOr<ObjectAttributes> CachingBucket::Attributes(const Context& context,
                                                     const std::string& name) {
  if (!IsChunkFile(name)) return inner().Attributes(context, name);
  metrics_->attributes.requests->Increment();
  const std::string key = "attrs:" + name;
  if (const auto known = ParseAttributes(FetchOne(context, key).view)) {
    metrics_->attributes.hits->Increment();
    return *known;
  }
  ASSIGN_OR_RETURN(const ObjectAttributes attributes, inner().Attributes(context, name));
  cache_->Store(key, SharedBytes::Own(AttributesJson(attributes)), options_.chunk_object_attrs_ttl);
  return attributes;
}

Status CachingBucket::ReadChunks(const Context& context, const std::string& name, ByteRange range,
                                 ByteSink& sink) {
  ASSIGN_OR_RETURN(const ObjectAttributes attributes, Attributes(context, name));
  // The bucket says what is wrong.
  if (range.offset >= attributes.size_bytes) return inner().Read(context, name, range, sink);
  metrics_->get_range.requests->Increment();
  metrics_->requested_bytes->Increment(static_cast<double>(range.length));
  const std::int64_t step = options_.chunk_subrange_size;
  const std::int64_t end =
      range.offset + std::min(range.length, attributes.size_bytes - range.offset);
  Subranges wanted{.begin = range.offset / step * step,
                   .end = std::min((end - 1) / step * step + step, attributes.size_bytes),
                   .step = step};
  for (std::int64_t from = wanted.begin; from < wanted.end; from += step)
    wanted.keys.push_back(SubrangeKey(name, from, std::min(from + step, wanted.end)));
  wanted.bytes = cache_->Fetch(context, wanted.keys);
  std::size_t found = 0;
  for (std::size_t i = 0; i < wanted.keys.size(); ++i) {
    const Range part = wanted.RangeOf(i);
    if (static_cast<std::int64_t>(wanted.bytes[i].size()) != part.end - part.begin) {
      wanted.bytes[i] = {};
      continue;
    }
    ++found;
    metrics_->cache_bytes->Increment(static_cast<double>(wanted.bytes[i].size()));
  }
  metrics_->get_range.hits->Increment(static_cast<double>(found) /
                                      static_cast<double>(wanted.keys.size()));
  if (found < wanted.keys.size()) {
    const Status status = FetchMissing(context, name, &wanted);
    // The size that the cache gave is not that of the object.
    if (status.code() == StatusCode::kDataLoss || status.code() == StatusCode::kOutOfRange)
      return inner().Read(context, name, range, sink);
    RETURN_IF_ERROR(status);
  }
  RETURN_IF_ERROR(sink.Start(end - range.offset));
  for (std::size_t i = 0; i < wanted.bytes.size(); ++i) {
    const Range part = wanted.RangeOf(i);
    const std::int64_t from = std::max(part.begin, range.offset);
    const std::int64_t to = std::min(part.end, end);
    RETURN_IF_ERROR(sink.Write(wanted.bytes[i].view.substr(
        static_cast<std::size_t>(from - part.begin), static_cast<std::size_t>(to - from))));
  }
  return OkStatus();
}

Status CachingBucket::FetchMissing(const Context& context, const std::string& name,
                                   Subranges* wanted) {
  std::vector<Range> missing;
  for (std::size_t i = 0; i < wanted->keys.size(); ++i) {
    if (wanted->bytes[i].empty()) missing.push_back(wanted->RangeOf(i));
  }
  missing = MergeRanges(std::move(missing), 0);
  const std::int64_t most = options_.max_chunks_get_range_requests;
  for (std::int64_t gap = wanted->step;
       most > 0 && static_cast<std::int64_t>(missing.size()) > most; gap *= 2)
    missing = MergeRanges(std::move(missing), gap);
  std::vector<ByteRange> ranges;
  for (const Range& range : missing) ranges.push_back({range.begin, range.end - range.begin});
  ASSIGN_OR_RETURN(const std::vector<SharedBytes> read, inner().GetRanges(context, name, ranges));
  for (std::size_t i = 0; i < missing.size(); ++i) {
    const Range& range = missing[i];
    if (static_cast<std::int64_t>(read[i].size()) != range.end - range.begin)
      return Corruption("{} has not the size that it had: bytes {} to {} are {}", name, range.begin,
                        range.end, read[i].size());
    for (std::int64_t from = range.begin; from < range.end; from += wanted->step) {
      const auto at = static_cast<std::size_t>((from - wanted->begin) / wanted->step);
      const Range part = wanted->RangeOf(at);
      const auto size = static_cast<std::size_t>(part.end - part.begin);
      if (!wanted->bytes[at].empty()) {
        metrics_->refetched_bytes->Increment(static_cast<double>(size));
        continue;
      }
      wanted->bytes[at] = read[i].Slice(static_cast<std::size_t>(from - range.begin), size);
      metrics_->bucket_bytes->Increment(static_cast<double>(size));
      // A copy: what is kept must not keep all that was read alive.
      cache_->Store(wanted->keys[at], SharedBytes::Own(std::string(wanted->bytes[at].view)),
                    options_.chunk_subrange_ttl);
    }
  }
  return OkStatus();
}

std::vector<Range> MergeRanges(std::vector<Range> ranges, std::int64_t gap) {
  std::vector<Range> merged;
  for (const Range& range : ranges) {
    if (!merged.empty() && range.begin - merged.back().end <= gap) {
      merged.back().end = range.end;
    } else {
      merged.push_back(range);
    }
  }
  return merged;
}

}  // namespace aevum::cache
