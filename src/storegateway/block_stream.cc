#include "storegateway/block_stream.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "store/sharding.h"
#include "store/sort_stream.h"
#include "storegateway/deleted_samples.h"
#include "tsdb/block_series.h"
#include "tsdb/chunk_segment.h"

namespace aevum::storegateway {
namespace {

using store::SeriesStream;

model::Labels Without(const model::Labels& labels, const std::vector<std::string>& names) {
  model::LabelsBuilder builder(labels);
  for (const std::string& name : names) builder.Remove(name);
  return builder.Build();
}

// StoreAPI's aggregates are those of chunks, in the same order.
std::vector<chunk::Aggregate> AggregatesOf(const std::vector<wire::Aggr>& wanted) {
  std::vector<chunk::Aggregate> aggregates;
  for (const wire::Aggr aggregate : wanted)
    aggregates.push_back(static_cast<chunk::Aggregate>(aggregate));
  std::sort(aggregates.begin(), aggregates.end());
  return aggregates;
}

tsdb::BlockSeriesOptions OptionsFor(const wire::SeriesRequest& request, const BucketBlock& block,
                                    std::size_t batch) {
  tsdb::BlockSeriesOptions options;
  options.range = {request.min_time, request.max_time};
  options.skip_chunks = request.skip_chunks;
  options.aggregates = AggregatesOf(request.aggregates);
  options.external_labels = Without(block.labels(), request.without_replica_labels);
  options.batch_series = batch;
  return options;
}

// Resolves the matchers with the first batch.
class BlockStream final : public SeriesStream {
 public:
  BlockStream(const Context& context, const wire::SeriesRequest& request, ChosenBlock chosen,
              SharedReads shared)
      : context_(context),
        options_(OptionsFor(request, *chosen.block, shared.series_batch)),
        chosen_(std::move(chosen)),
        shared_(std::move(shared)) {}

  StatusOr<bool> Next(wire::SeriesBatch* batch) override {
    batch->Clear();
    RETURN_IF_ERROR(status_);
    const bool first = !series_;
    if (first) status_ = Open(PostingsExpander::UseCache::kYes);
    StatusOr<bool> more = false;
    if (status_.ok()) more = series_->Next(batch);
    if (status_.ok()) status_ = more.status();
    // A cache that others write to may have given what is not of this block.
    if (first && cached_ && status_.code() == StatusCode::kDataLoss) {
      status_ = Open(PostingsExpander::UseCache::kNo);
      if (status_.ok()) more = series_->Next(batch);
      if (status_.ok()) status_ = more.status();
    }
    if (!status_.ok()) {
      status_ = Annotate(status_, "block " + chosen_.block->id());
      return status_;
    }
    return more;
  }

 private:
  Status Open(PostingsExpander::UseCache use_cache) {
    ASSIGN_OR_RETURN(tables_, chosen_.block->GetTables(context_));
    source_.emplace(MakeSource(shared_, *chosen_.block, *tables_));
    ASSIGN_OR_RETURN(
        ExpandedPostings expanded,
        shared_.expander->Expand(context_, {chosen_.block->id(), *tables_, SeriesBytes()}, *source_,
                                 chosen_.matchers, use_cache));
    cached_ = expanded.cached;
    tsdb::BlockSeriesOptions options = options_;
    if (!expanded.left.empty()) {
      options.wanted = [matchers = std::move(expanded.left)](const model::Labels& labels) {
        return model::MatchesAll(matchers, labels);
      };
      options.on_unwanted = [metrics = shared_.postings_metrics](std::size_t bytes) {
        metrics->Overfetched(bytes);
      };
    }
    series_.emplace(context_, *tables_, *source_, std::move(expanded.series), std::move(options));
    return OkStatus();
  }

  // Whoever wrote the block may have said what its largest series takes.
  std::uint64_t SeriesBytes() const {
    const auto largest = static_cast<std::uint64_t>(
        std::max<std::int64_t>(chosen_.block->meta().series_max_size, 0));
    return largest > 0 ? std::min(largest, shared_.most_series_bytes) : shared_.most_series_bytes;
  }

  const Context context_;
  const tsdb::BlockSeriesOptions options_;
  const ChosenBlock chosen_;
  const SharedReads shared_;
  BucketBlock::Tables tables_;
  std::optional<BucketSource> source_;
  std::optional<tsdb::BlockSeries> series_;
  bool cached_ = false;  // which series match was in the cache
  Status status_;
};

// The series less what tombstones hide, which see all labels that a series has.
std::unique_ptr<SeriesStream> ShownSeries(const Context& context,
                                          const wire::SeriesRequest& request, ChosenBlock chosen,
                                          SharedReads shared) {
  const block::Meta& meta = chosen.block->meta();
  std::vector<block::Tombstone> tombstones;
  if (shared.tombstones != nullptr) tombstones = TombstonesOf(*shared.tombstones, meta);
  const std::int64_t resolution_ms = meta.resolution_ms;
  return HideDeleted(
      std::make_unique<BlockStream>(context, request, std::move(chosen), std::move(shared)),
      std::move(tombstones), resolution_ms);
}

// Sorts where a series has own labels with the names of external ones or of replica labels. What a
// block has is known with its index-header only, so the choice is made by the first Next().
class OrderedStream final : public SeriesStream {
 public:
  OrderedStream(const Context& context, const wire::SeriesRequest& request, ChosenBlock chosen,
                SharedReads shared)
      : context_(context),
        replica_labels_(request.without_replica_labels),
        block_(chosen.block),
        stream_(ShownSeries(context, request, std::move(chosen), std::move(shared))) {}

  StatusOr<bool> Next(wire::SeriesBatch* batch) override {
    if (!std::exchange(decided_, true)) {
      const StatusOr<BucketBlock::Tables> tables = block_->GetTables(context_);
      if (!tables.ok()) failed_ = Annotate(tables.status(), "block " + block_->id());
      if (tables.ok() && NeedsSort(**tables))
        stream_ = store::SortWithoutLabels(context_, std::move(stream_), replica_labels_);
    }
    RETURN_IF_ERROR(failed_);
    return stream_->Next(batch);
  }

 private:
  bool NeedsSort(const tsdb::IndexTables& tables) const {
    const auto has = [&](const std::string& name) {
      return tables.postings().CountValues(name) > 0;
    };
    return tsdb::BlockSeries::MayBreakOrder(tables, block_->labels()) ||
           std::any_of(replica_labels_.begin(), replica_labels_.end(), has);
  }

  const Context context_;
  const std::vector<std::string> replica_labels_;
  const std::shared_ptr<BucketBlock> block_;
  std::unique_ptr<SeriesStream> stream_;
  bool decided_ = false;
  Status failed_;
};

}  // namespace

BucketSource MakeSource(const SharedReads& shared, const BucketBlock& block,
                        const tsdb::IndexTables& tables) {
  BucketSourceOptions options{.page_bytes = shared.page_bytes,
                              .chunk_bytes = shared.most_chunk_bytes,
                              .chunk_pool = shared.chunk_pool,
                              .origin = shared.origin};
  // Whoever wrote the block may have said what its largest chunk takes.
  const auto largest =
      static_cast<std::uint64_t>(std::max<std::int64_t>(block.meta().chunk_max_size, 0));
  if (largest > 0)
    options.chunk_bytes = std::min(options.chunk_bytes, largest + tsdb::kMostChunkFrameBytes);
  return BucketSource(*shared.bucket, block.id(), tables, *shared.cache, *shared.reads,
                      std::move(options));
}

std::unique_ptr<SeriesStream> StreamBlock(const Context& context,
                                          const wire::SeriesRequest& request, ChosenBlock chosen,
                                          SharedReads shared) {
  std::unique_ptr<SeriesStream> stream =
      std::make_unique<OrderedStream>(context, request, std::move(chosen), std::move(shared));
  if (!request.shard_info || request.shard_info->total_shards < 1) return stream;
  return store::FilterShard(std::move(stream), *request.shard_info);
}

}  // namespace aevum::storegateway
