#include "block/cleaner.h"

#include <algorithm>

#include "block/marks.h"
#include "block/meta.h"
#include "block/upload.h"

namespace aevum::block {
namespace {

void Delete(const Context& context, objstore::Bucket& bucket, const model::Ulid& block,
            std::string_view why, const Logger& logger, CleaningResult* result) {
  if (const Status status = DeleteBlock(context, bucket, block); !status.ok()) {
    logger.Warn("a block can't be deleted", {{"block", block.ToString()}, {"err", status}});
    ++result->failed;
    return;
  }
  logger.Info("deleted block", {{"block", block.ToString()}, {"reason", why}});
  ++result->deleted;
}

StatusOr<TimestampMs> NewestObject(const Context& context, objstore::Bucket& bucket,
                                   const model::Ulid& block) {
  objstore::IterateOptions options;
  options.depth = objstore::IterateOptions::Depth::kRecursive;
  options.attributes = objstore::IterateOptions::Attributes::kWanted;
  TimestampMs newest = block.time_ms();
  RETURN_IF_ERROR(
      bucket.Iterate(context, block.ToString(), options, [&](const objstore::ListedObject& object) {
        newest = std::max(newest, object.last_modified_ms.value_or(0));
        return OkStatus();
      }));
  return newest;
}

// Why what is left of a block may go; "" when it may not yet.
StatusOr<std::string_view> WhyUseless(const Context& context, objstore::Bucket& bucket,
                                      const model::Ulid& block, std::chrono::milliseconds delay,
                                      TimestampMs now) {
  const StatusOr<Mark> mark = ReadMark(context, bucket, MarkKind::kDeletion, block);
  if (mark.ok()) {
    return IsDue(*mark, now, delay) ? std::string_view("a deletion was cut short")
                                    : std::string_view();
  }
  if (!objstore::IsNotFound(mark.status()) && mark.status().code() != StatusCode::kDataLoss)
    return mark.status();
  ASSIGN_OR_RETURN(const TimestampMs newest, NewestObject(context, bucket, block));
  const bool given_up = now - newest > std::chrono::milliseconds(kGivenUpAfter).count();
  return given_up ? std::string_view("an upload was given up") : std::string_view();
}

}  // namespace

CleaningResult DeleteMarkedBlocks(const Context& context, objstore::Bucket& bucket,
                                  const DeletionMarkFilter::Marks& marks,
                                  std::chrono::milliseconds delay, const Logger& logger,
                                  const Clock& clock) {
  CleaningResult result;
  for (const auto& [block, mark] : marks) {
    if (!context.status().ok()) break;
    if (IsDue(mark, clock.NowMs(), delay))
      Delete(context, bucket, block, "marked for deletion", logger, &result);
  }
  return result;
}

CleaningResult DeleteAbortedUploads(const Context& context, objstore::Bucket& bucket,
                                    const std::map<model::Ulid, Status>& partial,
                                    std::chrono::milliseconds delay, const Logger& logger,
                                    const Clock& clock) {
  CleaningResult result;
  for (const auto& [block, why] : partial) {
    if (!context.status().ok()) break;
    if (!objstore::IsNotFound(why)) {
      logger.Warn("a block can't be read and stays", {{"block", block.ToString()}, {"err", why}});
      continue;
    }
    const StatusOr<std::string_view> useless =
        WhyUseless(context, bucket, block, delay, clock.NowMs());
    if (!useless.ok()) {
      logger.Warn("what is left of a block can't be looked at",
                  {{"block", block.ToString()}, {"err", useless.status()}});
      ++result.failed;
    } else if (!useless->empty()) {
      Delete(context, bucket, block, *useless, logger, &result);
    }
  }
  return result;
}

}  // namespace aevum::block
