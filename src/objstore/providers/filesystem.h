// A bucket that is a directory of this machine.
#pragma once

#include <memory>
#include <string>

#include "objstore/bucket.h"

namespace aevum::objstore {

// Objects are files, their names paths below the directory. Other programs may read and write there
// at the same time.
//
// An upload is written aside, under ".aevum-upload" in the directory, synced, and renamed into
// place: readers see the old bytes, the new ones, or none. What a crash leaves aside is removed
// when the bucket is opened a day later. A delete also removes the directories that it leaves
// empty.
//
// Names that would leave the directory ("..", ".", empty parts) are InvalidArgument. Symbolic links
// that an operator put there are followed.
//
// Conditional uploads exclude each other, also between processes, by a lock on the directory; they
// do not exclude plain uploads.
class FilesystemBucket final : public Bucket {
 public:
  // The directory is made by the first upload; until then the bucket is empty.
  static StatusOr<std::unique_ptr<FilesystemBucket>> Open(const std::string& directory);

  std::string Provider() const override { return "FILESYSTEM"; }
  std::string Name() const override { return "fs: " + root_; }
  Status Iterate(const Context& context, const std::string& directory,
                 const IterateOptions& options, const ObjectVisitor& visit) override;
  Status Read(const Context& context, const std::string& name, ByteRange range,
              ByteSink& sink) override;
  StatusOr<ObjectAttributes> Attributes(const Context& context, const std::string& name) override;
  StatusOr<std::string> Upload(const Context& context, const std::string& name,
                               const UploadSource& source, const UploadOptions& options) override;
  Status Delete(const Context& context, const std::string& name) override;
  ThreadPool* pool() override { return nullptr; }

 private:
  explicit FilesystemBucket(std::string root) : root_(std::move(root)) {}

  StatusOr<std::string> PathOf(std::string_view name) const;
  StatusOr<std::string> WriteAside(const Context& context, const UploadSource& source) const;
  StatusOr<std::string> PutInPlace(const std::string& aside, const std::string& path,
                                   const UploadOptions& options) const;
  Status MoveIntoPlace(const std::string& aside, const std::string& path) const;
  Status Walk(const Context& context, const std::string& prefix, const IterateOptions& options,
              const ObjectVisitor& visit) const;
  void RemoveLeftovers() const;
  void RemoveEmptyParents(std::string path) const;

  const std::string root_;  // absolute, without '/' at its end
};

}  // namespace aevum::objstore
