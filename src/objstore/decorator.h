// A bucket that passes everything on to another, to be changed in parts.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "objstore/bucket.h"

namespace aevum::objstore {

class BucketDecorator : public Bucket {
 public:
  explicit BucketDecorator(std::shared_ptr<Bucket> inner) : inner_(std::move(inner)) {}

  std::string Provider() const override { return inner_->Provider(); }
  std::string Name() const override { return inner_->Name(); }
  Status Iterate(const Context& context, const std::string& directory,
                 const IterateOptions& options, const ObjectVisitor& visit) override {
    return inner_->Iterate(context, directory, options, visit);
  }
  Status Read(const Context& context, const std::string& name, ByteRange range,
              ByteSink& sink) override {
    return inner_->Read(context, name, range, sink);
  }
  StatusOr<ObjectAttributes> Attributes(const Context& context, const std::string& name) override {
    return inner_->Attributes(context, name);
  }
  StatusOr<bool> Exists(const Context& context, const std::string& name) override {
    return inner_->Exists(context, name);
  }
  StatusOr<std::string> Upload(const Context& context, const std::string& name,
                               const UploadSource& source, const UploadOptions& options) override {
    return inner_->Upload(context, name, source, options);
  }
  Status Delete(const Context& context, const std::string& name) override {
    return inner_->Delete(context, name);
  }
  ThreadPool* pool() override { return inner_->pool(); }

 protected:
  Bucket& inner() { return *inner_; }

 private:
  const std::shared_ptr<Bucket> inner_;
};

}  // namespace aevum::objstore
