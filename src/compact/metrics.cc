#include "compact/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include "compaction/downsample.h"

namespace aevum::compact {
namespace {

using Counters = prometheus::Family<prometheus::Counter>;
using Histograms = prometheus::Family<prometheus::Histogram>;
using Boundaries = prometheus::Histogram::BucketBoundaries;

const Boundaries kDownsampleSeconds = {60, 300, 900, 1'800, 3'600, 7'200, 14'400};
const Boundaries kGarbageSeconds = {0.01, 0.1, 0.3, 0.6, 1, 3, 6, 9, 20, 30, 60, 90, 120, 240};

Counters& CountersOf(prometheus::Registry& registry, const char* name, const char* help) {
  return prometheus::BuildCounter()
      .Name(std::string("thanos_compact_") + name)
      .Help(help)
      .Register(registry);
}

prometheus::Counter& CounterOf(prometheus::Registry& registry, const char* name, const char* help) {
  return CountersOf(registry, name, help).Add({});
}

Histograms& HistogramsOf(prometheus::Registry& registry, const char* name, const char* help) {
  return prometheus::BuildHistogram()
      .Name(std::string("thanos_compact_") + name)
      .Help(help)
      .Register(registry);
}

prometheus::Gauge& GaugeOf(prometheus::Registry& registry, const char* name, const char* help) {
  return prometheus::BuildGauge().Name(name).Help(help).Register(registry).Add({});
}

prometheus::Labels LabelsOf(std::int64_t resolution_ms) {
  return {{"resolution", std::to_string(resolution_ms)}};
}

}  // namespace

CompactMetrics::CompactMetrics(prometheus::Registry& registry)
    : compactions_(CountersOf(registry, "group_compactions_total",
                              "Compactions of a group that made a block.")),
      vertical_compactions_(CountersOf(registry, "group_vertical_compactions_total",
                                       "Those whose blocks overlapped.")),
      failures_(CountersOf(registry, "group_compactions_failures_total",
                           "Compactions of a group that failed.")),
      runs_started_(CountersOf(registry, "group_compaction_runs_started_total",
                               "Groups that were begun with.")),
      runs_completed_(CountersOf(registry, "group_compaction_runs_completed_total",
                                 "Groups that were ended with, without an error.")),
      downsamplings_(CountersOf(registry, "downsample_total", "Blocks that were made coarser.")),
      downsample_failures_(CountersOf(registry, "downsample_failures_total",
                                      "Blocks that could not be made coarser.")),
      downsample_seconds_(HistogramsOf(registry, "downsample_duration_seconds",
                                       "How long it took to make a block coarser.")),
      marked_(CountersOf(registry, "blocks_marked_total", "Marks that were put beside blocks.")),
      halted(GaugeOf(registry, "thanos_compact_halted",
                     "1 when an error stopped all work, which only --compact.halt-on-error does.")),
      retries(CounterOf(registry, "retries_total",
                        "Pieces of work that an error ended which may pass.")),
      iterations(
          CounterOf(registry, "iterations_total", "Passes over the groups that ended well.")),
      cleanup_loops(CounterOf(registry, "block_cleanup_loops_total", "Passes of the cleaning.")),
      partial_upload_deletions(CounterOf(registry,
                                         "aborted_partial_uploads_deletion_attempts_total",
                                         "Passes that removed uploads which were given up.")),
      blocks_cleaned(
          CounterOf(registry, "blocks_cleaned_total", "Marked blocks that were deleted.")),
      cleanup_failures(
          CounterOf(registry, "block_cleanup_failures_total", "Blocks that could not be deleted.")),
      garbage_blocks(CounterOf(registry, "garbage_collected_blocks_total",
                               "Blocks marked since another has their sources.")),
      garbage_collections(
          CounterOf(registry, "garbage_collection_total", "Searches for such blocks.")),
      garbage_failures(
          CounterOf(registry, "garbage_collection_failures_total", "Those that failed.")),
      garbage_seconds(HistogramsOf(registry, "garbage_collection_duration_seconds",
                                   "How long such a search took.")
                          .Add({}, kGarbageSeconds)),
      delete_delay_seconds(
          GaugeOf(registry, "thanos_delete_delay_seconds", "How long a marked block stays.")),
      todo_compactions(
          GaugeOf(registry, "thanos_compact_todo_compactions", "Compactions that are planned.")),
      todo_compaction_blocks(
          GaugeOf(registry, "thanos_compact_todo_compaction_blocks", "Blocks in these plans.")),
      todo_downsample_blocks(
          GaugeOf(registry, "thanos_compact_todo_downsample_blocks", "Blocks to make coarser.")),
      todo_deletion_blocks(
          GaugeOf(registry, "thanos_compact_todo_deletion_blocks", "Blocks past their retention.")),
      chunk_bytes_read(prometheus::BuildCounter()
                           .Name("aevum_compact_chunk_bytes_total")
                           .Help("Chunks that compactions and downsamplings have read.")
                           .Register(registry)
                           .Add({})),
      scratch_bytes(GaugeOf(registry, "aevum_compact_scratch_bytes",
                            "What of --compact.scratch-size is given out.")),
      problems(GaugeOf(registry, "aevum_compact_problems",
                       "Blocks and groups that are left out, see /api/v1/compact.")) {
  // Rates of what happens for the first time need what was there before.
  for (const std::int64_t resolution_ms : {compaction::kResolutionRaw, compaction::kResolution5m}) {
    Downsamplings(resolution_ms);
    DownsampleFailures(resolution_ms);
    DownsampleSeconds(resolution_ms);
  }
}

CompactMetrics::OfResolution CompactMetrics::Of(std::int64_t resolution_ms) {
  const prometheus::Labels labels = LabelsOf(resolution_ms);
  return {.compactions = compactions_.Add(labels),
          .vertical_compactions = vertical_compactions_.Add(labels),
          .failures = failures_.Add(labels),
          .runs_started = runs_started_.Add(labels),
          .runs_completed = runs_completed_.Add(labels)};
}

prometheus::Counter& CompactMetrics::Downsamplings(std::int64_t resolution_ms) {
  return downsamplings_.Add(LabelsOf(resolution_ms));
}

prometheus::Counter& CompactMetrics::DownsampleFailures(std::int64_t resolution_ms) {
  return downsample_failures_.Add(LabelsOf(resolution_ms));
}

prometheus::Histogram& CompactMetrics::DownsampleSeconds(std::int64_t resolution_ms) {
  return downsample_seconds_.Add(LabelsOf(resolution_ms), kDownsampleSeconds);
}

void CompactMetrics::Marked(block::MarkKind kind, std::string_view reason) {
  marked_.Add({{"marker", std::string(block::MarkFile(kind))}, {"reason", std::string(reason)}})
      .Increment();
}

}  // namespace aevum::compact
