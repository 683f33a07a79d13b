#include "objstore/metrics.h"

#include <array>
#include <chrono>

#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include "objstore/decorator.h"

namespace aevum::objstore {
namespace {

const prometheus::Histogram::BucketBoundaries kSeconds = {0.001, 0.01, 0.1, 0.3, 0.6, 1,  3,
                                                          6,     9,    20,  30,  60,  90, 120};

// 32 KiB to 1 GiB.
prometheus::Histogram::BucketBoundaries Bytes() {
  prometheus::Histogram::BucketBoundaries bounds;
  for (double bound = 32 << 10; bounds.size() < 16; bound *= 2) bounds.push_back(bound);
  return bounds;
}

}  // namespace

struct BucketMetrics::Operation {
  prometheus::Counter* calls = nullptr;
  prometheus::Counter* failures = nullptr;
  prometheus::Histogram* seconds = nullptr;
  prometheus::Counter* fetched_bytes = nullptr;        // null where nothing is transferred
  prometheus::Histogram* transferred_bytes = nullptr;  // as above
};

struct BucketMetrics::Families {
  Operation iterate, get, get_range, exists, attributes, upload, remove;
  prometheus::Gauge* last_upload = nullptr;
};

BucketMetrics::BucketMetrics(prometheus::Registry& registry, const std::string& name,
                             const std::map<std::string, std::string>& more)
    : families_(std::make_unique<Families>()) {
  const std::string prefix = "thanos_objstore_bucket_";
  prometheus::Labels bucket = more;
  bucket["bucket"] = name;
  auto& calls = prometheus::BuildCounter()
                    .Name(prefix + "operations_total")
                    .Help("Total number of all attempted operations against a bucket.")
                    .Register(registry);
  auto& failures = prometheus::BuildCounter()
                       .Name(prefix + "operation_failures_total")
                       .Help(
                           "Total number of operations against a bucket that failed and were "
                           "not expected to.")
                       .Register(registry);
  auto& seconds = prometheus::BuildHistogram()
                      .Name(prefix + "operation_duration_seconds")
                      .Help(
                          "Duration of operations against the bucket; iterations include their "
                          "visitors.")
                      .Register(registry);
  auto& fetched = prometheus::BuildCounter()
                      .Name(prefix + "operation_fetched_bytes_total")
                      .Help("Total number of bytes fetched from the bucket, per operation.")
                      .Register(registry);
  auto& transferred = prometheus::BuildHistogram()
                          .Name(prefix + "operation_transferred_bytes")
                          .Help("Number of bytes transferred from or to the bucket per operation.")
                          .Register(registry);
  families_->last_upload =
      &prometheus::BuildGauge()
           .Name(prefix + "last_successful_upload_time")
           .Help("Second timestamp of the last successful upload to the bucket.")
           .Register(registry)
           .Add(bucket);
  const std::pair<const char*, Operation*> operations[] = {
      {"iter", &families_->iterate},          {"get", &families_->get},
      {"get_range", &families_->get_range},   {"exists", &families_->exists},
      {"attributes", &families_->attributes}, {"upload", &families_->upload},
      {"delete", &families_->remove}};
  for (const auto& [operation, to] : operations) {
    prometheus::Labels labels = bucket;
    labels["operation"] = operation;
    to->calls = &calls.Add(labels);
    to->failures = &failures.Add(labels);
    to->seconds = &seconds.Add(labels, kSeconds);
    const bool transfers =
        to == &families_->get || to == &families_->get_range || to == &families_->upload;
    if (!transfers) continue;
    to->fetched_bytes = &fetched.Add(labels);
    to->transferred_bytes = &transferred.Add(labels, Bytes());
  }
}

BucketMetrics::~BucketMetrics() = default;

namespace {

// Passes on, and counts what the last attempt transferred.
class CountingSink final : public ByteSink {
 public:
  CountingSink(ByteSink& sink, prometheus::Counter& fetched) : sink_(sink), fetched_(fetched) {}
  Status Start(std::int64_t size_bytes) override {
    bytes_ = 0;
    return sink_.Start(size_bytes);
  }
  Status Write(std::string_view piece) override {
    bytes_ += static_cast<double>(piece.size());
    fetched_.Increment(static_cast<double>(piece.size()));
    return sink_.Write(piece);
  }
  double bytes() const { return bytes_; }

 private:
  ByteSink& sink_;
  prometheus::Counter& fetched_;
  double bytes_ = 0;
};

}  // namespace

class MeasuredBucket final : public BucketDecorator {
 public:
  MeasuredBucket(std::shared_ptr<Bucket> bucket, std::shared_ptr<BucketMetrics> metrics,
                 ExpectedErrors expected)
      : BucketDecorator(std::move(bucket)),
        metrics_(std::move(metrics)),
        expected_(std::move(expected)) {}

  Status Iterate(const Context& context, const std::string& directory,
                 const IterateOptions& options, const ObjectVisitor& visit) override {
    Call call(*this, families().iterate, context);
    return call.End(inner().Iterate(context, directory, options, visit));
  }
  Status Read(const Context& context, const std::string& name, ByteRange range,
              ByteSink& sink) override {
    const BucketMetrics::Operation& operation =
        range.IsWhole() ? families().get : families().get_range;
    Call call(*this, operation, context);
    CountingSink counting(sink, *operation.fetched_bytes);
    const Status status = inner().Read(context, name, range, counting);
    if (status.ok()) operation.transferred_bytes->Observe(counting.bytes());
    return call.End(status);
  }
  StatusOr<ObjectAttributes> Attributes(const Context& context, const std::string& name) override {
    Call call(*this, families().attributes, context);
    StatusOr<ObjectAttributes> attributes = inner().Attributes(context, name);
    call.End(attributes.status()).IgnoreError();  // it is in the result
    return attributes;
  }
  StatusOr<bool> Exists(const Context& context, const std::string& name) override {
    Call call(*this, families().exists, context);
    StatusOr<bool> exists = inner().Exists(context, name);
    call.End(exists.status()).IgnoreError();  // it is in the result
    return exists;
  }
  StatusOr<std::string> Upload(const Context& context, const std::string& name,
                               const UploadSource& source, const UploadOptions& options) override {
    Call call(*this, families().upload, context);
    StatusOr<std::string> version = inner().Upload(context, name, source, options);
    if (call.End(version.status()).ok()) {
      families().upload.transferred_bytes->Observe(static_cast<double>(source.size_bytes()));
      families().last_upload->SetToCurrentTime();
    }
    return version;
  }
  Status Delete(const Context& context, const std::string& name) override {
    Call call(*this, families().remove, context);
    return call.End(inner().Delete(context, name));
  }

 private:
  class Call {
   public:
    Call(const MeasuredBucket& bucket, const BucketMetrics::Operation& operation,
         const Context& context)
        : bucket_(bucket),
          operation_(operation),
          context_(context),
          start_(std::chrono::steady_clock::now()) {
      operation_.calls->Increment();
    }
    Status End(Status status) {
      if (status.ok()) {
        const std::chrono::duration<double> time = std::chrono::steady_clock::now() - start_;
        operation_.seconds->Observe(time.count());
      } else if (!context_.cancelled() && !(bucket_.expected_ && bucket_.expected_(status))) {
        operation_.failures->Increment();
      }
      return status;
    }

   private:
    const MeasuredBucket& bucket_;
    const BucketMetrics::Operation& operation_;
    const Context& context_;
    const std::chrono::steady_clock::time_point start_;
  };

  const BucketMetrics::Families& families() const { return *metrics_->families_; }

  const std::shared_ptr<BucketMetrics> metrics_;
  const ExpectedErrors expected_;
};

std::unique_ptr<Bucket> WithMetrics(std::shared_ptr<Bucket> bucket,
                                    std::shared_ptr<BucketMetrics> metrics,
                                    ExpectedErrors expected) {
  return std::make_unique<MeasuredBucket>(std::move(bucket), std::move(metrics),
                                          std::move(expected));
}

}  // namespace aevum::objstore
