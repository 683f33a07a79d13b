// A bucket that lets a worker change what others see only while it has its lease.
#pragma once

#include <memory>
#include <string>

#include "compact/leases.h"
#include "objstore/decorator.h"

namespace aevum::compact {

// Asks for the lease before a meta.json or a mark is put or removed; all else passes. Aborted when
// the lease is lost. Borrows the lease. Thread-safe.
class FencedBucket final : public objstore::BucketDecorator {
 public:
  FencedBucket(std::shared_ptr<objstore::Bucket> inner, Lease& lease)
      : BucketDecorator(std::move(inner)), lease_(lease) {}

  StatusOr<std::string> Upload(const Context& context, const std::string& name,
                               const objstore::UploadSource& source,
                               const objstore::UploadOptions& options) override;
  Status Delete(const Context& context, const std::string& name) override;

 private:
  Lease& lease_;
};

}  // namespace aevum::compact
