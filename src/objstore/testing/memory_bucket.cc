#include "objstore/testing/memory_bucket.h"

#include <algorithm>
#include <vector>

#include "objstore/errors.h"

namespace aevum::objstore {

void MemoryBucket::Forbid(const std::string& name) {
  MutexLock lock(mutex_);
  forbidden_.insert(name);
}

StatusOr<MemoryBucket::Object> MemoryBucket::Find(const Context& context, const std::string& name) {
  RETURN_IF_ERROR(context.status());
  RETURN_IF_ERROR(CheckName(name));
  MutexLock lock(mutex_);
  if (forbidden_.contains(name)) {
    return MakeError(StatusCode::kPermissionDenied, "access denied: " + name);
  }
  const auto found = objects_.find(name);
  if (found == objects_.end()) return NotFound("no such object: {}", name);
  return found->second;
}

Status MemoryBucket::Iterate(const Context& context, const std::string& directory,
                             const IterateOptions& options, const ObjectVisitor& visit) {
  RETURN_IF_ERROR(context.status());
  const std::string prefix = DirectoryPrefix(directory);
  std::vector<ListedObject> listed;
  {
    MutexLock lock(mutex_);
    for (auto it = objects_.lower_bound(prefix);
         it != objects_.end() && it->first.starts_with(prefix); ++it) {
      const std::size_t slash = it->first.find(kDelimiter, prefix.size());
      if (options.depth == IterateOptions::Depth::kFlat && slash != std::string::npos) {
        std::string name = it->first.substr(0, slash + 1);
        if (listed.empty() || listed.back().name != name)
          listed.push_back({std::move(name), {}, {}});
        continue;
      }
      const ObjectAttributes& attributes = it->second.attributes;
      listed.push_back({it->first, attributes.size_bytes, attributes.last_modified_ms});
    }
  }
  for (const ListedObject& object : listed) RETURN_IF_ERROR(visit(object));
  return OkStatus();
}

Status MemoryBucket::Read(const Context& context, const std::string& name, ByteRange range,
                          ByteSink& sink) {
  ASSIGN_OR_RETURN(const Object object, Find(context, name));
  std::string_view bytes = object.bytes.view;
  const auto size = static_cast<std::int64_t>(bytes.size());
  if (!range.IsWhole()) {
    if (range.offset >= size) return OutOfRange(name, range.offset, size);
    bytes.remove_prefix(static_cast<std::size_t>(range.offset));
    if (range.length >= 0) bytes = bytes.substr(0, static_cast<std::size_t>(range.length));
  }
  RETURN_IF_ERROR(sink.Start(static_cast<std::int64_t>(bytes.size())));
  return bytes.empty() ? OkStatus() : sink.Write(bytes);
}

StatusOr<ObjectAttributes> MemoryBucket::Attributes(const Context& context,
                                                    const std::string& name) {
  ASSIGN_OR_RETURN(const Object object, Find(context, name));
  return object.attributes;
}

StatusOr<std::string> MemoryBucket::Upload(const Context& context, const std::string& name,
                                           const UploadSource& source,
                                           const UploadOptions& options) {
  RETURN_IF_ERROR(context.status());
  RETURN_IF_ERROR(CheckName(name));
  std::string bytes(static_cast<std::size_t>(source.size_bytes()), '\0');
  RETURN_IF_ERROR(source.Read(0, bytes));
  MutexLock lock(mutex_);
  if (forbidden_.contains(name)) {
    return MakeError(StatusCode::kPermissionDenied, "access denied: " + name);
  }
  const auto found = objects_.find(name);
  if (options.condition == UploadCondition::kIfAbsent && found != objects_.end()) {
    return ConditionFailed(name, "it exists");
  }
  if (options.condition == UploadCondition::kIfVersion &&
      (found == objects_.end() || found->second.attributes.version != options.version)) {
    return ConditionFailed(name, "it is another version");
  }
  const std::string version = std::to_string(++uploads_);
  objects_.insert_or_assign(name, Object{SharedBytes::Own(std::move(bytes)),
                                         {source.size_bytes(), Clock::System().NowMs(), version}});
  return version;
}

Status MemoryBucket::Delete(const Context& context, const std::string& name) {
  const Status found = Find(context, name).status();
  if (IsNotFound(found)) return OkStatus();
  RETURN_IF_ERROR(found);
  MutexLock lock(mutex_);
  objects_.erase(name);
  return OkStatus();
}

}  // namespace aevum::objstore
