#include "store/sort_stream.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "base/memory_budget.h"

namespace aevum::store {
namespace {

constexpr std::size_t kBatchSeries = 1024;

class SortedStream final : public SeriesStream {
 public:
  SortedStream(const Context& context, std::unique_ptr<SeriesStream> stream,
               std::vector<std::string> labels)
      : context_(context), stream_(std::move(stream)), labels_(std::move(labels)) {}

  StatusOr<bool> Next(wire::SeriesBatch* batch) override {
    batch->Clear();
    RETURN_IF_ERROR(status_);
    if (stream_) {
      status_ = ReadAll();
      stream_.reset();
      RETURN_IF_ERROR(status_);
      batch->warnings = std::move(all_->warnings);
    }
    const std::size_t end = std::min(all_->rows.size(), position_ + kBatchSeries);
    for (; position_ < end; ++position_) {
      Row& row = all_->rows[position_];
      batch->series.push_back({.labels = std::move(row.labels),
                               .first_chunk = static_cast<std::uint32_t>(batch->chunks.size()),
                               .chunk_count = static_cast<std::uint32_t>(row.chunks.size())});
      batch->chunks.insert(batch->chunks.end(), row.chunks.begin(), row.chunks.end());
    }
    batch->owners.push_back(all_);
    return !batch->series.empty();
  }

 private:
  struct Row {
    model::Labels labels;
    std::span<const chunk::ChunkView> chunks;
  };
  struct All {
    MemoryCharge charge;
    std::vector<std::vector<chunk::ChunkView>> chunks;
    std::vector<BufferOwner> owners;
    std::vector<Row> rows;
    std::vector<std::string> warnings;
  };

  Status ReadAll() {
    all_ = std::make_shared<All>();
    all_->charge = MemoryCharge(context_.budget());
    model::LabelsBuilder builder;
    wire::SeriesBatch batch;
    bool more = true;
    while (more) {
      RETURN_IF_ERROR(context_.status());
      ASSIGN_OR_RETURN(more, stream_->Next(&batch));
      std::int64_t bytes = 0;
      for (wire::SeriesBatch::Series& series : batch.series) {
        builder.Reset(series.labels);
        for (const std::string& name : labels_) builder.Remove(name);
        series.labels = builder.Build();
        bytes += static_cast<std::int64_t>(series.labels.memory_bytes() + sizeof(Row));
        all_->rows.push_back({std::move(series.labels), batch.ChunksOf(series)});
      }
      bytes += static_cast<std::int64_t>(batch.chunks.size() * sizeof(chunk::ChunkView));
      RETURN_IF_ERROR(all_->charge.Add(bytes, "series to be sorted without replica labels"));
      all_->chunks.push_back(
          std::move(batch.chunks));  // a moved vector keeps its elements in place
      std::move(batch.owners.begin(), batch.owners.end(), std::back_inserter(all_->owners));
      std::move(batch.warnings.begin(), batch.warnings.end(), std::back_inserter(all_->warnings));
    }
    std::stable_sort(all_->rows.begin(), all_->rows.end(),
                     [](const Row& a, const Row& b) { return a.labels < b.labels; });
    return OkStatus();
  }

  const Context context_;
  std::unique_ptr<SeriesStream> stream_;
  const std::vector<std::string> labels_;
  std::shared_ptr<All> all_;
  std::size_t position_ = 0;
  Status status_;
};

}  // namespace

std::unique_ptr<SeriesStream> SortWithoutLabels(const Context& context,
                                                std::unique_ptr<SeriesStream> stream,
                                                std::vector<std::string> labels) {
  return std::make_unique<SortedStream>(context, std::move(stream), std::move(labels));
}

}  // namespace aevum::store
