// The postings codec with its metrics: thanos_bucket_store_cached_postings_*.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "base/context.h"
#include "base/status.h"
#include "net/metrics/bounded_label.h"
#include "tsdb/postings.h"

namespace prometheus {
class Counter;
class Registry;
template <typename T>
class Family;
}  // namespace prometheus

namespace aevum::storegateway {

// What storegateway/postings_codec.h does, counted by tenant. Thread-safe.
class MeasuredPostingsCodec {
 public:
  explicit MeasuredPostingsCodec(prometheus::Registry& metrics);

  std::string Encode(const Context& context, std::span<const tsdb::SeriesRef> postings);
  StatusOr<tsdb::Postings> Decode(const Context& context, std::string_view bytes, std::size_t most);

 private:
  using Counters = prometheus::Family<prometheus::Counter>;

  Counters& calls_;
  Counters& errors_;
  Counters& seconds_;
  Counters& original_bytes_;
  Counters& compressed_bytes_;
  net::BoundedLabel tenants_;
};

}  // namespace aevum::storegateway
