#include "tools/copy_block.h"

#include <string>
#include <vector>

#include "base/files.h"
#include "block/meta.h"
#include "block/output_file.h"

namespace aevum::tools {
namespace {

using block::ObjectName;

struct Object {
  std::string name;
  std::int64_t size_bytes = 0;
};

StatusOr<std::vector<Object>> ListSegments(const Context& context, objstore::Bucket& bucket,
                                           const model::Ulid& block) {
  std::vector<std::string> names;
  RETURN_IF_ERROR(bucket.Iterate(context, ObjectName(block, block::kChunksDirectory), {},
                                 [&](const objstore::ListedObject& object) {
                                   if (!object.IsDirectory()) names.push_back(object.name);
                                   return OkStatus();
                                 }));
  std::vector<Object> segments;
  for (std::string& name : names) {
    ASSIGN_OR_RETURN(const objstore::ObjectAttributes about, bucket.Attributes(context, name));
    segments.push_back({std::move(name), about.size_bytes});
  }
  return segments;
}

// True when the destination has an object of that name and size.
StatusOr<bool> IsThere(const Context& context, objstore::Bucket& to, const Object& object) {
  const auto about = to.Attributes(context, object.name);
  if (objstore::IsNotFound(about.status())) return false;
  if (!about.ok()) return about.status();
  return about->size_bytes == object.size_bytes;
}

Status CopyObject(const Context& context, objstore::Bucket& from, objstore::Bucket& to,
                  const std::string& name, const std::string& scratch) {
  {
    ASSIGN_OR_RETURN(OutputFile file, OutputFile::Create(scratch));
    block::OutputFileSink sink(file);
    RETURN_IF_ERROR(from.Read(context, name, {}, sink));
    RETURN_IF_ERROR(file.Commit(OutputFile::Durability::kUnsynced));
  }
  ASSIGN_OR_RETURN(const objstore::FileSource source, objstore::FileSource::Open(scratch));
  return to.Upload(context, name, source, {}).status();
}

}  // namespace

StatusOr<CopyResult> CopyBlock(const Context& context, objstore::Bucket& from, objstore::Bucket& to,
                               const model::Ulid& block, OtherBlock other, ProgressBar& progress) {
  const std::string meta_name = ObjectName(block, block::kMetaFile);
  ASSIGN_OR_RETURN(const std::string meta, from.Get(context, meta_name, block::kMaxMetaBytes));
  const StatusOr<std::string> there = to.Get(context, meta_name, block::kMaxMetaBytes);
  if (!there.ok() && !objstore::IsNotFound(there.status())) return there.status();
  CopyResult result;
  if (there.ok() && *there == meta) {
    result.was_there = true;
    return result;
  }
  if (there.ok() && other == OtherBlock::kRefused) {
    return MakeError(StatusCode::kAlreadyExists,
                     fmt::format("bucket {} has another {}; remove that block if it is not needed",
                                 to.Name(), meta_name));
  }
  // What is there of another block must not be seen as one while its parts are replaced.
  if (there.ok()) RETURN_IF_ERROR(to.Delete(context, meta_name));

  ASSIGN_OR_RETURN(std::vector<Object> objects, ListSegments(context, from, block));
  const std::string index = ObjectName(block, block::kIndexFile);
  ASSIGN_OR_RETURN(const objstore::ObjectAttributes about, from.Attributes(context, index));
  objects.push_back({index, about.size_bytes});
  for (const Object& object : objects) progress.Expect(object.size_bytes);

  ASSIGN_OR_RETURN(const TemporaryDirectory scratch, TemporaryDirectory::Create());
  for (const Object& object : objects) {
    bool same = false;
    if (!there.ok()) {
      ASSIGN_OR_RETURN(same, IsThere(context, to, object));
    }
    if (!same) {
      RETURN_IF_ERROR(CopyObject(context, from, to, object.name, scratch.File("object")));
      ++result.objects;
      result.bytes += static_cast<std::uint64_t>(object.size_bytes);
    }
    progress.Advance(object.size_bytes);
  }
  RETURN_IF_ERROR(to.Upload(context, meta_name, objstore::BytesSource(meta), {}).status());
  ++result.objects;
  return result;
}

}  // namespace aevum::tools
