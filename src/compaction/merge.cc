#include "compaction/merge.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <memory>
#include <set>
#include <utility>

#include "base/files.h"
#include "chunk/aggregate_chunk.h"
#include "compaction/aggregate_overlap.h"
#include "compaction/raw_overlap.h"
#include "compaction/series_chunk.h"
#include "compaction/series_filter.h"
#include "model/ulid.h"
#include "objstore/bucket.h"
#include "tsdb/block_writer.h"
#include "tsdb/local_block.h"
#include "tsdb/tombstones.h"

namespace aevum::compaction {
namespace {

namespace fs = std::filesystem;
using Labels = std::vector<tsdb::SeriesEntry::Label>;

constexpr std::string_view kBlame = "block ";
constexpr std::uint64_t kContextEvery = 1024;  // series
constexpr std::size_t kMostShards = 256;

bool Before(const Labels& a, const Labels& b) {
  const auto numbers = [](const auto& l) { return std::pair(l.name, l.value); };
  return std::lexicographical_compare(
      a.begin(), a.end(), b.begin(), b.end(),
      [&](const auto& x, const auto& y) { return numbers(x) < numbers(y); });
}

// One input as it is read.
class Input {
 public:
  explicit Input(const MergeInput& input) : input_(input) {}

  Status Open(const Context& context) {
    StatusOr<std::unique_ptr<BlockReader>> reader = BlockReader::Open(context, input_.place);
    if (!reader.ok()) return Blame(reader.status());
    reader_ = *std::move(reader);
    return Blame(ReadTombstones(context));
  }

  Status Blame(Status status) const {
    return Annotate(std::move(status), std::string(kBlame) + input_.meta.ulid.ToString());
  }

  // To the next symbol; false at the end.
  StatusOr<bool> NextSymbol() {
    StatusOr<bool> more = reader_->NextSymbol(&symbol_);
    if (!more.ok()) return Blame(more.status());
    return more;
  }
  std::string_view symbol() const { return symbol_; }
  void Number(std::uint32_t merged) { numbers_.push_back(merged); }

  // To the next series, whose labels then are numbers of the merged symbols.
  StatusOr<bool> NextSeries(Repairs* repairs) {
    previous_.swap(series_.labels);
    StatusOr<bool> more = reader_->NextSeries(&series_);
    if (!more.ok()) return Blame(more.status());
    if (!*more) {
      if (read_ < input_.meta.stats.series)
        return Blame(Corruption("{} series, {} by meta.json", read_, input_.meta.stats.series));
      return false;
    }
    for (tsdb::SeriesEntry::Label& label : series_.labels)
      label = {numbers_[label.name], numbers_[label.value]};
    const auto by_name = [](const auto& a, const auto& b) { return a.name < b.name; };
    if (!std::is_sorted(series_.labels.begin(), series_.labels.end(), by_name)) {
      std::sort(series_.labels.begin(), series_.labels.end(), by_name);
      ++repairs->unsorted_series;
    }
    const auto same_name = [](const auto& a, const auto& b) { return a.name == b.name; };
    if (std::adjacent_find(series_.labels.begin(), series_.labels.end(), same_name) !=
        series_.labels.end())
      return Blame(Corruption("series {} of the index has a label twice", read_));
    if (read_ > 0 && !Before(previous_, series_.labels))
      return Blame(Corruption("series {} of the index is out of order", read_));
    for (const tsdb::WrittenChunk& chunk : series_.chunks) chunk_bytes_ += chunk.stored.data.size();
    ++read_;
    return true;
  }
  const StoredSeries& series() const { return series_; }
  std::uint64_t chunk_bytes() const { return chunk_bytes_; }
  const MergeInput& input() const { return input_; }

  // What is deleted of the current series.
  std::span<const tsdb::TimeRange> Deleted(const SeriesFilter& filter) {
    deleted_.clear();
    filter.AppendDeleted(series_.labels, input_.meta.labels, &deleted_);
    if (!tombstones_.empty() && series_.reference <= UINT32_MAX) {
      const auto of = tombstones_.Of(static_cast<tsdb::SeriesRef>(series_.reference));
      deleted_.insert(deleted_.end(), of.begin(), of.end());
    }
    JoinRanges(&deleted_);
    return deleted_;
  }

  std::uint32_t replica = 0;
  std::uint32_t component = 0;

 private:
  Status ReadTombstones(const Context& context) {
    const BlockPlace& place = input_.place;
    const StatusOr<std::string> bytes =
        place.bucket != nullptr
            ? place.bucket->Get(context, block::ObjectName(place.block, "tombstones"))
            : ReadFile(place.directory + "/tombstones");
    if (!bytes.ok()) return objstore::IsNotFound(bytes.status()) ? OkStatus() : bytes.status();
    ASSIGN_OR_RETURN(tombstones_, tsdb::Tombstones::Parse(*bytes));
    return OkStatus();
  }

  const MergeInput& input_;
  std::unique_ptr<BlockReader> reader_;
  tsdb::Tombstones tombstones_;
  std::string_view symbol_;
  std::vector<std::uint32_t> numbers_;
  StoredSeries series_;
  Labels previous_;
  std::vector<tsdb::TimeRange> deleted_;
  std::uint64_t read_ = 0;
  std::uint64_t chunk_bytes_ = 0;
};

// One block that is written.
struct Output {
  model::Ulid ulid;
  std::string directory;
  tsdb::BlockWriter writer;
  std::uint64_t aggregate_samples = 0;
};

// One attempt, with a number of blocks to write. Removes what it wrote unless it succeeds.
class Merge {
 public:
  Merge(const Context& context, const std::vector<MergeInput>& inputs, const MergeOptions& options,
        const std::string& directory, std::size_t shards)
      : context_(context),
        inputs_(inputs),
        options_(options),
        directory_(directory),
        shards_(shards),
        filter_(options.deletions) {}
  ~Merge() {
    std::error_code ignored;  // what can't be removed is scratch of the caller
    for (const std::string& path : made_)
      if (!done_) fs::remove_all(path, ignored);
  }

  // ResourceExhausted with too_large() when an index becomes too large.
  StatusOr<MergeResult> Run() {
    for (const MergeInput& input : inputs_)
      RETURN_IF_ERROR(readers_.emplace_back(std::make_unique<Input>(input))->Open(context_));
    PlaceInputs();
    model::UlidGenerator ulids(*options_.clock);
    for (std::size_t i = 0; i < shards_; ++i) {
      const model::Ulid ulid = ulids.Next();
      const std::string path = directory_ + "/" + ulid.ToString();
      made_.push_back(path);
      ASSIGN_OR_RETURN(tsdb::BlockWriter writer, tsdb::BlockWriter::Create(path));
      outputs_.push_back({ulid, path, std::move(writer), 0});
    }
    RETURN_IF_ERROR(MergeSymbols());
    RETURN_IF_ERROR(MergeSeries());
    for (Output& output : outputs_) RETURN_IF_ERROR(Finish(output));
    done_ = true;
    return std::move(result_);
  }
  bool too_large() const { return too_large_; }

 private:
  // Which inputs overlap in time, and which of these are of one replica.
  void PlaceInputs() {
    std::vector<Input*> sorted;
    for (const auto& reader : readers_) sorted.push_back(reader.get());
    std::stable_sort(sorted.begin(), sorted.end(), [](const Input* a, const Input* b) {
      return a->input().meta.min_time < b->input().meta.min_time;
    });
    std::uint32_t component = 0;
    TimestampMs end = kMinTime;
    std::map<std::string, std::uint32_t> named;
    std::vector<std::pair<TimestampMs, std::uint32_t>> unnamed;  // end and number
    std::uint32_t next = 0;
    for (Input* input : sorted) {
      const block::Meta& meta = input->input().meta;
      if (meta.min_time >= end) ++component;
      end = std::max(end, meta.max_time);
      input->component = component;
      starts_.try_emplace(component, meta.min_time);
      if (!input->input().replica.empty()) {
        const auto [at, added] = named.try_emplace(input->input().replica, next);
        next += added ? 1 : 0;
        input->replica = at->second;
        continue;
      }
      auto row = std::find_if(unnamed.begin(), unnamed.end(),
                              [&](const auto& r) { return r.first <= meta.min_time; });
      if (row == unnamed.end()) row = unnamed.insert(row, {meta.max_time, next++});
      row->first = meta.max_time;
      input->replica = row->second;
    }
  }

  Status MergeSymbols() {
    std::vector<Input*> open;
    for (const auto& reader : readers_) {
      ASSIGN_OR_RETURN(const bool more, reader->NextSymbol());
      if (more) open.push_back(reader.get());
    }
    const auto later = [](const Input* a, const Input* b) { return a->symbol() > b->symbol(); };
    std::make_heap(open.begin(), open.end(), later);
    std::string last;
    std::uint32_t count = 0;
    while (!open.empty()) {
      std::pop_heap(open.begin(), open.end(), later);
      Input* input = open.back();
      if (count == 0 || input->symbol() != last) {
        last = input->symbol();
        filter_.AddSymbol(last);
        for (Output& output : outputs_) RETURN_IF_ERROR(output.writer.AddSymbol(last));
        ++count;
      }
      input->Number(count - 1);
      ASSIGN_OR_RETURN(const bool more, input->NextSymbol());
      if (more) {
        std::push_heap(open.begin(), open.end(), later);
      } else {
        open.pop_back();
      }
    }
    return OkStatus();
  }

  Status MergeSeries() {
    const auto later = [](const Input* a, const Input* b) {
      return Before(b->series().labels, a->series().labels);
    };
    std::vector<Input*> open;
    for (const auto& reader : readers_) {
      ASSIGN_OR_RETURN(const bool more, reader->NextSeries(&result_.repairs));
      if (more) open.push_back(reader.get());
    }
    std::make_heap(open.begin(), open.end(), later);
    for (std::uint64_t count = 0; !open.empty(); ++count) {
      if (count % kContextEvery == 0) {
        RETURN_IF_ERROR(context_.status());
        Report();
      }
      std::size_t rest = open.size();
      do {
        std::pop_heap(open.begin(), open.begin() + static_cast<std::ptrdiff_t>(rest), later);
        --rest;
      } while (rest > 0 && !Before(open[rest]->series().labels, open.front()->series().labels));
      RETURN_IF_ERROR(WriteSeries(std::span(open).subspan(rest)));
      const std::size_t equal = open.size() - rest;
      std::vector<Input*> taken(open.end() - static_cast<std::ptrdiff_t>(equal), open.end());
      open.resize(rest);
      for (Input* input : taken) {
        ASSIGN_OR_RETURN(const bool more, input->NextSeries(&result_.repairs));
        if (!more) continue;
        open.push_back(input);
        std::push_heap(open.begin(), open.end(), later);
      }
    }
    Report();
    return OkStatus();
  }

  void Report() const {
    if (!options_.progress) return;
    std::uint64_t bytes = 0;
    for (const auto& reader : readers_) bytes += reader->chunk_bytes();
    options_.progress(bytes);
  }

  // The chunks of the current series of an input.
  void Gather(Input& input) {
    const std::span<const tsdb::TimeRange> deleted = input.Deleted(filter_);
    const std::vector<tsdb::WrittenChunk>& chunks = input.series().chunks;
    for (std::size_t i = 0; i < chunks.size(); ++i) {
      const tsdb::WrittenChunk& chunk = chunks[i];
      if (i > 0 && chunk.min_time <= chunks[i - 1].max_time) {
        const bool same = chunk.min_time == chunks[i - 1].min_time &&
                          chunk.max_time == chunks[i - 1].max_time &&
                          chunk.stored.encoding == chunks[i - 1].stored.encoding &&
                          chunk.stored.data == chunks[i - 1].stored.data;
        ++(same ? result_.repairs.duplicate_chunks : result_.repairs.out_of_order_chunks);
        if (same) continue;
      }
      const auto first = std::partition_point(
          deleted.begin(), deleted.end(),
          [&](const tsdb::TimeRange& range) { return range.max_time < chunk.min_time; });
      const bool touched = first != deleted.end() && first->min_time <= chunk.max_time;
      if (touched && first->min_time <= chunk.min_time && first->max_time >= chunk.max_time)
        continue;
      chunks_.push_back({chunk, input.replica, input.component,
                         touched ? deleted : std::span<const tsdb::TimeRange>()});
    }
  }

  // Chunks that two inputs have are needed once.
  void DropEqual() {
    std::stable_sort(chunks_.begin(), chunks_.end(), [](const auto& a, const auto& b) {
      return std::pair(a.chunk.min_time, a.chunk.max_time) <
             std::pair(b.chunk.min_time, b.chunk.max_time);
    });
    const auto equal = [](const SeriesChunk& a, const SeriesChunk& b) {
      return a.chunk.min_time == b.chunk.min_time && a.chunk.max_time == b.chunk.max_time &&
             a.chunk.stored.encoding == b.chunk.stored.encoding &&
             a.chunk.stored.data == b.chunk.stored.data && a.deleted.empty() && b.deleted.empty();
    };
    chunks_.erase(std::unique(chunks_.begin(), chunks_.end(), equal), chunks_.end());
  }

  // The end of the chunks from `first` on that have to be merged with it.
  std::size_t EndOfOverlap(std::size_t first, const std::set<std::uint32_t>& several) const {
    TimestampMs max_time = chunks_[first].chunk.max_time;
    std::size_t end = first + 1;
    for (; end < chunks_.size(); ++end) {
      const SeriesChunk& next = chunks_[end];
      const bool together = options_.function == MergeFunction::kAdaptive &&
                            next.component == chunks_[end - 1].component &&
                            several.contains(next.component);
      if (next.chunk.min_time > max_time && !together) break;
      max_time = std::max(max_time, next.chunk.max_time);
    }
    return end;
  }

  // Components in which the series is of several replicas.
  std::set<std::uint32_t> ComponentsOfSeveral() const {
    std::set<std::uint32_t> several;
    std::map<std::uint32_t, std::uint32_t> first;
    for (const SeriesChunk& chunk : chunks_)
      if (first.try_emplace(chunk.component, chunk.replica).first->second != chunk.replica)
        several.insert(chunk.component);
    return several;
  }

  Status MergeOverlap(std::span<const SeriesChunk> chunks, const Labels& labels) {
    const auto aggregates = static_cast<std::size_t>(std::count_if(
        chunks.begin(), chunks.end(), [](const SeriesChunk& c) { return c.IsAggregate(); }));
    if (aggregates == chunks.size())
      return MergeAggregateChunks(chunks, options_.function,
                                  std::max<TimestampMs>(inputs_.front().meta.resolution_ms, 1),
                                  &encoded_);
    if (aggregates > 0)
      return Unimplemented("raw chunks and aggregate chunks of one series overlap");
    return raw_.Merge(chunks,
                      {.function = options_.function,
                       .type = filter_.TypeOf(labels),
                       .range_start = starts_.at(chunks.front().component)},
                      &encoded_);
  }

  Status WriteSeries(std::span<Input* const> inputs) {
    const Labels& labels = inputs.front()->series().labels;
    chunks_.clear();
    for (Input* input : inputs) Gather(*input);
    DropEqual();
    std::set<std::uint32_t> several;
    if (options_.function == MergeFunction::kAdaptive && inputs.size() > 1)
      several = ComponentsOfSeveral();
    written_.clear();
    encoded_.clear();
    // Of those that are copied `copied` is the position, of others there is none.
    std::vector<std::pair<std::size_t, std::size_t>> encoded_at;
    for (std::size_t first = 0; first < chunks_.size();) {
      const std::size_t end = EndOfOverlap(first, several);
      if (end == first + 1 && chunks_[first].deleted.empty()) {
        written_.push_back(chunks_[first].chunk);
      } else {
        const std::size_t before = encoded_.size();
        if (const Status status =
                MergeOverlap(std::span(chunks_).subspan(first, end - first), labels);
            !status.ok()) {
          return inputs.front()->Blame(status);
        }
        for (std::size_t i = before; i < encoded_.size(); ++i) {
          encoded_at.emplace_back(written_.size(), i);
          written_.emplace_back();
        }
      }
      first = end;
    }
    for (const auto& [at, i] : encoded_at) written_[at] = encoded_[i].View();
    if (written_.empty()) return OkStatus();
    Output& output = outputs_[shards_ == 1 ? 0 : HashOf(labels) % shards_];
    for (const tsdb::WrittenChunk& chunk : written_)
      RETURN_IF_ERROR(CountAggregate(chunk, *inputs.front(), &output));
    return NoteSize(output.writer.AddSeries(labels, written_));
  }

  static std::uint64_t HashOf(const Labels& labels) {
    std::uint64_t hash = 0xcbf29ce484222325;
    for (const tsdb::SeriesEntry::Label& label : labels) {
      for (const std::uint32_t number : {label.name, label.value})
        hash = (hash ^ number) * 0x100000001b3;
    }
    return hash ^ hash >> 32;
  }

  static Status CountAggregate(const tsdb::WrittenChunk& chunk, const Input& input,
                               Output* output) {
    if (chunk.stored.encoding != chunk::kAggregateEncoding) return OkStatus();
    const StatusOr<chunk::AggregateParts> parts = chunk::SplitAggregateChunk(chunk.stored.data);
    if (!parts.ok()) return input.Blame(parts.status());
    output->aggregate_samples +=
        chunk::ClaimedSamples(parts->front().encoding, parts->front().data);
    return OkStatus();
  }

  Status NoteSize(Status status) {
    too_large_ |= status.code() == StatusCode::kResourceExhausted;
    return status;
  }

  Status Finish(Output& output) {
    const StatusOr<tsdb::BlockStats> stats = output.writer.Finish(context_);
    if (!stats.ok()) return NoteSize(stats.status());
    if (stats->series == 0) {
      std::error_code failed;
      fs::remove_all(output.directory, failed);
      return failed ? Unavailable("remove {}: {}", output.directory, failed.message()) : OkStatus();
    }
    std::error_code failed;
    const std::uint64_t index_bytes = fs::file_size(output.directory + "/index", failed);
    if (failed) return Unavailable("size of {}/index: {}", output.directory, failed.message());
    if (index_bytes > options_.max_index_bytes && stats->series > 1 && shards_ < kMostShards)
      return NoteSize(ResourceExhausted("an index of {} bytes", index_bytes));
    RETURN_IF_ERROR(Check(output, *stats));
    MergedBlock block{MakeMeta(output, *stats), output.directory};
    RETURN_IF_ERROR(WriteFileAtomically(output.directory + "/" + std::string(block::kMetaFile),
                                        block.meta.Write()));
    result_.blocks.push_back(std::move(block));
    return OkStatus();
  }

  // Reads what was written, all of it.
  Status Check(const Output& output, const tsdb::BlockStats& stats) {
    RETURN_IF_ERROR(tsdb::LocalBlock::Open(output.directory).status());
    ASSIGN_OR_RETURN(
        const std::unique_ptr<BlockReader> reader,
        BlockReader::Open(
            context_, {.bucket = nullptr, .block = output.ulid, .directory = output.directory}));
    std::uint64_t series = 0;
    std::uint64_t chunks = 0;
    for (StoredSeries stored;;) {
      ASSIGN_OR_RETURN(const bool more, reader->NextSeries(&stored));
      if (!more) break;
      ++series;
      chunks += stored.chunks.size();
    }
    if (series != stats.series || chunks != stats.chunks)
      return Internal("{} series and {} chunks were written, {} and {} are there", stats.series,
                      stats.chunks, series, chunks);
    return OkStatus();
  }

  block::Meta MakeMeta(const Output& output, const tsdb::BlockStats& stats) const {
    const block::Meta& first = inputs_.front().meta;
    block::Meta meta;
    meta.ulid = output.ulid;
    meta.min_time = first.min_time;
    meta.max_time = first.max_time;
    std::set<model::Ulid> sources;
    std::vector<const block::Meta*> parents;
    for (const MergeInput& input : inputs_) {
      parents.push_back(&input.meta);
      meta.min_time = std::min(meta.min_time, input.meta.min_time);
      meta.max_time = std::max(meta.max_time, input.meta.max_time);
      meta.compaction.level = std::max(meta.compaction.level, input.meta.compaction.level + 1);
      sources.insert(input.meta.compaction.sources.begin(), input.meta.compaction.sources.end());
      if (!meta.extensions) meta.extensions = input.meta.extensions;
    }
    if (shards_ > 1) sources = {output.ulid};
    meta.compaction.sources.assign(sources.begin(), sources.end());
    std::stable_sort(parents.begin(), parents.end(),
                     [](const auto* a, const auto* b) { return a->min_time < b->min_time; });
    for (const block::Meta* parent : parents)
      meta.compaction.parents.push_back({parent->ulid, parent->min_time, parent->max_time});
    meta.stats.float_samples = stats.float_samples;
    meta.stats.histogram_samples = stats.histogram_samples;
    meta.stats.samples = stats.float_samples + stats.histogram_samples + output.aggregate_samples;
    meta.stats.series = stats.series;
    meta.stats.chunks = stats.chunks;
    meta.thanos_version = 1;
    meta.labels = first.labels;
    meta.resolution_ms = first.resolution_ms;
    meta.source = options_.source;
    meta.series_max_size = static_cast<std::int64_t>((stats.series_max_bytes + 15) / 16 * 16);
    meta.chunk_max_size = static_cast<std::int64_t>(stats.chunk_max_bytes);
    return meta;
  }

  const Context& context_;
  const std::vector<MergeInput>& inputs_;
  const MergeOptions& options_;
  const std::string& directory_;
  const std::size_t shards_;
  SeriesFilter filter_;
  std::vector<std::unique_ptr<Input>> readers_;
  std::map<std::uint32_t, TimestampMs> starts_;  // of the components
  std::vector<std::string> made_;                // directories
  bool done_ = false;
  bool too_large_ = false;
  std::vector<Output> outputs_;
  MergeResult result_;
  RawOverlapMerger raw_;
  std::vector<SeriesChunk> chunks_;          // scratch
  std::vector<EncodedChunk> encoded_;        // scratch
  std::vector<tsdb::WrittenChunk> written_;  // scratch
};

}  // namespace

StatusOr<MergeResult> MergeBlocks(const Context& context, std::vector<MergeInput> inputs,
                                  const MergeOptions& options, const std::string& directory) {
  if (inputs.empty()) return InvalidArgument("no blocks to merge");
  for (const MergeInput& input : inputs) {
    if (input.meta.resolution_ms != inputs.front().meta.resolution_ms)
      return InvalidArgument("blocks of other resolutions: {} and {}",
                             inputs.front().meta.ulid.ToString(), input.meta.ulid.ToString());
  }
  for (std::size_t shards = 1;; shards *= 2) {
    Merge merge(context, inputs, options, directory, shards);
    StatusOr<MergeResult> result = merge.Run();
    if (result.ok() || !merge.too_large() || shards >= kMostShards) return result;
  }
}

std::optional<model::Ulid> DamagedBlock(const Status& status) {
  if (status.code() != StatusCode::kDataLoss || !status.message().starts_with(kBlame))
    return std::nullopt;
  const auto ulid =
      model::Ulid::Parse(status.message().substr(kBlame.size(), model::Ulid::kTextSize));
  if (!ulid.ok()) return std::nullopt;
  return *ulid;
}

}  // namespace aevum::compaction
