#include "block/testing/blocks.h"

#include <gtest/gtest.h>

namespace aevum::block::testing {

model::Ulid IdOf(int number) {
  model::Ulid id = *model::Ulid::Parse("01HF5Z6Q0000000000000000AA");
  id.bytes[14] = static_cast<std::uint8_t>(number >> 8);
  id.bytes[15] = static_cast<std::uint8_t>(number);
  return id;
}

Meta MakeMeta(int number) {
  constexpr TimestampMs kTwoHours = 7'200'000;
  Meta meta;
  meta.ulid = IdOf(number);
  meta.min_time = number * kTwoHours;
  meta.max_time = meta.min_time + kTwoHours;
  meta.stats.samples = 1;
  meta.compaction.level = 1;
  meta.compaction.sources = {meta.ulid};
  meta.labels = {{"cluster", "eu"}};
  meta.source = kSourceSidecar;
  return meta;
}

void Put(objstore::Bucket& bucket, const std::string& name, std::string_view bytes) {
  const auto uploaded =
      bucket.Upload(Context::Background(), name, objstore::BytesSource(bytes), {});
  ASSERT_TRUE(uploaded.ok()) << uploaded.status();
}

void PutMeta(objstore::Bucket& bucket, const Meta& meta) {
  Put(bucket, ObjectName(meta.ulid, kMetaFile), meta.Write());
}

std::vector<std::string> List(objstore::Bucket& bucket, const std::string& directory) {
  std::vector<std::string> names;
  objstore::IterateOptions options;
  options.depth = objstore::IterateOptions::Depth::kRecursive;
  const Status status = bucket.Iterate(Context::Background(), directory, options,
                                       [&](const objstore::ListedObject& object) {
                                         names.push_back(object.name);
                                         return OkStatus();
                                       });
  EXPECT_TRUE(status.ok()) << status;
  return names;
}

Status CountingBucket::Count(const std::string& name) {
  const int call = calls++;
  if (call == fail_call) return Unavailable("this call fails: {} {}", call, name);
  if (!fail.empty() && name == fail) return Unavailable("this object fails: {}", name);
  return OkStatus();
}

Status CountingBucket::Iterate(const Context& context, const std::string& directory,
                               const objstore::IterateOptions& options,
                               const objstore::ObjectVisitor& visit) {
  RETURN_IF_ERROR(Count(directory));
  if (fail_listing) return Unavailable("listings fail");
  return bucket_.Iterate(context, directory, options, [&](objstore::ListedObject object) {
    if (!object.IsDirectory()) object.last_modified_ms = TimeOf(object.name);
    return visit(object);
  });
}

Status CountingBucket::Read(const Context& context, const std::string& name,
                            objstore::ByteRange range, objstore::ByteSink& sink) {
  RETURN_IF_ERROR(Count(name));
  return bucket_.Read(context, name, range, sink);
}

StatusOr<objstore::ObjectAttributes> CountingBucket::Attributes(const Context& context,
                                                                const std::string& name) {
  RETURN_IF_ERROR(Count(name));
  ASSIGN_OR_RETURN(objstore::ObjectAttributes attributes, bucket_.Attributes(context, name));
  attributes.last_modified_ms = TimeOf(name);
  return attributes;
}

StatusOr<std::string> CountingBucket::Upload(const Context& context, const std::string& name,
                                             const objstore::UploadSource& source,
                                             const objstore::UploadOptions& options) {
  const Status counted = Count(name);
  if (!counted.ok() && !fail_after_upload) return counted;
  StatusOr<std::string> version = bucket_.Upload(context, name, source, options);
  if (version.ok()) {
    MutexLock lock(mutex_);
    times_[name] = next_time_++;
  }
  if (!counted.ok()) return counted;
  return version;
}

Status CountingBucket::Delete(const Context& context, const std::string& name) {
  RETURN_IF_ERROR(Count(name));
  return bucket_.Delete(context, name);
}

TimestampMs CountingBucket::TimeOf(const std::string& name) {
  MutexLock lock(mutex_);
  const auto found = times_.find(name);
  return found == times_.end() ? 0 : found->second;
}

}  // namespace aevum::block::testing
