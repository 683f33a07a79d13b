// Series in memory as something that PromQL reads from, for tests and benchmarks.
#pragma once

#include <cstddef>
#include <map>
#include <memory>

#include "base/clock.h"
#include "model/histogram.h"
#include "model/labels.h"
#include "promql/queryable.h"

namespace aevum::promql {

// Holds whole columns, uncompressed. A select gives what its matchers match, whole: hints are
// ignored. Streams and batches share the series with the storage and stay valid when it is cleared.
//
// Selects may run beside one another, not beside a change.
class MemoryStorage final : public Queryable {
 public:
  // `batch_size`: series in a batch, at least 1.
  explicit MemoryStorage(std::size_t batch_size = 64) : batch_size_(batch_size) {}

  // Adds a sample; of two at the same time and of the same kind the later call wins. `start`: its
  // start timestamp, 0 when it is not known.
  void Append(const model::Labels& labels, TimestampMs time, double value, TimestampMs start = 0);
  void AppendHistogram(const model::Labels& labels, TimestampMs time,
                       model::FloatHistogram histogram, TimestampMs start = 0);
  // Gives counters the hints that Prometheus's storage would: no reset where a sample goes on in
  // the chunk of the one before it, else unknown. Gauges stay gauges.
  void DeriveResetHints();
  void Clear() { series_.clear(); }
  std::size_t size() const { return series_.size(); }
  void set_batch_size(std::size_t batch_size) { batch_size_ = batch_size; }

  StatusOr<std::unique_ptr<SelectStream>> Select(const Context& context,
                                                 const model::Matchers& matchers,
                                                 const SelectHints& hints) override;

 private:
  std::map<model::Labels, std::shared_ptr<chunk::Columns>> series_;
  std::size_t batch_size_;
};

}  // namespace aevum::promql
