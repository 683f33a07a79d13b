// A store in memory, for tests: answers from a list, and fails on demand.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "store/store.h"

namespace aevum::store::testing {

struct FakeSeries {
  model::Labels labels;
  std::vector<chunk::ChunkView> chunks;  // the bytes must outlive the store, as literals do
};

// Thread-safe. Set the members before it is used.
class FakeStore final : public Store {
 public:
  explicit FakeStore(std::vector<FakeSeries> list = {}) : series(std::move(list)) {}

  // Filters by matchers, strips without_replica_labels when `strips`, sorts, and cuts into batches.
  StatusOr<std::unique_ptr<SeriesStream>> Series(const Context& context,
                                                 const wire::SeriesRequest& request) override;
  StatusOr<wire::LabelsResponse> LabelNames(const Context& context,
                                            const wire::LabelNamesRequest& request) override;
  StatusOr<wire::LabelsResponse> LabelValues(const Context& context,
                                             const wire::LabelValuesRequest& request) override;
  StatusOr<wire::InfoResponse> Info(const Context& context) override;

  std::vector<wire::SeriesRequest> series_requests() const;

  std::vector<FakeSeries> series;
  std::size_t batch_size = 2;
  bool strips = true;
  bool sorts = true;
  Status call_error;                  // of all calls, at once
  Status data_error;                  // of all but Info
  std::size_t fail_after = SIZE_MAX;  // series after which the stream gives `stream_error`
  Status stream_error;
  bool hangs = false;                 // after `fail_after` series, until the context ends
  std::vector<std::string> warnings;  // with the first batch
  wire::InfoResponse info;

 private:
  mutable Mutex mutex_;
  std::vector<wire::SeriesRequest> requests_ AEVUM_GUARDED_BY(mutex_);
};

// Gives batches of these series as they stand, `batch_size` at a time, then `end`.
std::unique_ptr<SeriesStream> StreamOf(std::vector<FakeSeries> series, std::size_t batch_size,
                                       Status end = OkStatus(),
                                       std::vector<std::string> warnings = {});

// Everything a stream gives, joined into one batch; its status at the end goes to `status`.
wire::SeriesBatch Drain(SeriesStream& stream, Status* status);

}  // namespace aevum::store::testing
