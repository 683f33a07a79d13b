// meta.json: what a block is, where it came from and which files it has.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/status.h"
#include "base/timestamp.h"
#include "block/json_value.h"
#include "model/labels.h"
#include "model/ulid.h"

namespace aevum::block {

// The names of a block's files, relative to its directory.
inline constexpr std::string_view kMetaFile = "meta.json";
inline constexpr std::string_view kIndexFile = "index";
inline constexpr std::string_view kChunksDirectory = "chunks";

// The name of an object of a block in its bucket: "<ULID>/<file>".
std::string ObjectName(const model::Ulid& block, std::string_view file);

// A meta.json larger than this is refused before it is read.
inline constexpr std::size_t kMaxMetaBytes = 32 << 20;

// The values of Meta::source that mean something to readers.
inline constexpr std::string_view kSourceSidecar = "sidecar";
inline constexpr std::string_view kSourceCompactor = "compactor";
inline constexpr std::string_view kSourceCompactorRepair = "compactor.repair";
inline constexpr std::string_view kSourceBucketRepair = "bucket.repair";
inline constexpr std::string_view kSourceBucketUpload = "bucket.upload";

struct MetaStats {
  std::uint64_t samples = 0;
  std::uint64_t float_samples = 0;
  std::uint64_t histogram_samples = 0;
  std::uint64_t series = 0;
  std::uint64_t chunks = 0;
  std::uint64_t tombstones = 0;
  friend bool operator==(const MetaStats&, const MetaStats&) = default;
};

struct ParentBlock {
  model::Ulid ulid;
  TimestampMs min_time = 0;
  TimestampMs max_time = 0;
  friend bool operator==(const ParentBlock&, const ParentBlock&) = default;
};

struct CompactionInfo {
  std::int64_t level = 0;            // 1: cut from a head
  std::vector<model::Ulid> sources;  // all ancestors of level 1
  bool deletable = false;
  std::vector<ParentBlock> parents;
  bool failed = false;
  std::vector<std::string> hints;
  friend bool operator==(const CompactionInfo&, const CompactionInfo&) = default;
};

struct FileHash {
  std::string function;  // "SHA256"
  std::string value;     // hexadecimal
  friend bool operator==(const FileHash&, const FileHash&) = default;
};

struct BlockFile {
  std::string path;             // relative to the block
  std::int64_t size_bytes = 0;  // 0 for meta.json itself
  std::optional<FileHash> hash;
  friend bool operator==(const BlockFile&, const BlockFile&) = default;
};

struct Meta {
  model::Ulid ulid;
  TimestampMs min_time = 0;  // [min_time, max_time)
  TimestampMs max_time = 0;
  MetaStats stats;
  CompactionInfo compaction;

  // The section "thanos".
  int thanos_version = 0;  // 0: not written
  std::map<std::string, std::string> labels;
  std::int64_t resolution_ms = 0;
  std::string source;
  std::vector<std::string> segment_files;  // superseded by `files`
  std::vector<BlockFile> files;
  std::vector<JsonValue> rewrites;  // as they stood
  std::int64_t series_max_size = 0;
  std::int64_t chunk_max_size = 0;
  std::optional<JsonValue> extensions;  // normalized; any value but null
  Timestamp upload_time = kUnsetTimestamp;
  int upload_zone_minutes = 0;  // east of UTC, as it was written

  // Accepts what Thanos's reader accepts: names in any case, unknown fields, null for "not set",
  // the last of fields that repeat, and whatever follows the object. Corruption names the field
  // and what is wrong with it; the caller adds which block.
  static StatusOr<Meta> Parse(std::string_view text);
  // The bytes that Thanos's writer makes of it: indented by tabs, a line break at the end.
  std::string Write() const;
  // The same object on one line, without a break, as in answers of APIs.
  std::string WriteCompact() const;

  bool IsUploadTimeSet() const { return upload_time > kUnsetTimestamp; }
  // The external labels; those with an empty value are none.
  model::Labels ExternalLabels() const;
  // "<resolution>@<hash of the labels>": blocks of one key are replicas of one stream.
  std::string GroupKey() const;
  // Whether the extensions say that the block was converted to Parquet.
  bool IsParquetMigrated() const;
  std::size_t memory_bytes() const;
};

using MetaMap = std::map<model::Ulid, std::shared_ptr<const Meta>>;

// The meta.json of a block's directory. NotFound, Corruption or what the system says; names the
// file.
StatusOr<Meta> ReadMetaFile(const std::string& directory);

}  // namespace aevum::block
