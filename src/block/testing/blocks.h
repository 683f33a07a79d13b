// Blocks made up for tests, and a bucket that counts and fails calls.
#pragma once

#include <atomic>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/mutex.h"
#include "block/meta.h"
#include "objstore/bucket.h"
#include "objstore/testing/memory_bucket.h"

namespace aevum::block::testing {

// Ids that rise with the number, of November 2023.
model::Ulid IdOf(int number);
// Level 1, two hours, of its own.
Meta MakeMeta(int number);

void Put(objstore::Bucket& bucket, const std::string& name, std::string_view bytes);
void PutMeta(objstore::Bucket& bucket, const Meta& meta);
// Names of all objects below a directory.
std::vector<std::string> List(objstore::Bucket& bucket, const std::string& directory = "");

// A bucket in memory whose calls are counted and can be made to fail. Set what fails while no call
// runs.
class CountingBucket final : public objstore::Bucket {
 public:
  std::atomic<int> calls = 0;
  // The call of this number, counted from 0, fails with Unavailable; -1: none does.
  int fail_call = -1;
  // Whether an upload that fails so has put the object in place all the same.
  bool fail_after_upload = false;
  // All calls for this object fail.
  std::string fail;
  bool fail_listing = false;

  std::string Provider() const override { return bucket_.Provider(); }
  std::string Name() const override { return bucket_.Name(); }
  Status Iterate(const Context& context, const std::string& directory,
                 const objstore::IterateOptions& options,
                 const objstore::ObjectVisitor& visit) override;
  Status Read(const Context& context, const std::string& name, objstore::ByteRange range,
              objstore::ByteSink& sink) override;
  StatusOr<objstore::ObjectAttributes> Attributes(const Context& context,
                                                  const std::string& name) override;
  StatusOr<std::string> Upload(const Context& context, const std::string& name,
                               const objstore::UploadSource& source,
                               const objstore::UploadOptions& options) override;
  Status Delete(const Context& context, const std::string& name) override;
  ThreadPool* pool() override { return bucket_.pool(); }

 private:
  Status Count(const std::string& name);
  TimestampMs TimeOf(const std::string& name);

  objstore::MemoryBucket bucket_;
  Mutex mutex_;
  // Each upload has a time of its own.
  std::map<std::string, TimestampMs> times_ AEVUM_GUARDED_BY(mutex_);
  TimestampMs next_time_ AEVUM_GUARDED_BY(mutex_) = 1'700'000'000'000;
};

}  // namespace aevum::block::testing
