#include "compact/fenced_bucket.h"

#include "block/meta.h"

namespace aevum::compact {
namespace {

// meta.json, deletion-mark.json, no-compact-mark.json and so on.
bool IsSeenByOthers(const std::string& name) {
  return name.ends_with(block::kMetaFile) || name.ends_with("-mark.json");
}

}  // namespace

StatusOr<std::string> FencedBucket::Upload(const Context& context, const std::string& name,
                                           const objstore::UploadSource& source,
                                           const objstore::UploadOptions& options) {
  if (IsSeenByOthers(name)) RETURN_IF_ERROR(lease_.Confirm(context));
  return inner().Upload(context, name, source, options);
}

Status FencedBucket::Delete(const Context& context, const std::string& name) {
  if (IsSeenByOthers(name)) RETURN_IF_ERROR(lease_.Confirm(context));
  return inner().Delete(context, name);
}

}  // namespace aevum::compact
