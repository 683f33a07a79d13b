#include "tools/copy_block.h"

#include <algorithm>
#include <string>
#include <vector>

#include "base/files.h"
#include "block/meta.h"
#include "block/output_file.h"
#include "block/upload.h"

namespace aevum::tools {
namespace {

using block::ObjectName;

struct Object {
  std::string name;
  std::int64_t size_bytes = 0;
};

StatusOr<std::vector<Object>> ListSegments(const Context& context, objstore::Bucket& bucket,
                                           const model::Ulid& block) {
  ASSIGN_OR_RETURN(std::vector<std::string> names,
                   block::ListSegmentObjects(context, bucket, block));
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

Status CheckNothingThere(const Context& context, objstore::Bucket& to, const model::Ulid& block) {
  return to.Iterate(
      context, block.ToString(), {}, [&](const objstore::ListedObject& object) -> Status {
        return MakeError(
            StatusCode::kAlreadyExists,
            fmt::format("bucket {} has {} already; remove that block there if it is not needed",
                        to.Name(), object.name));
      });
}

// What is there of another block must not be seen as one while its parts are replaced, so its
// meta.json goes first. Its other objects go too, so that none of them is taken for one of the new
// block by a later copy, should this one be interrupted.
Status RemoveOtherBlock(const Context& context, objstore::Bucket& to, const model::Ulid& block) {
  RETURN_IF_ERROR(to.Delete(context, ObjectName(block, block::kMetaFile)));
  ASSIGN_OR_RETURN(const std::vector<std::string> segments,
                   block::ListSegmentObjects(context, to, block));
  for (const std::string& segment : segments) RETURN_IF_ERROR(to.Delete(context, segment));
  return to.Delete(context, ObjectName(block, block::kIndexFile));
}

// Every file that meta.json names must be among the objects: a block may be under deletion.
Status CheckFiles(const model::Ulid& block, const std::string& meta_text,
                  const std::vector<Object>& objects) {
  ASSIGN_OR_RETURN(const block::Meta meta, block::Meta::Parse(meta_text));
  for (const block::BlockFile& file : meta.files) {
    if (file.path == block::kMetaFile) continue;
    const std::string name = ObjectName(block, file.path);
    const bool listed = std::any_of(objects.begin(), objects.end(),
                                    [&](const Object& object) { return object.name == name; });
    if (!listed) return Corruption("{} is missing, meta.json names it", name);
  }
  return OkStatus();
}

// The source may delete the block while it is copied.
Status CheckUnchanged(const Context& context, objstore::Bucket& from, const std::string& name,
                      const std::string& before) {
  const StatusOr<std::string> now = from.Get(context, name, block::kMaxMetaBytes);
  if (!now.ok() && !objstore::IsNotFound(now.status())) return now.status();
  if (now.ok() && *now == before) return OkStatus();
  return Unavailable("bucket {}: {} {} while the block was copied; the copy stays without one",
                     from.Name(), name, now.ok() ? "changed" : "was deleted");
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
  if (other == OtherBlock::kRefused) RETURN_IF_ERROR(CheckNothingThere(context, to, block));
  const StatusOr<std::string> there = to.Get(context, meta_name, block::kMaxMetaBytes);
  if (!there.ok() && !objstore::IsNotFound(there.status())) return there.status();
  CopyResult result;
  if (there.ok() && *there == meta) {
    result.was_there = true;
    return result;
  }
  ASSIGN_OR_RETURN(std::vector<Object> objects, ListSegments(context, from, block));
  const std::string index = ObjectName(block, block::kIndexFile);
  ASSIGN_OR_RETURN(const objstore::ObjectAttributes about, from.Attributes(context, index));
  objects.push_back({index, about.size_bytes});
  RETURN_IF_ERROR(CheckFiles(block, meta, objects));
  if (there.ok()) RETURN_IF_ERROR(RemoveOtherBlock(context, to, block));
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
  RETURN_IF_ERROR(CheckUnchanged(context, from, meta_name, meta));
  RETURN_IF_ERROR(to.Upload(context, meta_name, objstore::BytesSource(meta), {}).status());
  ++result.objects;
  return result;
}

}  // namespace aevum::tools
