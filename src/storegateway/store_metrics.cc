#include "storegateway/store_metrics.h"

#include <prometheus/counter.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

namespace aevum::storegateway {
namespace {

using Buckets = prometheus::Histogram::BucketBoundaries;

const Buckets kItemBuckets = {200,    400,    800,     1'600,   3'200,   6'400,    12'800,
                              25'600, 51'200, 102'400, 204'800, 409'600, 1'024'000};
const Buckets kByteBuckets = {1 << 10, 1 << 15, 1 << 18, 1 << 20, 1 << 22,
                              1 << 24, 1 << 26, 1 << 28, 1 << 30, 1LL << 32};
const Buckets kCountBuckets = {1,   2,   4,   8,     16,    32,     64,
                               128, 256, 512, 1'024, 8'192, 65'536, 524'288};
const Buckets kSecondBuckets = {0.001, 0.01, 0.1, 0.3, 0.6, 1, 3, 6, 9, 20, 30, 60, 90, 120};

prometheus::Family<prometheus::Histogram>& Make(prometheus::Registry& registry, const char* name,
                                                const char* help) {
  return prometheus::BuildHistogram()
      .Name(std::string("thanos_bucket_store_") + name)
      .Help(help)
      .Register(registry);
}

}  // namespace

StoreMetrics::StoreMetrics(prometheus::Registry& registry)
    : touched_(Make(registry, "series_data_touched",
                    "Items of a kind of data that a request used, from the bucket or a cache.")),
      fetched_(Make(registry, "series_data_fetched",
                    "Reads of the bucket that a request needed for a kind of data.")),
      touched_bytes_(Make(registry, "series_data_size_touched_bytes",
                          "Bytes of a kind of data that a request used.")),
      fetched_bytes_(Make(registry, "series_data_size_fetched_bytes",
                          "Bytes of a kind of data that a request read from the bucket.")),
      blocks_(Make(registry, "series_blocks_queried", "Blocks that a request needed.")),
      series_(Make(registry, "series_result_series", "Series of an answer.")),
      seconds_(Make(registry, "series_get_all_duration_seconds",
                    "How long an answer took from the request to its last series.")),
      dropped_(prometheus::BuildCounter()
                   .Name("thanos_bucket_store_queries_dropped_total")
                   .Help("Requests that a limit ended.")
                   .Register(registry)) {}

void StoreMetrics::SeriesEnded(const std::string& tenant, const RequestReads& reads,
                               std::size_t blocks, std::size_t series,
                               std::chrono::nanoseconds taken) {
  for (std::size_t i = 0; i < kDataTypes; ++i) {
    const auto type = static_cast<DataType>(i);
    const prometheus::Labels labels = {{"data_type", NameOf(type)}, {"tenant", tenant}};
    const RequestReads::Counts counts = reads.counts(type);
    touched_.Add(labels, kItemBuckets).Observe(static_cast<double>(counts.touched));
    fetched_.Add(labels, kItemBuckets).Observe(static_cast<double>(counts.fetched));
    touched_bytes_.Add(labels, kByteBuckets).Observe(static_cast<double>(counts.touched_bytes));
    fetched_bytes_.Add(labels, kByteBuckets).Observe(static_cast<double>(counts.fetched_bytes));
  }
  const prometheus::Labels labels = {{"tenant", tenant}};
  blocks_.Add(labels, kCountBuckets).Observe(static_cast<double>(blocks));
  series_.Add(labels, kCountBuckets).Observe(static_cast<double>(series));
  seconds_.Add(labels, kSecondBuckets).Observe(std::chrono::duration<double>(taken).count());
}

void StoreMetrics::Refused(const std::string& tenant) {
  dropped_.Add({{"reason", "bytes"}, {"tenant", tenant}}).Increment();
}

}  // namespace aevum::storegateway
