#include "block/meta_cache.h"

#include <chrono>
#include <filesystem>
#include <system_error>
#include <utility>

#include "base/files.h"
#include "base/output_file.h"

namespace aevum::block {
namespace {

namespace fs = std::filesystem;

// The file's clock against that of the epoch is the same for both directions, which is all that a
// comparison with the object's time needs.
TimestampMs ModifiedMs(const std::string& path) {
  std::error_code error;
  const fs::file_time_type time = fs::last_write_time(path, error);
  if (error) return 0;
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             fs::file_time_type::clock::to_sys(time).time_since_epoch())
      .count();
}

void SetModified(const std::string& path, TimestampMs time) {
  std::error_code error;  // the next look at the object's time reads it again, no more
  fs::last_write_time(
      path,
      fs::file_time_type::clock::from_sys(
          std::chrono::sys_time<std::chrono::milliseconds>(std::chrono::milliseconds(time))),
      error);
}

Status Write(const std::string& path, std::string_view text) {
  ASSIGN_OR_RETURN(OutputFile file, OutputFile::Create(path));
  RETURN_IF_ERROR(file.Write(text));
  // A crash costs a read of the bucket; syncing ten thousand files would cost each start more.
  return file.Commit(OutputFile::Durability::kUnsynced);
}

}  // namespace

MetaCache::MetaCache(const std::string& directory, Logger logger)
    : root_(directory.empty() ? std::string() : directory + "/meta-syncer"),
      logger_(std::move(logger)) {}

std::string MetaCache::DirectoryOf(const model::Ulid& block) const {
  return root_ + "/" + block.ToString();
}

CachedMetas MetaCache::Load() const {
  CachedMetas all;
  if (root_.empty()) return all;
  const StatusOr<std::vector<std::string>> names = ListDirectory(root_);
  if (!names.ok()) {
    if (names.status().code() != StatusCode::kNotFound)
      logger_.Warn("metas kept on disk can't be read", {{"err", names.status()}});
    return all;
  }
  for (const std::string& name : *names) {
    const std::optional<model::Ulid> block = model::BlockDirectory(name);
    if (!block) continue;
    StatusOr<Meta> meta = ReadMetaFile(DirectoryOf(*block));
    if (meta.ok() && meta->ulid == *block) {
      all[*block] = {std::make_shared<const Meta>(*std::move(meta)),
                     ModifiedMs(DirectoryOf(*block) + "/" + std::string(kMetaFile))};
      continue;
    }
    logger_.Warn("a meta kept on disk is damaged, it will be read again",
                 {{"block", name},
                  {"err", meta.ok() ? "of another block" : std::string(meta.status().message())}});
    Remove(*block);
  }
  return all;
}

void MetaCache::Store(const CachedMeta& cached) const {
  if (root_.empty()) return;
  const std::string path = fmt::format("{}/{}", DirectoryOf(cached.meta->ulid), kMetaFile);
  if (const Status status = Write(path, cached.meta->Write()); !status.ok()) {
    logger_.Warn("a meta can't be kept on disk", {{"err", status}});
    return;
  }
  if (cached.modified_ms != 0) SetModified(path, cached.modified_ms);
}

void MetaCache::Remove(const model::Ulid& block) const {
  if (root_.empty()) return;
  std::error_code error;
  fs::remove_all(DirectoryOf(block), error);
  if (error) {
    logger_.Warn("a meta kept on disk can't be removed",
                 {{"block", block.ToString()}, {"err", error.message()}});
  }
}

}  // namespace aevum::block
