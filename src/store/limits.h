// Bounds on what one Series call may answer.
#pragma once

#include <cstdint>
#include <memory>

#include "store/store.h"

namespace prometheus {
class Counter;
class Registry;
}  // namespace prometheus

namespace aevum::store {

struct SelectLimits {
  std::uint64_t series = 0;   // 0: unlimited
  std::uint64_t samples = 0;  // each chunk counts as 120; 0: unlimited
};

// A store whose Series calls end with ResourceExhausted when they pass a limit, and count in
// thanos_store_selects_dropped_total. The store must outlive this. Thread-safe.
class LimitedStore final : public Store {
 public:
  LimitedStore(Store& store, SelectLimits limits, std::shared_ptr<prometheus::Registry> metrics);

  StatusOr<std::unique_ptr<SeriesStream>> Series(const Context& context,
                                                 const wire::SeriesRequest& request) override;
  StatusOr<wire::LabelsResponse> LabelNames(const Context& context,
                                            const wire::LabelNamesRequest& request) override;
  StatusOr<wire::LabelsResponse> LabelValues(const Context& context,
                                             const wire::LabelValuesRequest& request) override;
  StatusOr<wire::InfoResponse> Info(const Context& context) override;

 private:
  Store& store_;
  const SelectLimits limits_;
  const std::shared_ptr<prometheus::Registry> metrics_;
  prometheus::Counter* dropped_series_;
  prometheus::Counter* dropped_chunks_;
};

}  // namespace aevum::store
