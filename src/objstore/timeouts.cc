#include "objstore/timeouts.h"

#include "objstore/decorator.h"

namespace aevum::objstore {
namespace {

class TimedBucket final : public BucketDecorator {
 public:
  TimedBucket(std::shared_ptr<Bucket> bucket, CallTimeouts timeouts)
      : BucketDecorator(std::move(bucket)), timeouts_(timeouts) {}

  Status Iterate(const Context& context, const std::string& directory,
                 const IterateOptions& options, const ObjectVisitor& visit) override {
    return inner().Iterate(Limit(context, timeouts_.transfer), directory, options, visit);
  }
  Status Read(const Context& context, const std::string& name, ByteRange range,
              ByteSink& sink) override {
    return inner().Read(Limit(context, timeouts_.transfer), name, range, sink);
  }
  StatusOr<ObjectAttributes> Attributes(const Context& context, const std::string& name) override {
    return inner().Attributes(Limit(context, timeouts_.small), name);
  }
  StatusOr<bool> Exists(const Context& context, const std::string& name) override {
    return inner().Exists(Limit(context, timeouts_.small), name);
  }
  StatusOr<std::string> Upload(const Context& context, const std::string& name,
                               const UploadSource& source, const UploadOptions& options) override {
    return inner().Upload(Limit(context, timeouts_.transfer), name, source, options);
  }
  Status Delete(const Context& context, const std::string& name) override {
    return inner().Delete(Limit(context, timeouts_.small), name);
  }

 private:
  static Context Limit(const Context& context, std::chrono::milliseconds timeout) {
    return timeout.count() == 0 ? context : context.WithTimeout(timeout);
  }

  const CallTimeouts timeouts_;
};

}  // namespace

std::unique_ptr<Bucket> WithTimeouts(std::shared_ptr<Bucket> bucket, CallTimeouts timeouts) {
  return std::make_unique<TimedBucket>(std::move(bucket), timeouts);
}

}  // namespace aevum::objstore
