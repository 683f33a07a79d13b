#include "block/upload.h"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <memory>
#include <optional>
#include <utility>

#include "base/files.h"
#include "block/marks.h"
#include "block/output_file.h"
#include "objstore/parallel.h"

namespace aevum::block {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kHashPieceBytes = 1 << 20;

std::string SegmentPath(const std::string& segment) {
  return fmt::format("{}/{}", kChunksDirectory, segment);
}

StatusOr<BlockFile> DescribeFile(const std::string& directory, std::string path,
                                 HashFunction hash) {
  const std::string full = directory + "/" + path;
  ASSIGN_OR_RETURN(const objstore::FileSource file, objstore::FileSource::Open(full));
  BlockFile described;
  described.path = std::move(path);
  described.size_bytes = file.size_bytes();
  if (hash == HashFunction::kSha256) {
    ASSIGN_OR_RETURN(std::string value, Sha256OfFile(full));
    described.hash = FileHash{.function = "SHA256", .value = std::move(value)};
  }
  return described;
}

Status UploadFile(const Context& context, objstore::Bucket& bucket, const std::string& path,
                  const std::string& name) {
  ASSIGN_OR_RETURN(const objstore::FileSource file, objstore::FileSource::Open(path));
  return bucket.Upload(context, name, file, {}).status();
}

// Whether a file is there with the size and the hash that the meta states.
bool IsThere(const std::string& path, const BlockFile& file) {
  if (!file.hash || file.hash->function != "SHA256") return false;
  std::error_code error;
  if (fs::file_size(path, error) != static_cast<std::uintmax_t>(file.size_bytes) || error)
    return false;
  const StatusOr<std::string> hash = Sha256OfFile(path);
  return hash.ok() && *hash == file.hash->value;
}

Status DownloadFile(const Context& context, objstore::Bucket& bucket, const std::string& name,
                    const std::string& path) {
  ASSIGN_OR_RETURN(OutputFile file, OutputFile::Create(path));
  OutputFileSink sink(file);
  RETURN_IF_ERROR(bucket.Read(context, name, {}, sink));
  return file.Commit();
}

// The objects of a block that make it up, by name below the block.
StatusOr<std::vector<std::string>> ListContents(const Context& context, objstore::Bucket& bucket,
                                                const model::Ulid& block) {
  const std::string prefix = ObjectName(block, "");
  objstore::IterateOptions options;
  options.depth = objstore::IterateOptions::Depth::kRecursive;
  std::vector<std::string> names;
  RETURN_IF_ERROR(
      bucket.Iterate(context, prefix, options, [&](const objstore::ListedObject& object) {
        names.push_back(object.name.substr(prefix.size()));
        return OkStatus();
      }));
  return names;
}

// A listing of a bucket that others write to must not lead out of the directory.
bool IsPlainPath(std::string_view path) {
  const fs::path parsed(path);
  return parsed.is_relative() &&
         std::none_of(parsed.begin(), parsed.end(),
                      [](const fs::path& part) { return part == ".." || part == "."; });
}

}  // namespace

StatusOr<std::string> Sha256OfFile(const std::string& path) {
  ASSIGN_OR_RETURN(const objstore::FileSource file, objstore::FileSource::Open(path));
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> digest(EVP_MD_CTX_new(),
                                                                       EVP_MD_CTX_free);
  AEVUM_CHECK(digest != nullptr && EVP_DigestInit_ex(digest.get(), EVP_sha256(), nullptr) == 1);
  std::string piece;
  for (std::int64_t at = 0; at < file.size_bytes(); at += static_cast<std::int64_t>(piece.size())) {
    piece.resize(
        static_cast<std::size_t>(std::min<std::int64_t>(file.size_bytes() - at, kHashPieceBytes)));
    RETURN_IF_ERROR(file.Read(at, piece));
    AEVUM_CHECK(EVP_DigestUpdate(digest.get(), piece.data(), piece.size()) == 1);
  }
  std::array<unsigned char, EVP_MAX_MD_SIZE> bytes{};
  unsigned size = 0;
  AEVUM_CHECK(EVP_DigestFinal_ex(digest.get(), bytes.data(), &size) == 1);
  std::string hex;
  for (unsigned i = 0; i < size; ++i) hex += fmt::format("{:02x}", bytes[i]);
  return hex;
}

StatusOr<std::vector<std::string>> ListSegments(const std::string& directory) {
  return ListDirectory(fmt::format("{}/{}", directory, kChunksDirectory));
}

StatusOr<std::vector<std::string>> ListSegmentObjects(const Context& context,
                                                      objstore::Bucket& bucket,
                                                      const model::Ulid& block) {
  std::vector<std::string> names;
  RETURN_IF_ERROR(bucket.Iterate(context, ObjectName(block, kChunksDirectory), {},
                                 [&](const objstore::ListedObject& object) {
                                   if (!object.IsDirectory()) names.push_back(object.name);
                                   return OkStatus();
                                 }));
  return names;
}

StatusOr<std::vector<BlockFile>> ListBlockFiles(const std::string& directory, HashFunction hash) {
  ASSIGN_OR_RETURN(const std::vector<std::string> segments, ListSegments(directory));
  std::vector<BlockFile> files;
  for (const std::string& segment : segments) {
    ASSIGN_OR_RETURN(files.emplace_back(), DescribeFile(directory, SegmentPath(segment), hash));
  }
  ASSIGN_OR_RETURN(files.emplace_back(), DescribeFile(directory, std::string(kIndexFile), hash));
  files.emplace_back().path = kMetaFile;
  return files;
}

Status UploadBlock(const Context& context, objstore::Bucket& bucket, const std::string& directory,
                   Meta meta, const UploadBlockOptions& options) {
  if (meta.labels.empty() && !options.without_labels) {
    return MakeError(StatusCode::kFailedPrecondition,
                     fmt::format("block {}: without external labels its series can't be told from "
                                 "those of others",
                                 meta.ulid.ToString()));
  }
  ASSIGN_OR_RETURN(meta.files, ListBlockFiles(directory, options.hash));
  // What is in the meta and gone by now is an error, never a block without it.
  std::vector<std::string> segments;
  for (const BlockFile& file : meta.files)
    if (file.path != kIndexFile && file.path != kMetaFile) segments.push_back(file.path);
  RETURN_IF_ERROR(
      objstore::RunParallel(bucket.pool(), segments.size(),
                            std::max<std::size_t>(options.concurrency, 1), [&](std::size_t i) {
                              return UploadFile(context, bucket, directory + "/" + segments[i],
                                                ObjectName(meta.ulid, segments[i]));
                            }));
  RETURN_IF_ERROR(UploadFile(context, bucket, fmt::format("{}/{}", directory, kIndexFile),
                             ObjectName(meta.ulid, kIndexFile)));
  const TimestampMs now = options.clock->NowMs();
  meta.upload_time = {.seconds = now / 1000,
                      .nanos = static_cast<std::int32_t>(now % 1000) * 1'000'000};
  meta.upload_zone_minutes = 0;
  const std::string text = meta.Write();
  return bucket.Upload(context, ObjectName(meta.ulid, kMetaFile), objstore::BytesSource(text), {})
      .status();
}

Status DeleteBlock(const Context& context, objstore::Bucket& bucket, const model::Ulid& block) {
  RETURN_IF_ERROR(bucket.Delete(context, ObjectName(block, kMetaFile)));
  ASSIGN_OR_RETURN(const std::vector<std::string> names, ListContents(context, bucket, block));
  const std::string_view mark = MarkFile(MarkKind::kDeletion);
  for (const std::string& name : names) {
    if (name != mark) RETURN_IF_ERROR(bucket.Delete(context, ObjectName(block, name)));
  }
  return bucket.Delete(context, ObjectName(block, mark));
}

StatusOr<Meta> DownloadBlock(const Context& context, objstore::Bucket& bucket,
                             const model::Ulid& block, const std::string& directory,
                             std::size_t concurrency) {
  const std::string name = ObjectName(block, kMetaFile);
  ASSIGN_OR_RETURN(const std::string text, bucket.Get(context, name, kMaxMetaBytes));
  StatusOr<Meta> meta = Meta::Parse(text);
  if (!meta.ok()) return Annotate(meta.status(), name);
  ASSIGN_OR_RETURN(std::vector<std::string> names, ListContents(context, bucket, block));
  std::erase(names, kMetaFile);
  std::error_code error;
  fs::create_directories(fmt::format("{}/{}", directory, kChunksDirectory), error);
  if (error) return Unavailable("create directory {}: {}", directory, error.message());
  RETURN_IF_ERROR(WriteFileAtomically(fmt::format("{}/{}", directory, kMetaFile), text));
  RETURN_IF_ERROR(objstore::RunParallel(
      bucket.pool(), names.size(), std::max<std::size_t>(concurrency, 1),
      [&](std::size_t i) -> Status {
        if (!IsPlainPath(names[i]))
          return Corruption("block {} has an object that leads out of it: {}", block.ToString(),
                            names[i]);
        const std::string path = directory + "/" + names[i];
        const auto file = std::find_if(meta->files.begin(), meta->files.end(),
                                       [&](const BlockFile& f) { return f.path == names[i]; });
        if (file != meta->files.end() && IsThere(path, *file)) return OkStatus();
        return DownloadFile(context, bucket, ObjectName(block, names[i]), path);
      }));
  return meta;
}

}  // namespace aevum::block
