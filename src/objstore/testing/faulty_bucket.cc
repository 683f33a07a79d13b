#include "objstore/testing/faulty_bucket.h"

#include "base/pause.h"

namespace aevum::objstore {
namespace {

class CutSink final : public ByteSink {
 public:
  CutSink(ByteSink& sink, std::size_t bytes) : sink_(sink), left_(bytes) {}
  Status Start(std::int64_t size_bytes) override { return sink_.Start(size_bytes); }
  Status Write(std::string_view piece) override {
    const bool cut = piece.size() > left_;
    piece = piece.substr(0, left_);
    left_ -= piece.size();
    if (!piece.empty()) RETURN_IF_ERROR(sink_.Write(piece));
    return cut ? Unavailable("the answer was cut") : OkStatus();
  }

 private:
  ByteSink& sink_;
  std::size_t left_;
};

}  // namespace

FaultPlan KilledAt(int number) {
  return [number](const BucketCall& call) -> std::optional<Fault> {
    if (call.number < number) return std::nullopt;
    return Fault{.error = MakeError(StatusCode::kCancelled, "the process was killed"),
                 .cut_after_bytes = std::nullopt};
  };
}

template <typename Result>
Result FaultyBucket::Run(const Context& context, BucketCall::Kind kind, const std::string& name,
                         const std::function<Result(const Fault& fault)>& call) {
  const Fault fault = plan_(BucketCall{++calls_, kind, name}).value_or(Fault());
  if (fault.delay.count() > 0) {
    if (Status status = Pause(context, fault.delay); !status.ok()) return status;
  }
  if (!fault.error.ok() && fault.when == Fault::When::kBefore) return fault.error;
  Result result = call(fault);
  if (!fault.error.ok()) return fault.error;
  return result;
}

Status FaultyBucket::Iterate(const Context& context, const std::string& directory,
                             const IterateOptions& options, const ObjectVisitor& visit) {
  return Run<Status>(context, BucketCall::Kind::kIterate, directory, [&](const Fault&) {
    return inner().Iterate(context, directory, options, visit);
  });
}

Status FaultyBucket::Read(const Context& context, const std::string& name, ByteRange range,
                          ByteSink& sink) {
  return Run<Status>(context, BucketCall::Kind::kRead, name, [&](const Fault& fault) {
    if (!fault.cut_after_bytes) return inner().Read(context, name, range, sink);
    CutSink cut(sink, *fault.cut_after_bytes);
    return inner().Read(context, name, range, cut);
  });
}

StatusOr<ObjectAttributes> FaultyBucket::Attributes(const Context& context,
                                                    const std::string& name) {
  return Run<StatusOr<ObjectAttributes>>(
      context, BucketCall::Kind::kAttributes, name,
      [&](const Fault&) { return inner().Attributes(context, name); });
}

StatusOr<bool> FaultyBucket::Exists(const Context& context, const std::string& name) {
  return Run<StatusOr<bool>>(context, BucketCall::Kind::kExists, name,
                             [&](const Fault&) { return inner().Exists(context, name); });
}

StatusOr<std::string> FaultyBucket::Upload(const Context& context, const std::string& name,
                                           const UploadSource& source,
                                           const UploadOptions& options) {
  return Run<StatusOr<std::string>>(context, BucketCall::Kind::kUpload, name, [&](const Fault&) {
    return inner().Upload(context, name, source, options);
  });
}

Status FaultyBucket::Delete(const Context& context, const std::string& name) {
  return Run<Status>(context, BucketCall::Kind::kDelete, name,
                     [&](const Fault&) { return inner().Delete(context, name); });
}

}  // namespace aevum::objstore
