// The StoreAPI as C++: whatever holds series answers these four questions.
#pragma once

#include <memory>
#include <string>

#include "base/context.h"
#include "base/status.h"
#include "wire/store_api.h"

namespace aevum::store {

// The answer to a Series call, pulled by one thread at a time.
class SeriesStream {
 public:
  virtual ~SeriesStream() = default;
  // Replaces `batch` by the next series in ascending order of labels, with the warnings that came
  // meanwhile. False at the end, when `batch` may still hold warnings. An error ends the stream and
  // is given again by later calls. A batch holds some 64 to 1,000 series or 64 KiB or more.
  virtual StatusOr<bool> Next(wire::SeriesBatch* batch) = 0;
  // After an error of a remote store: the memory budget of the request could not hold what it sent.
  virtual bool over_budget() const { return false; }
};

// A gRPC client, a local TSDB, a bucket, a Prometheus behind remote read, the fan-out proxy. The
// context of a call is copied by what outlives the call. Implementations are thread-safe.
class Store {
 public:
  virtual ~Store() = default;

  // Series that match and have samples in [min_time, max_time], both inclusive, each label set
  // once, all its chunks together. With request.without_replica_labels these labels are gone and
  // the order is that of what remains; series that became equal follow one another.
  virtual StatusOr<std::unique_ptr<SeriesStream>> Series(const Context& context,
                                                         const wire::SeriesRequest& request) = 0;
  virtual StatusOr<wire::LabelsResponse> LabelNames(const Context& context,
                                                    const wire::LabelNamesRequest& request) = 0;
  virtual StatusOr<wire::LabelsResponse> LabelValues(const Context& context,
                                                     const wire::LabelValuesRequest& request) = 0;
  virtual StatusOr<wire::InfoResponse> Info(const Context& context) = 0;
};

}  // namespace aevum::store
