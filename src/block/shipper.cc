#include "block/shipper.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/registry.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <utility>

#include "base/files.h"
#include "block/json_fields.h"

namespace aevum::block {
namespace {

namespace fs = std::filesystem;

constexpr int kVersion = 1;
constexpr std::string_view kUploadDirectory = "/thanos/upload";  // of the TSDB's directory

prometheus::Counter& MakeCounter(prometheus::Registry& registry, const std::string& name,
                                 const std::string& help) {
  return prometheus::BuildCounter().Name(name).Help(help).Register(registry).Add({});
}

// Removes a directory at the end of a scope, with all it holds.
class ScratchDirectory {
 public:
  explicit ScratchDirectory(std::string path) : path_(std::move(path)) {}
  ~ScratchDirectory() {
    std::error_code error;  // what stays is removed by the next Sync
    fs::remove_all(path_, error);
  }
  ScratchDirectory(const ScratchDirectory&) = delete;
  ScratchDirectory& operator=(const ScratchDirectory&) = delete;

  Status Make() const {
    std::error_code error;
    fs::create_directories(path_, error);
    if (error) return Unavailable("create directory {}: {}", path_, error.message());
    return OkStatus();
  }

 private:
  const std::string path_;
};

bool Overlap(const Meta& a, const Meta& b) {
  return a.min_time < b.max_time && b.min_time < a.max_time;
}

}  // namespace

StatusOr<ShipperState> ShipperState::Parse(std::string_view text) {
  ASSIGN_OR_RETURN(const JsonValue value, JsonValue::ParseWhole(text));
  ShipperState state;
  int version = 0;
  if (!value.IsNull()) {
    RETURN_IF_ERROR(ReadFields(
        value, "", {{"version", Into(&version)}, {"uploaded", IntoList(&state.uploaded)}}));
  }
  if (version != kVersion) return Corruption("version: unknown, {} is not {}", version, kVersion);
  return state;
}

std::string ShipperState::Write() const {
  JsonWriter json(JsonWriter::Form::kTabs);
  json.BeginObject();
  json.Key("version");
  json.Number(std::int64_t{kVersion});
  json.Key("uploaded");
  if (uploaded.empty()) {
    json.Value(JsonValue());  // as Go writes a list that was never filled
  } else {
    json.BeginArray();
    for (const model::Ulid& block : uploaded) json.String(block.ToString());
    json.EndArray();
  }
  json.EndObject();
  return std::move(json).Take() + "\n";
}

Shipper::Shipper(ShipperOptions options, objstore::Bucket& bucket, LabelsSource labels,
                 Logger logger, prometheus::Registry& registry)
    : options_(std::move(options)),
      bucket_(bucket),
      labels_(std::move(labels)),
      logger_(std::move(logger)),
      syncs_(MakeCounter(registry, "thanos_shipper_dir_syncs_total",
                         "How often the data directory was looked at.")),
      sync_failures_(MakeCounter(registry, "thanos_shipper_dir_sync_failures_total",
                                 "How often that failed.")),
      uploads_(MakeCounter(registry, "thanos_shipper_uploads_total", "Blocks uploaded.")),
      upload_failures_(MakeCounter(registry, "thanos_shipper_upload_failures_total",
                                   "Uploads of blocks that failed.")),
      corrupted_(MakeCounter(registry, "thanos_shipper_corrupted_blocks_total",
                             "Blocks that were passed over since they can't be read.")) {
  if (options_.upload_compacted) {
    compacted_done_ = &prometheus::BuildGauge()
                           .Name("thanos_shipper_upload_compacted_done")
                           .Help("1 when all compacted blocks of the directory were uploaded.")
                           .Register(registry)
                           .Add({});
  }
}

std::set<model::Ulid> Shipper::ReadUploaded() const {
  const std::string path = options_.directory + "/" + options_.state_file;
  const StatusOr<std::string> text = ReadFile(path);
  Status status = text.status();
  if (text.ok()) {
    const StatusOr<ShipperState> state = ShipperState::Parse(*text);
    if (state.ok()) return {state->uploaded.begin(), state->uploaded.end()};
    status = state.status();
  }
  // It spares questions to the bucket and is made anew.
  if (status.code() != StatusCode::kNotFound)
    logger_.Warn("the shipper's state can't be read, asking the bucket", {{"err", status}});
  return {};
}

StatusOr<Shipper::LocalBlocks> Shipper::ListBlocks() const {
  ASSIGN_OR_RETURN(const std::vector<std::string> names, ListDirectory(options_.directory));
  LocalBlocks blocks;
  for (const std::string& name : names) {
    const std::string path = options_.directory + "/" + name;
    std::error_code error;
    if (!model::BlockDirectory(name) || !fs::is_directory(path, error)) continue;
    StatusOr<Meta> meta = ReadMetaFile(path);
    if (meta.ok()) {
      blocks.metas.push_back(*std::move(meta));
      continue;
    }
    // The TSDB deleted the block since the listing.
    if (!fs::exists(path, error)) continue;
    if (!options_.skip_corrupted) return Annotate(meta.status(), "block " + name);
    logger_.Error("a block can't be read and is passed over",
                  {{"block", name}, {"err", meta.status()}});
    ++blocks.unreadable;
  }
  std::stable_sort(blocks.metas.begin(), blocks.metas.end(),
                   [](const Meta& a, const Meta& b) { return a.min_time < b.min_time; });
  return blocks;
}

StatusOr<std::size_t> Shipper::Sync(const Context& context) {
  MutexLock lock(mutex_);
  RemoveLeftovers();
  std::vector<model::Ulid> uploaded;
  StatusOr<std::size_t> count = SyncBlocks(context, &uploaded);
  const Status written = WriteFileAtomically(options_.directory + "/" + options_.state_file,
                                             ShipperState{std::move(uploaded)}.Write());
  if (!written.ok()) logger_.Warn("the shipper's state can't be written", {{"err", written}});
  syncs_.Increment();
  if (!count.ok()) {
    sync_failures_.Increment();
  } else if (compacted_done_ != nullptr) {
    compacted_done_->Set(1);
  }
  return count;
}

void Shipper::RemoveLeftovers() const {
  std::error_code error;
  const fs::path directory = options_.directory + std::string(kUploadDirectory);
  for (fs::directory_iterator at(directory, error), end; !error && at != end; at.increment(error)) {
    const std::string name = at->path().filename();
    if (!model::BlockDirectory(name + "/")) continue;
    std::error_code failure;
    fs::remove_all(at->path(), failure);
    if (failure)
      logger_.Warn("links of an upload that was cut short can't be removed",
                   {{"block", name}, {"err", failure.message()}});
  }
}

StatusOr<std::size_t> Shipper::SyncBlocks(const Context& context,
                                          std::vector<model::Ulid>* uploaded) {
  const std::set<model::Ulid> before = ReadUploaded();
  StatusOr<LocalBlocks> blocks = ListBlocks();
  if (!blocks.ok()) {
    // Nothing is known of what is still on disk: the state stays as it was.
    uploaded->assign(before.begin(), before.end());
    return blocks.status();
  }
  corrupted_.Increment(static_cast<double>(blocks->unreadable));
  std::size_t count = 0;
  std::size_t failed = 0;
  Status held_up;
  for (const Meta& meta : blocks->metas) {
    if (before.contains(meta.ulid)) {
      uploaded->push_back(meta.ulid);
      continue;
    }
    const bool eligible =
        meta.stats.samples > 0 && (meta.compaction.level <= 1 || options_.upload_compacted);
    if (!eligible || !held_up.ok()) continue;
    const StatusOr<bool> there = Ship(context, meta, &count);
    if (there.ok()) {
      if (*there) uploaded->push_back(meta.ulid);
      continue;
    }
    ++failed;
    upload_failures_.Increment();
    const Status status = Annotate(there.status(), "block " + meta.ulid.ToString());
    if (!options_.allow_out_of_order) {
      held_up = status;
      continue;  // only to remember what is there of the blocks behind it
    }
    logger_.Error("shipping failed", {{"err", status}});
  }
  if (!held_up.ok()) return held_up;
  if (failed + blocks->unreadable > 0)
    return Unavailable("blocks that could not be shipped: {}", failed + blocks->unreadable);
  return count;
}

StatusOr<bool> Shipper::Ship(const Context& context, const Meta& meta, std::size_t* count) {
  ASSIGN_OR_RETURN(const bool there, bucket_.Exists(context, ObjectName(meta.ulid, kMetaFile)));
  if (there) return true;
  if (meta.compaction.level > 1 && !options_.allow_out_of_order)
    RETURN_IF_ERROR(CheckOverlap(context, meta));
  logger_.Info("upload new block", {{"block", meta.ulid.ToString()}});
  RETURN_IF_ERROR(Upload(context, meta));
  uploads_.Increment();
  ++*count;
  return true;
}

Status Shipper::CheckOverlap(const Context& context, const Meta& meta) {
  std::vector<model::Ulid> blocks;
  RETURN_IF_ERROR(bucket_.Iterate(context, "", {}, [&](const objstore::ListedObject& object) {
    const std::optional<model::Ulid> block = model::BlockDirectory(object.name);
    if (block && object.IsDirectory()) blocks.push_back(*block);
    return OkStatus();
  }));
  const model::Labels labels = labels_();
  for (const model::Ulid& block : blocks) {
    const std::string name = ObjectName(block, kMetaFile);
    const StatusOr<std::string> text = bucket_.Get(context, name, kMaxMetaBytes);
    if (text.status().code() == StatusCode::kNotFound) continue;  // no whole block
    if (!text.ok()) return text.status();
    const StatusOr<Meta> other = Meta::Parse(*text);
    if (!other.ok()) return Annotate(other.status(), name);
    if (other->ExternalLabels() == labels && Overlap(meta, *other)) {
      return MakeError(
          StatusCode::kFailedPrecondition,
          fmt::format("a compacted block overlaps one in the bucket: {}", block.ToString()));
    }
  }
  return OkStatus();
}

Status Shipper::LinkFiles(const std::string& from, const std::string& to) const {
  ASSIGN_OR_RETURN(const std::vector<std::string> segments, ListSegments(from));
  std::vector<std::string> files = {std::string(kIndexFile)};
  for (const std::string& segment : segments)
    files.push_back(fmt::format("{}/{}", kChunksDirectory, segment));
  std::error_code error;
  fs::create_directory(fmt::format("{}/{}", to, kChunksDirectory), error);
  for (const std::string& file : files) {
    if (!error) fs::create_hard_link(from + "/" + file, to + "/" + file, error);
    if (error) return Unavailable("link {}/{}: {}", to, file, error.message());
  }
  return OkStatus();
}

Status Shipper::Upload(const Context& context, Meta meta) {
  const std::string id = meta.ulid.ToString();
  const std::string staged = fmt::format("{}{}/{}", options_.directory, kUploadDirectory, id);
  const ScratchDirectory scratch(staged);
  RETURN_IF_ERROR(scratch.Make());
  RETURN_IF_ERROR(LinkFiles(options_.directory + "/" + id, staged));
  meta.labels.clear();
  for (const model::Label label : labels_())
    meta.labels[std::string(label.name)] = std::string(label.value);
  meta.source = options_.source;
  ASSIGN_OR_RETURN(meta.segment_files, ListSegments(staged));
  return UploadBlock(
      context, bucket_, staged, std::move(meta),
      {.hash = options_.hash, .concurrency = options_.upload_concurrency, .clock = options_.clock});
}

StatusOr<TimestampMs> Shipper::MinTime() const {
  ASSIGN_OR_RETURN(const LocalBlocks blocks, ListBlocks());
  return blocks.metas.empty() ? 0 : blocks.metas.front().min_time;
}

}  // namespace aevum::block
