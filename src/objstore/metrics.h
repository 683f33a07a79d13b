// The thanos_objstore_bucket_* metrics of a bucket.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "objstore/bucket.h"

namespace prometheus {
class Registry;
}

namespace aevum::objstore {

// The families, registered once for each bucket; those of all operations start at 0. Thread-safe.
class BucketMetrics {
 public:
  // `name` is the label "bucket", `more` are labels beside it that tell the buckets of one process
  // apart. Histograms have the buckets that dashboards of Thanos read.
  BucketMetrics(prometheus::Registry& registry, const std::string& name,
                const std::map<std::string, std::string>& more = {});
  ~BucketMetrics();

 private:
  friend class MeasuredBucket;
  struct Operation;
  struct Families;
  std::unique_ptr<Families> families_;
};

// Errors that do not count as failures: that an object is not there, where that is what one asks.
using ExpectedErrors = std::function<bool(const Status& status)>;

// Counts the calls of a bucket. A part of GetRanges is an operation get_range each. What the
// context's owner cancelled is no failure.
std::unique_ptr<Bucket> WithMetrics(std::shared_ptr<Bucket> bucket,
                                    std::shared_ptr<BucketMetrics> metrics,
                                    ExpectedErrors expected = nullptr);

}  // namespace aevum::objstore
