#include "storegateway/index_cache_metrics.h"

#include <prometheus/counter.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

namespace aevum::storegateway {
namespace {

// What requests without a tenant count for.
constexpr const char* kDefaultTenant = "default-tenant";

const prometheus::Histogram::BucketBoundaries kBytes = {
    32,      256,      512,      1 << 10,   32 << 10,  256 << 10, 512 << 10,
    1 << 20, 32 << 20, 64 << 20, 128 << 20, 256 << 20, 512 << 20};
const prometheus::Histogram::BucketBoundaries kSeconds = {0.01, 0.1, 0.3, 0.6, 1,  3,  6,  10,
                                                          15,   20,  30,  45,  60, 90, 120};

prometheus::Labels LabelsOf(IndexItem item, const std::string& tenant) {
  return {{"item_type", kIndexItemNames[static_cast<std::size_t>(item)]}, {"tenant", tenant}};
}

}  // namespace

IndexCacheMetrics::IndexCacheMetrics(prometheus::Registry& metrics)
    : requests_(prometheus::BuildCounter()
                    .Name("thanos_store_index_cache_requests_total")
                    .Help("Items of indexes that were looked for in the cache.")
                    .Register(metrics)),
      hits_(prometheus::BuildCounter()
                .Name("thanos_store_index_cache_hits_total")
                .Help("Items of indexes that were in the cache.")
                .Register(metrics)),
      stored_bytes_(prometheus::BuildHistogram()
                        .Name("thanos_store_index_cache_stored_data_size_bytes")
                        .Help("Bytes of items that were given to the cache.")
                        .Register(metrics)),
      seconds_(prometheus::BuildHistogram()
                   .Name("thanos_store_index_cache_fetch_duration_seconds")
                   .Help("How long looking for items took.")
                   .Register(metrics)) {
  for (std::size_t i = 0; i < kIndexItems; ++i) {
    const prometheus::Labels labels = LabelsOf(static_cast<IndexItem>(i), kDefaultTenant);
    requests_.Add(labels);
    hits_.Add(labels);
    seconds_.Add(labels, kSeconds);
  }
}

void IndexCacheMetrics::Fetched(const Context& context, IndexItem item, std::size_t asked,
                                std::size_t found, std::chrono::nanoseconds taken) {
  const std::string& tenant = context.request().tenant;
  const prometheus::Labels labels =
      LabelsOf(item, tenant.empty() ? kDefaultTenant : tenants_.Of(tenant));
  requests_.Add(labels).Increment(static_cast<double>(asked));
  hits_.Add(labels).Increment(static_cast<double>(found));
  seconds_.Add(labels, kSeconds).Observe(std::chrono::duration<double>(taken).count());
}

void IndexCacheMetrics::Stored(const Context& context, IndexItem item, std::size_t bytes) {
  const std::string& tenant = context.request().tenant;
  stored_bytes_.Add(LabelsOf(item, tenant.empty() ? kDefaultTenant : tenants_.Of(tenant)), kBytes)
      .Observe(static_cast<double>(bytes));
}

}  // namespace aevum::storegateway
