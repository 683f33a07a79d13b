#include "objstore/prefixed.h"

#include "objstore/decorator.h"

namespace aevum::objstore {
namespace {

class PrefixedBucket final : public BucketDecorator {
 public:
  PrefixedBucket(std::shared_ptr<Bucket> inner, std::string prefix)
      : BucketDecorator(std::move(inner)), prefix_(std::move(prefix)) {}

  Status Iterate(const Context& context, const std::string& directory,
                 const IterateOptions& options, const ObjectVisitor& visit) override {
    return inner().Iterate(context, prefix_ + directory, options, [&](const ListedObject& object) {
      ListedObject own = object;
      own.name.erase(0, prefix_.size());
      return visit(own);
    });
  }
  Status Read(const Context& context, const std::string& name, ByteRange range,
              ByteSink& sink) override {
    return inner().Read(context, Full(name), range, sink);
  }
  StatusOr<ObjectAttributes> Attributes(const Context& context, const std::string& name) override {
    return inner().Attributes(context, Full(name));
  }
  StatusOr<bool> Exists(const Context& context, const std::string& name) override {
    return inner().Exists(context, Full(name));
  }
  StatusOr<std::string> Upload(const Context& context, const std::string& name,
                               const UploadSource& source, const UploadOptions& options) override {
    return inner().Upload(context, Full(name), source, options);
  }
  Status Delete(const Context& context, const std::string& name) override {
    return inner().Delete(context, Full(name));
  }

 private:
  // An empty name stays one, so that it is refused.
  std::string Full(const std::string& name) const {
    return name.empty() ? std::string() : prefix_ + name;
  }

  const std::string prefix_;  // with '/' at its end
};

}  // namespace

std::unique_ptr<Bucket> WithPrefix(std::unique_ptr<Bucket> bucket, std::string_view prefix) {
  while (prefix.starts_with(kDelimiter)) prefix.remove_prefix(1);
  std::string directory = DirectoryPrefix(prefix);
  if (directory.empty()) return bucket;
  return std::make_unique<PrefixedBucket>(std::move(bucket), std::move(directory));
}

}  // namespace aevum::objstore
