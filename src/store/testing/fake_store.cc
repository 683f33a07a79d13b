#include "store/testing/fake_store.h"

#include <algorithm>
#include <set>
#include <stop_token>
#include <utility>

#include "base/check.h"

namespace aevum::store::testing {
namespace {

class ListStream final : public SeriesStream {
 public:
  ListStream(std::vector<FakeSeries> series, std::size_t batch_size, Status end,
             std::vector<std::string> warnings)
      : series_(std::move(series)),
        batch_size_(batch_size),
        end_(std::move(end)),
        warnings_(std::move(warnings)) {}

  StatusOr<bool> Next(wire::SeriesBatch* batch) override {
    batch->Clear();
    batch->warnings = std::exchange(warnings_, {});
    const std::size_t end = std::min(series_.size(), position_ + batch_size_);
    for (; position_ < end; ++position_) {
      const FakeSeries& series = series_[position_];
      batch->series.push_back({.labels = series.labels,
                               .first_chunk = static_cast<std::uint32_t>(batch->chunks.size()),
                               .chunk_count = static_cast<std::uint32_t>(series.chunks.size())});
      batch->chunks.insert(batch->chunks.end(), series.chunks.begin(), series.chunks.end());
    }
    if (!batch->series.empty()) return true;
    RETURN_IF_ERROR(end_);
    return false;
  }

 private:
  const std::vector<FakeSeries> series_;
  const std::size_t batch_size_;
  const Status end_;
  std::vector<std::string> warnings_;
  std::size_t position_ = 0;
};

// Blocks at the end of another stream until its context ends.
class HangingStream final : public SeriesStream {
 public:
  HangingStream(const Context& context, std::unique_ptr<SeriesStream> stream)
      : context_(context), stream_(std::move(stream)) {}

  StatusOr<bool> Next(wire::SeriesBatch* batch) override {
    ASSIGN_OR_RETURN(const bool more, stream_->Next(batch));
    if (more) return true;
    std::stop_callback wake(context_.stop_token(), [this] {
      MutexLock lock(mutex_);
      wake_.notify_all();
    });
    MutexLock lock(mutex_);
    while (context_.status().ok()) {
      if (context_.deadline() == Context::TimePoint::max()) {
        lock.Wait(wake_);
      } else {
        lock.WaitUntil(wake_, context_.deadline());
      }
    }
    return context_.status();
  }

 private:
  const Context context_;
  std::unique_ptr<SeriesStream> stream_;
  Mutex mutex_;
  std::condition_variable wake_;
};

}  // namespace

StatusOr<std::unique_ptr<SeriesStream>> FakeStore::Series(const Context& context,
                                                          const wire::SeriesRequest& request) {
  {
    MutexLock lock(mutex_);
    requests_.push_back(request);
  }
  RETURN_IF_ERROR(call_error);
  RETURN_IF_ERROR(data_error);
  std::vector<FakeSeries> chosen;
  for (const FakeSeries& one : series) {
    if (!model::MatchesAll(request.matchers, one.labels)) continue;
    chosen.push_back(one);
    if (request.skip_chunks) chosen.back().chunks.clear();
    if (strips) {
      model::LabelsBuilder builder(one.labels);
      for (const std::string& name : request.without_replica_labels) builder.Remove(name);
      chosen.back().labels = builder.Build();
    }
  }
  if (sorts) {
    std::stable_sort(chosen.begin(), chosen.end(),
                     [](const FakeSeries& a, const FakeSeries& b) { return a.labels < b.labels; });
  }
  const bool cut = fail_after != SIZE_MAX;
  if (cut) chosen.resize(std::min(chosen.size(), fail_after));
  auto stream = StreamOf(std::move(chosen), batch_size, cut ? stream_error : OkStatus(), warnings);
  if (hangs) stream = std::make_unique<HangingStream>(context, std::move(stream));
  return stream;
}

StatusOr<wire::LabelsResponse> FakeStore::LabelNames(const Context& /*context*/,
                                                     const wire::LabelNamesRequest& request) {
  RETURN_IF_ERROR(call_error);
  RETURN_IF_ERROR(data_error);
  std::set<std::string> names;
  for (const FakeSeries& one : series) {
    if (!model::MatchesAll(request.matchers, one.labels)) continue;
    for (const model::Label label : one.labels) names.emplace(label.name);
  }
  return wire::LabelsResponse{
      .strings = {names.begin(), names.end()}, .warnings = warnings, .hints = {}};
}

StatusOr<wire::LabelsResponse> FakeStore::LabelValues(const Context& /*context*/,
                                                      const wire::LabelValuesRequest& request) {
  RETURN_IF_ERROR(call_error);
  RETURN_IF_ERROR(data_error);
  std::set<std::string> values;
  for (const FakeSeries& one : series) {
    if (!model::MatchesAll(request.matchers, one.labels)) continue;
    if (one.labels.Has(request.label)) values.emplace(one.labels.Get(request.label));
  }
  return wire::LabelsResponse{
      .strings = {values.begin(), values.end()}, .warnings = warnings, .hints = {}};
}

StatusOr<wire::InfoResponse> FakeStore::Info(const Context& /*context*/) {
  RETURN_IF_ERROR(call_error);
  return info;
}

std::vector<wire::SeriesRequest> FakeStore::series_requests() const {
  MutexLock lock(mutex_);
  return requests_;
}

std::unique_ptr<SeriesStream> StreamOf(std::vector<FakeSeries> series, std::size_t batch_size,
                                       Status end, std::vector<std::string> warnings) {
  return std::make_unique<ListStream>(std::move(series), batch_size, std::move(end),
                                      std::move(warnings));
}

wire::SeriesBatch Drain(SeriesStream& stream, Status* status) {
  wire::SeriesBatch all;
  wire::SeriesBatch batch;
  bool more = true;
  while (more) {
    StatusOr<bool> next = stream.Next(&batch);
    if (status != nullptr) *status = next.status();
    more = next.ok() && *next;
    if (!next.ok()) break;
    const auto offset = static_cast<std::uint32_t>(all.chunks.size());
    for (wire::SeriesBatch::Series series : batch.series) {
      series.first_chunk += offset;
      all.series.push_back(std::move(series));
    }
    all.chunks.insert(all.chunks.end(), batch.chunks.begin(), batch.chunks.end());
    all.owners.insert(all.owners.end(), batch.owners.begin(), batch.owners.end());
    all.warnings.insert(all.warnings.end(), batch.warnings.begin(), batch.warnings.end());
  }
  return all;
}

}  // namespace aevum::store::testing
