#include "store/queryable.h"

#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include "base/memory_budget.h"
#include "base/trace.h"
#include "store/aggregates.h"
#include "store/dedup/adaptive.h"
#include "store/dedup/aggregate_rows.h"
#include "store/dedup/counter.h"
#include "store/dedup/penalty.h"
#include "store/dedup/replicas.h"
#include "store/dedup/steady_row.h"
#include "store/merge.h"

namespace aevum::store {
namespace {

using chunk::ChunkView;
using chunk::Columns;

// What all batches of a select share.
struct SelectPlan {
  QueryableOptions options;
  TimestampMs start_ms = 0;
  TimestampMs end_ms = 0;
  std::vector<wire::Aggr> aggregates;
  bool counter_function = false;  // the function reads counters

  bool deduplicates() const { return options.deduplicate && !options.replica_labels.empty(); }
};

// Corruption when times from a position on do not ascend: the engine relies on it.
Status CheckAscending(const std::vector<TimestampMs>& times, std::size_t from) {
  bool ascending = true;
  for (std::size_t i = std::max<std::size_t>(from, 1); i < times.size(); ++i) {
    ascending &= times[i - 1] < times[i];
  }
  return ascending ? OkStatus() : Corruption("samples are not in the order of time");
}

template <typename Values>
void DropLaneBefore(TimestampMs time, std::vector<TimestampMs>* times, Values* values,
                    std::vector<TimestampMs>* starts) {
  const auto first = std::lower_bound(times->begin(), times->end(), time);
  const auto count = first - times->begin();
  values->erase(values->begin(), values->begin() + count);
  if (!starts->empty()) starts->erase(starts->begin(), starts->begin() + count);
  times->erase(times->begin(), first);
}

// Columns that want what `like` wants.
Columns ColumnsLike(const Columns& like) {
  Columns columns;
  columns.with_starts = like.with_starts;
  return columns;
}

// What the header of a chunk says of its first sample is about the chunk before it, which may not
// be the one that comes before it here.
void ForgetHint(model::FloatHistogram* histogram) {
  if (histogram->reset_hint != model::ResetHint::kGauge) {
    histogram->reset_hint = model::ResetHint::kUnknown;
  }
}

// What a series is: as its labels say, or the end of its name, or how it is used.
dedup::SeriesType TypeOf(const model::Labels& labels, bool counter_function) {
  using dedup::SeriesType;
  const std::string_view type = labels.Get("__type__");
  if (type == "gauge") return SeriesType::kGauge;
  if (type == "counter") return SeriesType::kCounter;
  const std::string_view name = labels.Get("__name__");
  constexpr std::array<std::string_view, 4> kCounterNames = {"_total", "_count", "_sum", "_bucket"};
  const bool named = std::any_of(kCounterNames.begin(), kCounterNames.end(),
                                 [name](std::string_view end) { return name.ends_with(end); });
  return named || counter_function ? SeriesType::kCounter : SeriesType::kUnknown;
}

// Of what Thanos downsamples to, by layer; 0: raw.
constexpr std::array<TimestampMs, 3> kWindows = {0, 300'000, 3'600'000};

class StoreBatch final : public promql::SelectBatch {
 public:
  StoreBatch(wire::SeriesBatch batch, std::shared_ptr<const SelectPlan> plan, MemoryCharge charge)
      : batch_(std::move(batch)), plan_(std::move(plan)), charge_(std::move(charge)) {}

  std::size_t size() const override { return batch_.series.size(); }
  const model::Labels& labels(std::size_t index) const override {
    return batch_.series[index].labels;
  }

  Status Decode(std::size_t index, Columns* out) const override {
    const std::span<const ChunkView> all = batch_.ChunksOf(batch_.series[index]);
    const auto outside = [&](const ChunkView& chunk) {
      return chunk.max_time < plan_->start_ms || chunk.min_time > plan_->end_ms;
    };
    if (std::none_of(all.begin(), all.end(), outside)) return DecodeSeries(index, all, out);
    std::vector<ChunkView> inside;
    std::remove_copy_if(all.begin(), all.end(), std::back_inserter(inside), outside);
    return DecodeSeries(index, inside, out);
  }

  std::int64_t memory_bytes() const override {
    std::size_t bytes = batch_.chunks.size() * sizeof(ChunkView);
    for (const wire::SeriesBatch::Series& series : batch_.series)
      bytes += sizeof(series) + series.labels.memory_bytes();
    for (const ChunkView& chunk : batch_.chunks) bytes += chunk.data.size();
    return static_cast<std::int64_t>(bytes);
  }

 private:
  // Chunks mostly follow one another: then there is nothing to choose.
  Status DecodeSeries(std::size_t index, std::span<const ChunkView> chunks, Columns* out) const {
    bool simple = true;
    std::uint16_t common = chunks.empty() ? 1 : chunks.front().replicas;
    for (std::size_t i = 0; i < chunks.size(); ++i) {
      common &= chunks[i].replicas;
      simple &= chunks[i].aggregate == chunk::Aggregate::kRaw &&
                (i == 0 || chunks[i - 1].max_time < chunks[i].min_time);
    }
    // At the seam of two replicas a counter may go backwards.
    if (plan_->options.dedup_function == DedupFunction::kAdaptive && plan_->deduplicates()) {
      simple &= common != 0;
    }
    if (!simple) return DecodeOverlapping(index, chunks, out);
    const std::size_t floats = out->times.size();
    const std::size_t histograms = out->histogram_times.size();
    for (const ChunkView& chunk : chunks) {
      RETURN_IF_ERROR(plan_->deduplicates() ? DecodeNext(index, std::span(&chunk, 1), out)
                                            : DecodeChunk(index, std::span(&chunk, 1), out));
    }
    return CheckRow(index, chunks, *out, floats, histograms);
  }

  Status DecodeOverlapping(std::size_t index, std::span<const ChunkView> chunks,
                           Columns* out) const {
    if (!plan_->deduplicates()) return DecodeUnion(index, chunks, out);
    if (plan_->options.dedup_function == DedupFunction::kAdaptive) {
      return HasAggregates(chunks) ? DecodeLayers(index, chunks, out)
                                   : DecodeAdaptive(index, chunks, out);
    }
    std::vector<Columns> replicas;
    bool counters = false;
    for (const std::vector<std::size_t>& row : dedup::SplitOverlaps(chunks)) {
      std::vector<ChunkView> parts;
      for (const std::size_t i : row) parts.push_back(chunks[i]);
      Columns columns = ColumnsLike(*out);
      RETURN_IF_ERROR(DecodeRow(index, parts, &counters, &columns));
      DropLaneBefore(plan_->start_ms, &columns.times, &columns.values, &columns.starts);
      DropLaneBefore(plan_->start_ms, &columns.histogram_times, &columns.histograms,
                     &columns.histogram_starts);
      replicas.push_back(std::move(columns));
    }
    std::vector<dedup::Row> rows;
    for (const Columns& columns : replicas) {
      rows.push_back({.columns = &columns, .max_time = plan_->end_ms});
    }
    switch (plan_->options.dedup_function) {
      case DedupFunction::kAdaptive:
        break;  // above
      case DedupFunction::kPenalty:
        dedup::MergePenalty(rows, counters ? dedup::Adjust::kCounter : dedup::Adjust::kNone,
                            dedup::ResetHints::kForgetAtSeams, out);
        break;
      case DedupFunction::kChain:
        dedup::MergeChain(rows, out);
        break;
    }
    return OkStatus();
  }

  Status DecodeAdaptive(std::size_t index, std::span<const ChunkView> chunks, Columns* out) const {
    if (dedup::CopySteadyRow(chunks, plan_->start_ms, plan_->end_ms, out)) return OkStatus();
    const auto read = [this, index](const ChunkView& chunk, std::uint32_t samples, Columns* into) {
      RETURN_IF_ERROR(
          Blame(index, chunk, chunk::DecodeFirst(chunk.encoding, chunk.data, samples, into)));
      if (!into->histograms.empty()) ForgetHint(&into->histograms[0]);
      return OkStatus();
    };
    std::vector<dedup::RowReader> rows;
    std::vector<ChunkView> of_row;
    for (const std::vector<std::size_t>& row : dedup::SplitReplicas(chunks)) {
      of_row.clear();
      for (const std::size_t i : row) of_row.push_back(chunks[i]);
      rows.emplace_back(of_row, plan_->start_ms, plan_->end_ms, read);
    }
    const dedup::AdaptiveOptions options{.type = TypeOf(labels(index), plan_->counter_function),
                                         .range_start = plan_->start_ms};
    return dedup::MergeAdaptive(rows, options, out);
  }

  // Raw data, then what was downsampled to five minutes and to an hour, each deduplicated.
  Status DecodeLayers(std::size_t index, std::span<const ChunkView> chunks, Columns* out) const {
    std::array<std::vector<ChunkView>, 3> parts;
    for (std::size_t i = 0; i < chunks.size();) {
      const std::size_t end = PartsEnd(chunks, i);
      std::vector<ChunkView>& layer = parts[LayerOf(chunks.subspan(i, end - i))];
      layer.insert(layer.end(), chunks.begin() + static_cast<std::ptrdiff_t>(i),
                   chunks.begin() + static_cast<std::ptrdiff_t>(end));
      i = end;
    }
    const auto totals = plan_->counter_function ? dedup::Totals::kYes : dedup::Totals::kNo;
    std::array<dedup::Layer, 3> layers;
    for (std::size_t k = 0; k < layers.size(); ++k) {
      for (const ChunkView& chunk : parts[k]) {
        layers[k].spans.push_back({.from = chunk.min_time, .to = chunk.max_time});
      }
      Columns* samples = &layers[k].samples;
      samples->with_starts = out->with_starts;
      if (k == 0) {
        RETURN_IF_ERROR(DecodeAdaptive(index, parts[k], samples));
        if (plan_->counter_function) Unroll(samples);
      } else {
        RETURN_IF_ERROR(DecodeAggregates(index, parts[k], kWindows[k], totals, samples));
      }
    }
    dedup::JoinLayers(layers, totals, out);
    return OkStatus();
  }

  static void Unroll(Columns* samples) {
    Columns unrolled;
    dedup::ApplyCounterResets(std::span(samples, 1), &unrolled);
    std::swap(*samples, unrolled);
  }

  // 0: raw, 1: windows of five minutes, 2: of an hour.
  static std::size_t LayerOf(std::span<const ChunkView> parts) {
    const ChunkView& first = parts.front();
    if (first.aggregate == chunk::Aggregate::kRaw) return 0;
    const std::uint32_t samples = chunk::ClaimedSamples(first.encoding, first.data);
    const double length = static_cast<double>(first.max_time) - static_cast<double>(first.min_time);
    return samples > 1 && length / (samples - 1) > static_cast<double>(kWindows[2]) / 2 ? 2 : 1;
  }

  Status DecodeAggregates(std::size_t index, std::span<const ChunkView> chunks, TimestampMs window,
                          dedup::Totals totals, Columns* out) const {
    const std::vector<std::vector<std::size_t>> rows = dedup::SplitReplicas(chunks);
    std::vector<Columns> values(rows.size());
    std::vector<Columns> counts(rows.size());
    std::vector<dedup::AggregateRow> replicas;
    for (std::size_t r = 0; r < rows.size(); ++r) {
      std::vector<ChunkView> parts;
      for (const std::size_t i : rows[r]) parts.push_back(chunks[i]);
      bool counters = false;
      RETURN_IF_ERROR(DecodeRow(index, parts, &counters, &values[r]));
      for (const ChunkView& part : parts) {
        if (part.aggregate != chunk::Aggregate::kCount) continue;
        RETURN_IF_ERROR(Blame(index, part, chunk::Decode(part.encoding, part.data, &counts[r])));
      }
      RETURN_IF_ERROR(CheckRow(index, parts, counts[r], 0, 0));
      for (Columns* columns : {&values[r], &counts[r]}) {
        DropLaneBefore(plan_->start_ms, &columns->times, &columns->values, &columns->starts);
        DropLaneBefore(plan_->start_ms, &columns->histogram_times, &columns->histograms,
                       &columns->histogram_starts);
      }
      replicas.push_back({.values = &values[r], .counts = &counts[r]});
    }
    dedup::MergeAggregates(replicas, window, totals, out);
    return OkStatus();
  }

  // The chunks of one row, which do not overlap. Sets `counters` when there is a counter aggregate.
  Status DecodeRow(std::size_t index, std::span<const ChunkView> chunks, bool* counters,
                   Columns* out) const {
    if (plan_->aggregates.front() == wire::Aggr::kCounter && HasAggregates(chunks)) {
      *counters = true;
      return DecodeUnion(index, chunks, out);
    }
    for (std::size_t i = 0; i < chunks.size();) {
      const std::size_t end = PartsEnd(chunks, i);
      RETURN_IF_ERROR(DecodeNext(index, chunks.subspan(i, end - i), out));
      i = end;
    }
    return CheckRow(index, chunks, *out, 0, 0);
  }

  Status DecodeUnion(std::size_t index, std::span<const ChunkView> chunks, Columns* out) const {
    std::vector<Columns> decoded;
    for (std::size_t i = 0; i < chunks.size();) {
      const std::size_t end = PartsEnd(chunks, i);
      Columns& columns = decoded.emplace_back(ColumnsLike(*out));
      RETURN_IF_ERROR(DecodeChunk(index, chunks.subspan(i, end - i), &columns));
      i = end;
    }
    const std::size_t floats = out->times.size();
    const std::size_t histograms = out->histogram_times.size();
    if (plan_->aggregates.front() == wire::Aggr::kCounter && HasAggregates(chunks)) {
      dedup::ApplyCounterResets(decoded, out);
    } else {
      dedup::Union(decoded, out);
    }
    for (std::size_t i = histograms; i < out->histograms.size(); ++i) {
      ForgetHint(&out->histograms[i]);
    }
    return CheckRow(index, chunks, *out, floats, histograms);
  }

  static bool HasAggregates(std::span<const ChunkView> chunks) {
    return std::any_of(chunks.begin(), chunks.end(), [](const ChunkView& chunk) {
      return chunk.aggregate != chunk::Aggregate::kRaw;
    });
  }

  // As DecodeChunk, for chunks that may be of several replicas.
  Status DecodeNext(std::size_t index, std::span<const ChunkView> parts, Columns* out) const {
    const std::size_t first = out->histograms.size();
    RETURN_IF_ERROR(DecodeChunk(index, parts, out));
    if (first < out->histograms.size()) ForgetHint(&out->histograms[first]);
    return OkStatus();
  }

  Status DecodeChunk(std::size_t index, std::span<const ChunkView> parts, Columns* out) const {
    return Blame(index, parts.front(), DecodeParts(parts, plan_->aggregates, out));
  }

  Status CheckRow(std::size_t index, std::span<const ChunkView> chunks, const Columns& columns,
                  std::size_t floats, std::size_t histograms) const {
    if (chunks.empty()) return OkStatus();
    RETURN_IF_ERROR(Blame(index, chunks.front(), CheckAscending(columns.times, floats)));
    return Blame(index, chunks.front(), CheckAscending(columns.histogram_times, histograms));
  }

  // Says which series and whose chunk it was.
  Status Blame(std::size_t index, const ChunkView& chunk, Status status) const {
    if (status.ok()) return status;
    std::string text = fmt::format("read chunk {} to {} of series {}", chunk.min_time,
                                   chunk.max_time, labels(index).ToString());
    if (batch_.sources && chunk.source < batch_.sources->size()) {
      text += " from " + (*batch_.sources)[chunk.source];
    }
    return Annotate(std::move(status), text);
  }

  const wire::SeriesBatch batch_;
  const std::shared_ptr<const SelectPlan> plan_;
  const MemoryCharge charge_;
};

class StoreSelectStream final : public promql::SelectStream {
 public:
  StoreSelectStream(const Context& context, std::unique_ptr<SeriesStream> stream,
                    std::shared_ptr<const SelectPlan> plan, Span span)
      : context_(context),
        span_(std::move(span)),
        stream_(std::move(stream)),
        plan_(std::move(plan)) {}

  StatusOr<std::unique_ptr<const promql::SelectBatch>> Next() override {
    auto batch = NextBatch();
    if (batch.ok() && *batch) {
      series_ += (*batch)->size();
      return batch;
    }
    span_.Set("series", series_);
    span_.Fail(batch.status());
    span_.End();
    return batch;
  }

  std::vector<std::string> warnings() const override { return warnings_; }

 private:
  StatusOr<std::unique_ptr<const promql::SelectBatch>> NextBatch() {
    wire::SeriesBatch batch;
    while (true) {
      ASSIGN_OR_RETURN(const bool more, stream_->Next(&batch));
      for (std::string& warning : batch.warnings) AddWarning(std::move(warning));
      batch.warnings.clear();
      if (!more) return std::unique_ptr<const promql::SelectBatch>();
      if (!batch.series.empty()) break;
    }
    MemoryCharge charge(context_.budget());
    RETURN_IF_ERROR(charge.Add(
        static_cast<std::int64_t>(batch.series.size() * sizeof(wire::SeriesBatch::Series) +
                                  batch.chunks.size() * sizeof(ChunkView)),
        "series of a select"));
    return std::unique_ptr<const promql::SelectBatch>(
        std::make_unique<StoreBatch>(std::move(batch), plan_, std::move(charge)));
  }

  void AddWarning(std::string warning) {
    if (std::find(warnings_.begin(), warnings_.end(), warning) == warnings_.end()) {
      warnings_.push_back(std::move(warning));
    }
  }

  const Context context_;
  Span span_;  // of the select, to the last batch
  std::size_t series_ = 0;
  const std::unique_ptr<SeriesStream> stream_;
  const std::shared_ptr<const SelectPlan> plan_;
  std::vector<std::string> warnings_;
};

}  // namespace

StatusOr<DedupFunction> ParseDedupFunction(std::string_view name) {
  if (name == "adaptive") return DedupFunction::kAdaptive;
  if (name == "penalty") return DedupFunction::kPenalty;
  if (name == "chain") return DedupFunction::kChain;
  return InvalidArgument("unknown deduplication function, must be adaptive, penalty or chain: {}",
                         name);
}

StoreQueryable::StoreQueryable(std::shared_ptr<Store> store, QueryableOptions options)
    : store_(std::move(store)), options_(std::move(options)) {}

bool StoreQueryable::MatchesOnLabels(std::string_view label) const {
  return !options_.deduplicate ||
         std::find(options_.replica_labels.begin(), options_.replica_labels.end(), label) ==
             options_.replica_labels.end();
}

StatusOr<std::unique_ptr<promql::SelectStream>> StoreQueryable::Select(
    const Context& context, const model::Matchers& matchers, const promql::SelectHints& hints) {
  auto plan = std::make_shared<SelectPlan>();
  plan->options = options_;
  plan->start_ms = hints.start_ms;
  plan->end_ms = hints.end_ms;
  plan->aggregates = AggregatesOf(hints.function);
  plan->counter_function = plan->aggregates.front() == wire::Aggr::kCounter;

  wire::SeriesRequest request;
  request.min_time = hints.start_ms;
  request.max_time = hints.end_ms;
  request.matchers = matchers;
  request.max_resolution_window_ms =
      ResolutionFor(options_.max_source_resolution_ms, hints.range_ms, hints.function);
  request.aggregates = plan->aggregates;
  // Which replica has the most samples of a window is told by its count.
  if (plan->deduplicates() && options_.dedup_function == DedupFunction::kAdaptive &&
      request.max_resolution_window_ms > 0 && plan->aggregates.front() != wire::Aggr::kCount) {
    request.aggregates.push_back(wire::Aggr::kCount);
  }
  request.partial_response = options_.partial_response;
  request.skip_chunks = options_.skip_chunks;
  request.query_hints = wire::QueryHints{.step_ms = hints.step_ms,
                                         .function = hints.function,
                                         .grouping_by = hints.by,
                                         .grouping_labels = hints.grouping,
                                         .range_ms = hints.range_ms};
  request.shard_info = options_.shard_info;
  if (plan->deduplicates()) request.without_replica_labels = options_.replica_labels;
  request.limit = options_.limit;
  request.response_batch_size = options_.response_batch_size;

  Span span(context, "querier_select");
  if (span.recording()) {
    span.Set("minTime", hints.start_ms);
    span.Set("maxTime", hints.end_ms);
    span.Set("matchers", model::ToString(matchers));
  }
  const Context& inner = span.Inner(context);
  auto stream = store_->Series(inner, request);
  span.Fail(stream.status());
  RETURN_IF_ERROR(stream.status());
  // Series that became equal without the replica labels follow one another: join them.
  std::vector<std::unique_ptr<SeriesStream>> one;
  one.push_back(*std::move(stream));
  return std::make_unique<StoreSelectStream>(context, MergeStreams(std::move(one)), plan,
                                             std::move(span));
}

}  // namespace aevum::store
