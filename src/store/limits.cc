#include "store/limits.h"

#include <utility>

#include <prometheus/counter.h>
#include <prometheus/registry.h>

namespace aevum::store {
namespace {

// Prometheus cuts chunks at this number, so it bounds the samples without decoding.
constexpr std::uint64_t kSamplesPerChunk = 120;

class LimitedStream final : public SeriesStream {
 public:
  LimitedStream(std::unique_ptr<SeriesStream> stream, SelectLimits limits,
                prometheus::Counter* dropped_series, prometheus::Counter* dropped_chunks)
      : stream_(std::move(stream)),
        limits_(limits),
        dropped_series_(dropped_series),
        dropped_chunks_(dropped_chunks) {}

  StatusOr<bool> Next(wire::SeriesBatch* batch) override {
    RETURN_IF_ERROR(status_);
    ASSIGN_OR_RETURN(const bool more, stream_->Next(batch));
    status_ = Count(*batch);
    if (!status_.ok()) {
      batch->Clear();
      stream_.reset();
      return status_;
    }
    return more;
  }

 private:
  Status Count(const wire::SeriesBatch& batch) {
    for (const wire::SeriesBatch::Series& series : batch.series) {
      if (limits_.series != 0 && ++series_ > limits_.series) {
        dropped_series_->Increment();
        return ResourceExhausted("failed to send series: limit {} violated (got {})",
                                 limits_.series, series_);
      }
      samples_ += series.chunk_count * kSamplesPerChunk;
      if (limits_.samples != 0 && samples_ > limits_.samples) {
        dropped_chunks_->Increment();
        return ResourceExhausted("failed to send samples: limit {} violated (got {})",
                                 limits_.samples, samples_);
      }
    }
    return OkStatus();
  }

  std::unique_ptr<SeriesStream> stream_;
  const SelectLimits limits_;
  prometheus::Counter* const dropped_series_;
  prometheus::Counter* const dropped_chunks_;
  std::uint64_t series_ = 0;
  std::uint64_t samples_ = 0;
  Status status_;
};

}  // namespace

LimitedStore::LimitedStore(Store& store, SelectLimits limits,
                           std::shared_ptr<prometheus::Registry> metrics)
    : store_(store), limits_(limits), metrics_(std::move(metrics)) {
  auto& dropped = prometheus::BuildCounter()
                      .Name("thanos_store_selects_dropped_total")
                      .Help("Number of select queries that were dropped due to configured limits.")
                      .Register(*metrics_);
  dropped_series_ = &dropped.Add({{"reason", "series"}});
  dropped_chunks_ = &dropped.Add({{"reason", "chunks"}});
}

StatusOr<std::unique_ptr<SeriesStream>> LimitedStore::Series(const Context& context,
                                                             const wire::SeriesRequest& request) {
  ASSIGN_OR_RETURN(std::unique_ptr<SeriesStream> stream, store_.Series(context, request));
  if (limits_.series == 0 && limits_.samples == 0) return stream;
  return std::make_unique<LimitedStream>(std::move(stream), limits_, dropped_series_,
                                         dropped_chunks_);
}

StatusOr<wire::LabelsResponse> LimitedStore::LabelNames(const Context& context,
                                                        const wire::LabelNamesRequest& request) {
  return store_.LabelNames(context, request);
}

StatusOr<wire::LabelsResponse> LimitedStore::LabelValues(const Context& context,
                                                         const wire::LabelValuesRequest& request) {
  return store_.LabelValues(context, request);
}

StatusOr<wire::InfoResponse> LimitedStore::Info(const Context& context) {
  return store_.Info(context);
}

}  // namespace aevum::store
