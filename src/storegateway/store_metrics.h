// The metrics of the gateway's requests: thanos_bucket_store_*.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <string>

#include "storegateway/request_reads.h"

namespace prometheus {
class Counter;
class Histogram;
class Registry;
template <typename T>
class Family;
}  // namespace prometheus

namespace aevum::storegateway {

// Thread-safe.
class StoreMetrics {
 public:
  explicit StoreMetrics(prometheus::Registry& registry);

  // At the end of a Series call.
  void SeriesEnded(const std::string& tenant, const RequestReads& reads, std::size_t blocks,
                   std::size_t series, std::chrono::nanoseconds taken);
  // A request that its limit on bytes ended.
  void Refused(const std::string& tenant);

 private:
  using Histograms = prometheus::Family<prometheus::Histogram>;

  Histograms& touched_;
  Histograms& fetched_;
  Histograms& touched_bytes_;
  Histograms& fetched_bytes_;
  Histograms& blocks_;
  Histograms& series_;
  Histograms& seconds_;
  prometheus::Family<prometheus::Counter>& dropped_;
};

}  // namespace aevum::storegateway
