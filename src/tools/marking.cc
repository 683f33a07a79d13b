#include "tools/marking.h"

#include "block/meta.h"

namespace aevum::tools {
namespace {

Status RemoveMark(const Context& context, objstore::Bucket& bucket, const model::Ulid& block,
                  block::MarkKind kind, const Logger& logger) {
  const std::string name = block::ObjectName(block, block::MarkFile(kind));
  ASSIGN_OR_RETURN(const bool there, bucket.Exists(context, name));
  if (!there) {
    logger.Warn("requested to remove the mark, but it does not exist",
                {{"block", block.ToString()}, {"marker", block::MarkFile(kind)}});
    return OkStatus();
  }
  RETURN_IF_ERROR(bucket.Delete(context, name));
  logger.Info("mark removed", {{"block", block.ToString()}, {"marker", block::MarkFile(kind)}});
  return OkStatus();
}

}  // namespace

Status MarkBlocks(const Context& context, objstore::Bucket& bucket, const MarkingOptions& options,
                  const Logger& logger, const Clock& clock) {
  for (const model::Ulid& block : options.blocks) {
    if (options.action == MarkingOptions::Action::kRemove) {
      RETURN_IF_ERROR(Annotate(RemoveMark(context, bucket, block, options.kind, logger),
                               "remove the mark of block " + block.ToString()));
      continue;
    }
    block::Mark mark{.kind = options.kind,
                     .block = block,
                     .details = options.details,
                     .time_seconds = clock.NowMs() / 1000};
    if (options.kind != block::MarkKind::kDeletion) mark.reason = std::string(block::kReasonManual);
    const StatusOr<bool> put = block::PutMarkOfExisting(context, bucket, mark);
    if (!put.ok()) return Annotate(put.status(), "mark block " + block.ToString());
    if (*put) {
      logger.Info("block has been marked",
                  {{"block", block.ToString()}, {"marker", block::MarkFile(options.kind)}});
    } else {
      logger.Warn(
          "requested to mark the block, but the mark already exists; this should be investigated",
          {{"block", block.ToString()}, {"marker", block::MarkFile(options.kind)}});
    }
  }
  return OkStatus();
}

}  // namespace aevum::tools
