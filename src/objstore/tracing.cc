#include "objstore/tracing.h"

#include <utility>

#include "base/trace.h"
#include "objstore/decorator.h"

namespace aevum::objstore {
namespace {

// Passes on, and counts what the last attempt gave.
class CountingSink final : public ByteSink {
 public:
  explicit CountingSink(ByteSink& sink) : sink_(sink) {}
  Status Start(std::int64_t size_bytes) override {
    bytes_ = 0;
    return sink_.Start(size_bytes);
  }
  Status Write(std::string_view piece) override {
    bytes_ += std::ssize(piece);
    return sink_.Write(piece);
  }
  std::int64_t bytes() const { return bytes_; }

 private:
  ByteSink& sink_;
  std::int64_t bytes_ = 0;
};

class TracedBucket final : public BucketDecorator {
 public:
  using BucketDecorator::BucketDecorator;

  Status Iterate(const Context& context, const std::string& directory,
                 const IterateOptions& options, const ObjectVisitor& visit) override {
    const bool plain = options.attributes == IterateOptions::Attributes::kNone;
    Span span(context, plain ? "bucket_iter" : "bucket_iter_with_attrs");
    span.Set("dir", directory);
    const Status status = inner().Iterate(span.Inner(context), directory, options, visit);
    span.Fail(status);
    return status;
  }
  Status Read(const Context& context, const std::string& name, ByteRange range,
              ByteSink& sink) override {
    Span span(context, range.IsWhole() ? "bucket_get" : "bucket_getrange");
    if (!span.recording()) return inner().Read(span.Inner(context), name, range, sink);
    span.Set("name", name);
    if (!range.IsWhole()) {
      span.Set("offset", range.offset);
      span.Set("length", range.length);
    }
    CountingSink counting(sink);
    const Status status = inner().Read(span.Inner(context), name, range, counting);
    span.Set("read", counting.bytes());
    span.Fail(status);
    return status;
  }
  StatusOr<ObjectAttributes> Attributes(const Context& context, const std::string& name) override {
    Span span = For(context, "bucket_attributes", name);
    return Ended(span, inner().Attributes(span.Inner(context), name));
  }
  StatusOr<bool> Exists(const Context& context, const std::string& name) override {
    Span span = For(context, "bucket_exists", name);
    return Ended(span, inner().Exists(span.Inner(context), name));
  }
  StatusOr<std::string> Upload(const Context& context, const std::string& name,
                               const UploadSource& source, const UploadOptions& options) override {
    Span span = For(context, "bucket_upload", name);
    return Ended(span, inner().Upload(span.Inner(context), name, source, options));
  }
  Status Delete(const Context& context, const std::string& name) override {
    Span span = For(context, "bucket_delete", name);
    const Status status = inner().Delete(span.Inner(context), name);
    span.Fail(status);
    return status;
  }

 private:
  static Span For(const Context& context, std::string_view operation, const std::string& name) {
    Span span(context, operation);
    span.Set("name", name);
    return span;
  }
  template <typename Value>
  static StatusOr<Value> Ended(Span& span, StatusOr<Value> result) {
    span.Fail(result.status());
    return result;
  }
};

}  // namespace

std::unique_ptr<Bucket> WithTracing(std::shared_ptr<Bucket> bucket) {
  return std::make_unique<TracedBucket>(std::move(bucket));
}

}  // namespace aevum::objstore
