#include "compact/queues.h"

#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>

#include "base/duration.h"
#include "base/mutex.h"
#include "base/thread_pool.h"
#include "block/cleaner.h"
#include "block/marks.h"
#include "compact/fenced_bucket.h"
#include "compact/group_compaction.h"
#include "compact/groups.h"
#include "compaction/downsample.h"
#include "compaction/downsample_choice.h"
#include "compaction/retention.h"
#include "objstore/parallel.h"

namespace aevum::compact {
namespace {

using SteadyClock = std::chrono::steady_clock;

double SecondsSince(SteadyClock::time_point start) {
  return std::chrono::duration<double>(SteadyClock::now() - start).count();
}

// Collects what became of pieces of work. Thread-safe.
class Outcome {
 public:
  void Add(std::size_t done) {
    MutexLock lock(mutex_);
    result_.done += done;
  }
  void AddUndecided() {
    MutexLock lock(mutex_);
    ++result_.undecided;
  }
  void Fail(const Status& status) {
    MutexLock lock(mutex_);
    if (result_.status.ok()) result_.status = status;
  }
  PassResult Take() {
    MutexLock lock(mutex_);
    return std::move(result_);
  }

 private:
  Mutex mutex_;
  PassResult result_ AEVUM_GUARDED_BY(mutex_);
};

// Runs pieces of work side by side. One that fails stops the others only if that is wanted.
void RunSideBySide(const std::string& name, std::size_t count, std::size_t width,
                   bool halt_on_error, Outcome& outcome,
                   const std::function<Status(std::size_t)>& work) {
  if (count == 0) return;
  ThreadPool pool(name, std::min(count, width), count);
  const Status status = objstore::RunParallel(&pool, count, width, [&](std::size_t i) -> Status {
    const Status done = work(i);
    if (!done.ok()) outcome.Fail(done);
    return halt_on_error ? done : OkStatus();
  });
  status.IgnoreError();  // the outcome has it
  pool.Stop();
}

// A lease, or what its absence means for the outcome.
std::unique_ptr<Lease> Acquire(const Context& context, Workplace& place, const std::string& name,
                               Outcome& outcome) {
  StatusOr<Leases::Answer> answer = place.leases.TryAcquire(context, name);
  if (!answer.ok()) {
    outcome.Fail(Annotate(answer.status(), "the lease " + name));
    return nullptr;
  }
  if (!answer->lease) {
    place.logger.Debug("another worker has this", {{"lease", name}});
    if (!answer->other_lives) outcome.AddUndecided();
  }
  return std::move(answer->lease);
}

// What a person can do about an error, where that is not plain.
Status Explain(const Workplace& place, Status status) {
  if (std::string_view(status.message()).find("No space left") == std::string_view::npos)
    return status;
  return Annotate(std::move(status),
                  fmt::format("the disk of {} is full, free some of it, move it by --data-dir or "
                              "bound it by --compact.scratch-size",
                              place.scratch.directory()));
}

// An error of a piece of work that was left.
Status Leave(Workplace& place, const std::string& about, const Status& status) {
  const bool ended = status.code() == StatusCode::kCancelled;
  const bool lost = status.code() == StatusCode::kAborted;
  if (ended || lost) return ended ? status : OkStatus();  // another worker goes on with it
  if (objstore::IsTransient(status)) place.metrics.retries.Increment();
  const Status explained = Explain(place, status);
  place.problems.Report(about, explained);
  return Annotate(explained, about);
}

std::vector<Group> GroupsWithPlans(Workplace& place, const BlockView& view) {
  std::vector<Group> groups = MakeGroups(view.fetched->metas);
  const compaction::PlanOptions options = PlanOptionsOf(place.options, view);
  std::erase_if(groups, [&](const Group& group) {
    return compaction::PlanCompaction(group.blocks, options).empty();
  });
  return groups;
}

// Compacts a group, whose blocks are those of `view`, with the lease for it.
Status CompactWithLease(const Context& context, Workplace& place, const Group& group,
                        const BlockView& view, Lease& lease, Outcome& outcome) {
  const std::string about = "group " + group.key;
  CompactMetrics::OfResolution metrics = place.metrics.Of(group.resolution_ms);
  metrics.runs_started.Increment();
  GroupCompaction compaction(place, group, view, lease);
  const StatusOr<std::size_t> done = compaction.Run(lease.context());
  if (!done.ok()) {
    RETURN_IF_ERROR(context.status());
    return Leave(place, about, done.status());
  }
  metrics.runs_completed.Increment();
  place.problems.Resolve(about);
  outcome.Add(*done);
  return OkStatus();
}

Status CompactGroup(const Context& context, Workplace& place, const Group& group,
                    const BlockView& view, Outcome& outcome) {
  const std::unique_ptr<Lease> lease = Acquire(context, place, "compaction-" + group.key, outcome);
  if (!lease) return OkStatus();
  // What was seen before may be of a time when another worker had the lease.
  ASSIGN_OR_RETURN(const bool live, place.AreLive(lease->context(), group.blocks));
  if (live) return CompactWithLease(context, place, group, view, *lease, outcome);
  ASSIGN_OR_RETURN(const auto newer, place.Look(lease->context()));
  const std::vector<Group> groups = MakeGroups(newer->fetched->metas);
  const auto same = std::ranges::find_if(
      groups, [&](const Group& candidate) { return candidate.key == group.key; });
  if (same == groups.end()) return OkStatus();
  return CompactWithLease(context, place, *same, *newer, *lease, outcome);
}

Status DownsampleWithLease(const Context& context, Workplace& place,
                           const compaction::DownsampleTask& task, Lease& lease) {
  const std::string ulid = task.meta->ulid.ToString();
  StatusOr<ScratchSpace::Reservation> reserved =
      place.scratch.Reserve(context, SizeOf({task.meta}));
  RETURN_IF_ERROR(reserved.status());
  const ScratchDirectory directory(place.options.data_dir + "/downsample/" + ulid);
  RETURN_IF_ERROR(directory.Create());
  compaction::DownsampleOptions options;
  options.progress = place.CountChunkBytes();
  options.clock = &place.clock;
  const auto start = SteadyClock::now();
  ASSIGN_OR_RETURN(const compaction::DownsampledBlock made,
                   place.work.downsample(
                       context, *task.meta,
                       {.bucket = place.bucket.get(), .block = task.meta->ulid, .directory = ""},
                       task.resolution_ms, options, directory.path()));
  FencedBucket fenced(place.bucket, lease);
  RETURN_IF_ERROR(place.Upload(context, fenced, made.directory, made.meta));
  place.metrics.DownsampleSeconds(task.meta->resolution_ms).Observe(SecondsSince(start));
  place.logger.Info(
      "uploaded a downsampled block",
      {{"block", made.meta.ulid.ToString()}, {"of", ulid}, {"resolution_ms", task.resolution_ms}});
  return OkStatus();
}

// The task as a newer view has it; nothing when another worker was faster.
std::optional<compaction::DownsampleTask> StillDue(const compaction::DownsampleTask& task,
                                                   const BlockView& view) {
  for (const compaction::DownsampleTask& due :
       compaction::BlocksToDownsample(view.fetched->metas, view.no_downsample))
    if (due.meta->ulid == task.meta->ulid) return due;
  return std::nullopt;
}

// Carries out a task that was found in `seen`.
Status DownsampleOne(const Context& context, Workplace& place,
                     const compaction::DownsampleTask& found, const BlockView& seen,
                     Outcome& outcome) {
  const std::string ulid = found.meta->ulid.ToString();
  const std::unique_ptr<Lease> lease = Acquire(context, place, "downsampling-" + ulid, outcome);
  if (!lease) return OkStatus();
  ASSIGN_OR_RETURN(const auto view, place.LookOrReuse(lease->context(), Workplace::Reuse::kRecent));
  const std::optional<compaction::DownsampleTask> task =
      view.get() == &seen ? found : StillDue(found, *view);
  if (!task) return OkStatus();
  const Status status = DownsampleWithLease(lease->context(), place, *task, *lease);
  if (status.ok()) {
    place.metrics.Downsamplings(task->meta->resolution_ms).Increment();
    place.problems.Resolve(ulid);
    outcome.Add(1);
    return OkStatus();
  }
  RETURN_IF_ERROR(context.status());
  place.metrics.DownsampleFailures(task->meta->resolution_ms).Increment();
  if (status.code() == StatusCode::kDataLoss && !place.options.halt_on_error) {
    place.problems.Report(ulid, status);
    FencedBucket fenced(place.bucket, *lease);
    return place.Mark(lease->context(), fenced, block::MarkKind::kNoDownsample, task->meta->ulid,
                      kReasonDamaged, status.message());
  }
  return Leave(place, ulid, status);
}

// Blocks whose sources another block has, which outlives them.
Status CollectGarbage(const Context& context, Workplace& place, const BlockView& view,
                      FencedBucket& fenced, Outcome& outcome) {
  const auto start = SteadyClock::now();
  place.metrics.garbage_collections.Increment();
  for (const model::Ulid& block : view.duplicates) {
    const Status status =
        place.Mark(context, fenced, block::MarkKind::kDeletion, block, "", "outdated block");
    if (!status.ok()) {
      place.metrics.garbage_failures.Increment();
      return status;
    }
    place.metrics.garbage_blocks.Increment();
    outcome.Add(1);
  }
  place.metrics.garbage_seconds.Observe(SecondsSince(start));
  return OkStatus();
}

// What a pass begins with; null when the bucket can't be looked at, which the outcome has then.
std::shared_ptr<const BlockView> LookFor(const Context& context, Workplace& place,
                                         Outcome& outcome) {
  auto view = place.LookOrReuse(context, Workplace::Reuse::kUnchanged);
  if (view.ok()) return *std::move(view);
  outcome.Fail(view.status());
  return nullptr;
}

bool IsKnownResolution(std::int64_t resolution_ms) {
  return resolution_ms == compaction::kResolutionRaw ||
         resolution_ms == compaction::kResolution5m || resolution_ms == compaction::kResolution1h;
}

// What is past its retention, or waits.
std::vector<compaction::RetentionDecision> FindExpired(const Workplace& place,
                                                       const BlockView& view) {
  compaction::RetentionPolicy policy = place.options.retention;
  policy.downsampling = place.options.downsampling;
  policy.no_downsample = view.no_downsample;
  return compaction::BlocksBeyondRetention(view.fetched->metas, policy, place.clock.NowMs());
}

}  // namespace

PassResult CompactGroups(const Context& context, Workplace& place) {
  Outcome outcome;
  const std::shared_ptr<const BlockView> view = LookFor(context, place, outcome);
  if (!view) return outcome.Take();
  for (const auto& [ulid, meta] : view->fetched->metas) {
    if (meta->ExternalLabels().empty()) {
      place.problems.Report(
          ulid.ToString(),
          InvalidArgument("it has no external labels, nobody can say whose it is"));
    }
  }
  const std::vector<Group> groups = GroupsWithPlans(place, *view);
  RunSideBySide(
      "compaction", groups.size(), place.options.concurrency, place.options.halt_on_error, outcome,
      [&](std::size_t i) { return CompactGroup(context, place, groups[i], *view, outcome); });
  PassResult result = outcome.Take();
  if (result.status.ok()) place.metrics.iterations.Increment();
  return result;
}

PassResult DownsampleBlocks(const Context& context, Workplace& place) {
  Outcome outcome;
  const std::shared_ptr<const BlockView> view = LookFor(context, place, outcome);
  if (!view) return outcome.Take();
  for (const auto& [ulid, meta] : view->fetched->metas) {
    if (!IsKnownResolution(meta->resolution_ms)) {
      place.problems.Report(ulid.ToString(), InvalidArgument("nobody knows its resolution: {} ms",
                                                             meta->resolution_ms));
    }
  }
  const std::vector<compaction::DownsampleTask> tasks =
      compaction::BlocksToDownsample(view->fetched->metas, view->no_downsample);
  RunSideBySide("downsampling", tasks.size(), place.options.downsample_concurrency,
                place.options.halt_on_error, outcome, [&](std::size_t i) {
                  return DownsampleOne(context, place, tasks[i], *view, outcome);
                });
  return outcome.Take();
}

PassResult ApplyRetention(const Context& context, Workplace& place) {
  Outcome outcome;
  const std::unique_ptr<Lease> lease = Acquire(context, place, "retention", outcome);
  if (!lease) return outcome.Take();
  const std::shared_ptr<const BlockView> view = LookFor(lease->context(), place, outcome);
  if (!view) return outcome.Take();
  FencedBucket fenced(place.bucket, *lease);
  for (const compaction::RetentionDecision& decision : FindExpired(place, *view)) {
    if (decision.waits) {
      place.logger.Warn("a block is past its retention and waits to be downsampled",
                        {{"block", decision.meta->ulid.ToString()}});
      continue;
    }
    const std::string details =
        "block exceeding retention of " + FormatGoDuration(decision.retention);
    const Status status = place.Mark(lease->context(), fenced, block::MarkKind::kDeletion,
                                     decision.meta->ulid, "", details);
    if (status.ok()) {
      outcome.Add(1);
    } else {
      outcome.Fail(status);
    }
  }
  return outcome.Take();
}

PassResult Clean(const Context& context, Workplace& place) {
  Outcome outcome;
  const std::unique_ptr<Lease> lease = Acquire(context, place, "cleaning", outcome);
  if (!lease) return outcome.Take();
  const std::shared_ptr<const BlockView> view = LookFor(lease->context(), place, outcome);
  if (!view) return outcome.Take();
  place.metrics.cleanup_loops.Increment();
  FencedBucket fenced(place.bucket, *lease);
  if (const Status status = CollectGarbage(lease->context(), place, *view, fenced, outcome);
      !status.ok())
    outcome.Fail(status);
  const auto delay =
      std::chrono::duration_cast<std::chrono::milliseconds>(place.options.delete_delay);
  const block::CleaningResult marked = block::DeleteMarkedBlocks(
      lease->context(), fenced, *view->deletion_marks, delay, place.logger, place.clock);
  place.metrics.blocks_cleaned.Increment(static_cast<double>(marked.deleted));
  place.metrics.cleanup_failures.Increment(static_cast<double>(marked.failed));
  place.metrics.partial_upload_deletions.Increment();
  const block::CleaningResult partial = block::DeleteAbortedUploads(
      lease->context(), fenced, view->fetched->partial, delay, place.logger, place.clock);
  if (marked.deleted + partial.deleted > 0) place.NoteChange();
  outcome.Add(marked.deleted + partial.deleted);
  if (const std::size_t failed = marked.failed + partial.failed; failed > 0)
    outcome.Fail(Unavailable("blocks that could not be deleted, see the log: {}", failed));
  return outcome.Take();
}

Status CountTodo(const Context& context, Workplace& place) {
  std::shared_ptr<const BlockView> view = place.last_view();
  if (!view) {
    ASSIGN_OR_RETURN(view, place.Look(context));
  }
  Todo todo;
  const compaction::PlanOptions options = PlanOptionsOf(place.options, *view);
  for (Group& group : MakeGroups(view->fetched->metas)) {
    RETURN_IF_ERROR(context.status());
    const Todo of_group = CountCompactions(std::move(group), options);
    todo.compactions += of_group.compactions;
    todo.blocks += of_group.blocks;
  }
  const std::size_t downsamplings =
      place.options.downsampling
          ? compaction::BlocksToDownsample(view->fetched->metas, view->no_downsample).size()
          : 0;
  const auto expired = std::ranges::count_if(FindExpired(place, *view),
                                             [](const auto& decision) { return !decision.waits; });
  place.metrics.todo_compactions.Set(static_cast<double>(todo.compactions));
  place.metrics.todo_compaction_blocks.Set(static_cast<double>(todo.blocks));
  place.metrics.todo_downsample_blocks.Set(static_cast<double>(downsamplings));
  place.metrics.todo_deletion_blocks.Set(static_cast<double>(expired));
  return OkStatus();
}

}  // namespace aevum::compact
