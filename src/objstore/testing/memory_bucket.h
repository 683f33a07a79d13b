// A bucket in memory, for tests.
#pragma once

#include <map>
#include <set>
#include <string>

#include "base/mutex.h"
#include "objstore/bucket.h"

namespace aevum::objstore {

// Thread-safe.
class MemoryBucket final : public Bucket {
 public:
  explicit MemoryBucket(std::size_t threads = 2) : pool_("memory-bucket", threads, 1000) {}

  // Refuses access to this name, as stores do for single objects.
  void Forbid(const std::string& name);

  std::string Provider() const override { return "MEMORY"; }
  std::string Name() const override { return "memory"; }
  Status Iterate(const Context& context, const std::string& directory,
                 const IterateOptions& options, const ObjectVisitor& visit) override;
  Status Read(const Context& context, const std::string& name, ByteRange range,
              ByteSink& sink) override;
  StatusOr<ObjectAttributes> Attributes(const Context& context, const std::string& name) override;
  StatusOr<std::string> Upload(const Context& context, const std::string& name,
                               const UploadSource& source, const UploadOptions& options) override;
  Status Delete(const Context& context, const std::string& name) override;
  ThreadPool* pool() override { return &pool_; }

 private:
  struct Object {
    SharedBytes bytes;
    ObjectAttributes attributes;
  };
  StatusOr<Object> Find(const Context& context, const std::string& name);

  Mutex mutex_;
  std::map<std::string, Object> objects_ AEVUM_GUARDED_BY(mutex_);
  std::set<std::string> forbidden_ AEVUM_GUARDED_BY(mutex_);
  std::int64_t uploads_ AEVUM_GUARDED_BY(mutex_) = 0;
  ThreadPool pool_;
};

}  // namespace aevum::objstore
