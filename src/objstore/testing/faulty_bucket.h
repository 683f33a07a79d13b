// A bucket that fails as it is told, for tests.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "objstore/decorator.h"

namespace aevum::objstore {

struct BucketCall {
  enum class Kind : std::uint8_t { kIterate, kRead, kAttributes, kExists, kUpload, kDelete };
  int number = 0;  // of all calls, from 1
  Kind kind = Kind::kRead;
  std::string name;
};

struct Fault {
  Status error;  // OK: the call succeeds, after the delay and cut as told
  // kAfter: the call is done, and only its answer is lost.
  enum class When : std::uint8_t { kBefore, kAfter } when = When::kBefore;
  // Of a read: so many bytes come, and then Unavailable.
  std::optional<std::size_t> cut_after_bytes;
  std::chrono::milliseconds delay{0};  // ends early with the context
};

// Asked at each call; nullopt lets it pass. Called by several threads.
using FaultPlan = std::function<std::optional<Fault>(const BucketCall& call)>;

// Everything from the n-th call on fails: the process was killed there.
FaultPlan KilledAt(int number);

// Thread-safe.
class FaultyBucket final : public BucketDecorator {
 public:
  FaultyBucket(std::shared_ptr<Bucket> inner, FaultPlan plan)
      : BucketDecorator(std::move(inner)), plan_(std::move(plan)) {}

  int calls() const { return calls_.load(); }

  Status Iterate(const Context& context, const std::string& directory,
                 const IterateOptions& options, const ObjectVisitor& visit) override;
  Status Read(const Context& context, const std::string& name, ByteRange range,
              ByteSink& sink) override;
  StatusOr<ObjectAttributes> Attributes(const Context& context, const std::string& name) override;
  StatusOr<bool> Exists(const Context& context, const std::string& name) override;
  StatusOr<std::string> Upload(const Context& context, const std::string& name,
                               const UploadSource& source, const UploadOptions& options) override;
  Status Delete(const Context& context, const std::string& name) override;

 private:
  template <typename Result>
  Result Run(const Context& context, BucketCall::Kind kind, const std::string& name,
             const std::function<Result(const Fault& fault)>& call);

  const FaultPlan plan_;
  std::atomic<int> calls_ = 0;
};

}  // namespace aevum::objstore
