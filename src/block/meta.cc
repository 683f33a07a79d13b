#include "block/meta.h"

#include <xxhash.h>

#include "base/files.h"
#include "block/json_fields.h"

namespace aevum::block {
namespace {

constexpr int kVersion = 1;

// Go's encoder leaves such fields out when they are empty.
void OptionalNumber(JsonWriter* json, std::string_view name, std::uint64_t value) {
  if (value == 0) return;
  json->Key(name);
  json->Number(value);
}

void OptionalNumber(JsonWriter* json, std::string_view name, std::int64_t value) {
  if (value == 0) return;
  json->Key(name);
  json->Number(value);
}

void OptionalTrue(JsonWriter* json, std::string_view name, bool value) {
  if (!value) return;
  json->Key(name);
  json->Bool(true);
}

void OptionalStrings(JsonWriter* json, std::string_view name,
                     const std::vector<std::string>& values) {
  if (values.empty()) return;
  json->Key(name);
  json->BeginArray();
  for (const std::string& value : values) json->String(value);
  json->EndArray();
}

void Member(JsonWriter* json, std::string_view name, std::string_view text) {
  json->Key(name);
  json->String(text);
}

void Member(JsonWriter* json, std::string_view name, std::int64_t number) {
  json->Key(name);
  json->Number(number);
}

FieldReader IntoStats(MetaStats* stats) {
  return [stats](const JsonValue& value, const std::string& path) {
    return ReadFields(value, path,
                      {{"numSamples", Into(&stats->samples)},
                       {"numFloatSamples", Into(&stats->float_samples)},
                       {"numHistogramSamples", Into(&stats->histogram_samples)},
                       {"numSeries", Into(&stats->series)},
                       {"numChunks", Into(&stats->chunks)},
                       {"numTombstones", Into(&stats->tombstones)}});
  };
}

Status ReadParent(const JsonValue& value, const std::string& path, ParentBlock* parent) {
  return ReadFields(value, path,
                    {{"ulid", Into(&parent->ulid)},
                     {"minTime", Into(&parent->min_time)},
                     {"maxTime", Into(&parent->max_time)}});
}

FieldReader IntoCompaction(CompactionInfo* compaction) {
  return [compaction](const JsonValue& value, const std::string& path) {
    return ReadFields(value, path,
                      {{"level", Into(&compaction->level)},
                       {"sources", IntoList(&compaction->sources)},
                       {"deletable", Into(&compaction->deletable)},
                       {"parents", IntoList<ParentBlock>(&compaction->parents, ReadParent)},
                       {"failed", Into(&compaction->failed)},
                       {"hints", IntoList(&compaction->hints)}});
  };
}

Status ReadFile(const JsonValue& value, const std::string& path, BlockFile* file) {
  const auto hash = [file](const JsonValue& object, const std::string& where) {
    if (!file->hash) file->hash.emplace();
    return ReadFields(
        object, where,
        {{"hashFunc", Into(&file->hash->function)}, {"value", Into(&file->hash->value)}});
  };
  return ReadFields(
      value, path,
      {{"rel_path", Into(&file->path)}, {"size_bytes", Into(&file->size_bytes)}, {"hash", hash}});
}

FieldReader IntoLabels(std::map<std::string, std::string>* labels) {
  return [labels](const JsonValue& value, const std::string& path) -> Status {
    if (value.kind != JsonValue::Kind::kObject) return WrongType(value, path, "an object");
    for (const auto& [name, label] : value.members) {
      std::string& text = (*labels)[name];
      if (label.IsNull()) {
        text.clear();
        continue;
      }
      RETURN_IF_ERROR(Into(&text)(label, fmt::format("{}.{}", path, name)));
    }
    return OkStatus();
  };
}

// The offset at the end of a time of RFC 3339, "+01:30", in minutes; 0 for "Z".
int ZoneMinutes(std::string_view time) {
  constexpr std::size_t kZoneSize = sizeof("+01:30") - 1;
  if (time.size() < kZoneSize || time.ends_with('Z') || time.ends_with('z')) return 0;
  const std::string_view zone = time.substr(time.size() - kZoneSize);
  const auto two = [&](std::size_t at) { return (zone[at] - '0') * 10 + (zone[at + 1] - '0'); };
  const int minutes = two(1) * 60 + two(4);
  return zone[0] == '-' ? -minutes : minutes;
}

std::string FormatInZone(const Timestamp& time, int zone_minutes) {
  if (zone_minutes == 0) return FormatTimestamp(time);
  std::string text = FormatTimestamp(
      {.seconds = time.seconds + std::int64_t{zone_minutes} * 60, .nanos = time.nanos});
  text.pop_back();  // Z
  const int size = zone_minutes < 0 ? -zone_minutes : zone_minutes;
  return text + fmt::format("{}{:02}:{:02}", zone_minutes < 0 ? '-' : '+', size / 60, size % 60);
}

FieldReader IntoUploadTime(Meta* meta) {
  return [meta](const JsonValue& value, const std::string& path) -> Status {
    if (value.kind != JsonValue::Kind::kString) return WrongType(value, path, "a string");
    const StatusOr<Timestamp> time = ParseTimestamp(value.text);
    if (!time.ok()) return Corruption("{}: no time of RFC 3339: {}", path, value.text);
    const int zone = ZoneMinutes(value.text);
    // What can't be shown in its own zone would not be written as it was read.
    if (!IsValid({.seconds = time->seconds + std::int64_t{zone} * 60, .nanos = time->nanos}))
      return Corruption("{}: a time out of range: {}", path, value.text);
    meta->upload_time = *time;
    meta->upload_zone_minutes = zone;
    return OkStatus();
  };
}

FieldReader IntoThanos(Meta* meta) {
  return [meta](const JsonValue& value, const std::string& path) -> Status {
    const auto rewrite = [](const JsonValue& object, const std::string&, JsonValue* out) {
      *out = object;
      return OkStatus();
    };
    const auto downsample = [meta](const JsonValue& object, const std::string& where) {
      return ReadFields(object, where, {{"resolution", Into(&meta->resolution_ms)}});
    };
    const auto index_stats = [meta](const JsonValue& object, const std::string& where) {
      return ReadFields(object, where,
                        {{"series_max_size", Into(&meta->series_max_size)},
                         {"chunk_max_size", Into(&meta->chunk_max_size)}});
    };
    const auto extensions = [meta](const JsonValue& object, const std::string& where) -> Status {
      StatusOr<JsonValue> normal = Normalized(object);
      if (!normal.ok()) return Annotate(normal.status(), where);
      meta->extensions = *std::move(normal);
      return OkStatus();
    };
    return ReadFields(value, path,
                      {{"version", Into(&meta->thanos_version)},
                       {"labels", IntoLabels(&meta->labels)},
                       {"downsample", downsample},
                       {"source", Into(&meta->source)},
                       {"segment_files", IntoList(&meta->segment_files)},
                       {"files", IntoList<BlockFile>(&meta->files, ReadFile)},
                       {"rewrites", IntoList<JsonValue>(&meta->rewrites, rewrite)},
                       {"index_stats", index_stats},
                       {"extensions", extensions},
                       {"upload_time", IntoUploadTime(meta)}});
  };
}

void WriteStats(JsonWriter* json, const MetaStats& stats) {
  json->Key("stats");
  json->BeginObject();
  OptionalNumber(json, "numSamples", stats.samples);
  OptionalNumber(json, "numFloatSamples", stats.float_samples);
  OptionalNumber(json, "numHistogramSamples", stats.histogram_samples);
  OptionalNumber(json, "numSeries", stats.series);
  OptionalNumber(json, "numChunks", stats.chunks);
  OptionalNumber(json, "numTombstones", stats.tombstones);
  json->EndObject();
}

void WriteCompaction(JsonWriter* json, const CompactionInfo& compaction) {
  json->Key("compaction");
  json->BeginObject();
  Member(json, "level", compaction.level);
  if (!compaction.sources.empty()) {
    json->Key("sources");
    json->BeginArray();
    for (const model::Ulid& source : compaction.sources) json->String(source.ToString());
    json->EndArray();
  }
  OptionalTrue(json, "deletable", compaction.deletable);
  if (!compaction.parents.empty()) {
    json->Key("parents");
    json->BeginArray();
    for (const ParentBlock& parent : compaction.parents) {
      json->BeginObject();
      Member(json, "ulid", parent.ulid.ToString());
      Member(json, "minTime", parent.min_time);
      Member(json, "maxTime", parent.max_time);
      json->EndObject();
    }
    json->EndArray();
  }
  OptionalTrue(json, "failed", compaction.failed);
  OptionalStrings(json, "hints", compaction.hints);
  json->EndObject();
}

void WriteFiles(JsonWriter* json, const std::vector<BlockFile>& files) {
  if (files.empty()) return;
  json->Key("files");
  json->BeginArray();
  for (const BlockFile& file : files) {
    json->BeginObject();
    Member(json, "rel_path", file.path);
    OptionalNumber(json, "size_bytes", file.size_bytes);
    if (file.hash) {
      json->Key("hash");
      json->BeginObject();
      Member(json, "hashFunc", file.hash->function);
      Member(json, "value", file.hash->value);
      json->EndObject();
    }
    json->EndObject();
  }
  json->EndArray();
}

void WriteThanos(JsonWriter* json, const Meta& meta) {
  json->Key("thanos");
  json->BeginObject();
  OptionalNumber(json, "version", std::int64_t{meta.thanos_version});
  json->Key("labels");
  json->BeginObject();
  for (const auto& [name, value] : meta.labels) Member(json, name, value);
  json->EndObject();
  json->Key("downsample");
  json->BeginObject();
  Member(json, "resolution", meta.resolution_ms);
  json->EndObject();
  Member(json, "source", meta.source);
  OptionalStrings(json, "segment_files", meta.segment_files);
  WriteFiles(json, meta.files);
  if (!meta.rewrites.empty()) {
    json->Key("rewrites");
    json->BeginArray();
    for (const JsonValue& rewrite : meta.rewrites) json->Value(rewrite);
    json->EndArray();
  }
  json->Key("index_stats");
  json->BeginObject();
  OptionalNumber(json, "series_max_size", meta.series_max_size);
  OptionalNumber(json, "chunk_max_size", meta.chunk_max_size);
  json->EndObject();
  if (meta.extensions) {
    json->Key("extensions");
    json->Value(*meta.extensions);
  }
  Member(json, "upload_time", FormatInZone(meta.upload_time, meta.upload_zone_minutes));
  json->EndObject();
}

std::string WriteMeta(const Meta& meta, JsonWriter::Form form) {
  JsonWriter json(form);
  json.BeginObject();
  Member(&json, "ulid", meta.ulid.ToString());
  Member(&json, "minTime", meta.min_time);
  Member(&json, "maxTime", meta.max_time);
  WriteStats(&json, meta.stats);
  WriteCompaction(&json, meta.compaction);
  Member(&json, "version", std::int64_t{kVersion});
  WriteThanos(&json, meta);
  json.EndObject();
  return std::move(json).Take();
}

}  // namespace

std::string ObjectName(const model::Ulid& block, std::string_view file) {
  return fmt::format("{}/{}", block.ToString(), file);
}

StatusOr<Meta> Meta::Parse(std::string_view text) {
  if (text.size() > kMaxMetaBytes)
    return Corruption("too large for a meta.json: {} bytes", text.size());
  ASSIGN_OR_RETURN(const JsonValue value, JsonValue::ParseFirst(text));
  Meta meta;
  int version = 0;
  if (!value.IsNull()) {
    RETURN_IF_ERROR(ReadFields(value, "",
                               {{"ulid", Into(&meta.ulid)},
                                {"minTime", Into(&meta.min_time)},
                                {"maxTime", Into(&meta.max_time)},
                                {"stats", IntoStats(&meta.stats)},
                                {"compaction", IntoCompaction(&meta.compaction)},
                                {"version", Into(&version)},
                                {"thanos", IntoThanos(&meta)}}));
  }
  if (version != kVersion) return Corruption("version: unknown, {} is not {}", version, kVersion);
  if (meta.thanos_version != 0 && meta.thanos_version != kVersion)
    return Corruption("thanos.version: unknown, {} is not {}", meta.thanos_version, kVersion);
  return meta;
}

std::string Meta::Write() const { return WriteMeta(*this, JsonWriter::Form::kTabs) + "\n"; }

std::string Meta::WriteCompact() const { return WriteMeta(*this, JsonWriter::Form::kCompact); }

model::Labels Meta::ExternalLabels() const {
  std::vector<model::Label> all;
  all.reserve(labels.size());
  for (const auto& [name, value] : labels) all.push_back({name, value});
  return model::Labels::FromUnsorted(std::move(all));
}

std::string Meta::GroupKey() const {
  std::string bytes;
  for (const auto& [name, value] : labels) bytes += fmt::format("{}\xff{}\xff", name, value);
  return fmt::format("{}@{}", resolution_ms, XXH64(bytes.data(), bytes.size(), 0));
}

bool Meta::IsParquetMigrated() const {
  if (!extensions) return false;
  const JsonValue* migrated = extensions->Find("parquet_migrated");
  return migrated != nullptr && migrated->kind == JsonValue::Kind::kTrue;
}

std::size_t Meta::memory_bytes() const {
  constexpr std::size_t kNodeBytes = 64;  // of a map, about
  std::size_t bytes = sizeof *this + compaction.sources.capacity() * sizeof(model::Ulid) +
                      compaction.parents.capacity() * sizeof(ParentBlock) +
                      files.capacity() * sizeof(BlockFile) +
                      segment_files.capacity() * sizeof(std::string);
  for (const auto& [name, value] : labels) bytes += kNodeBytes + name.size() + value.size();
  return bytes;
}

StatusOr<Meta> ReadMetaFile(const std::string& directory) {
  const std::string path = fmt::format("{}/{}", directory, kMetaFile);
  ASSIGN_OR_RETURN(const std::string text, aevum::ReadFile(path, kMaxMetaBytes));
  StatusOr<Meta> meta = Meta::Parse(text);
  if (!meta.ok()) return Annotate(meta.status(), path);
  return meta;
}

}  // namespace aevum::block
