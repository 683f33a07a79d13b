#include "storegateway/measured_postings_codec.h"

#include <chrono>

#include <prometheus/counter.h>
#include <prometheus/registry.h>

#include "storegateway/postings_codec.h"

namespace aevum::storegateway {
namespace {

using SteadyClock = std::chrono::steady_clock;

prometheus::Family<prometheus::Counter>& FamilyOf(prometheus::Registry& metrics, const char* name,
                                                  const char* help) {
  return prometheus::BuildCounter()
      .Name(std::string("thanos_bucket_store_cached_postings_") + name)
      .Help(help)
      .Register(metrics);
}

double SecondsSince(SteadyClock::time_point began) {
  return std::chrono::duration<double>(SteadyClock::now() - began).count();
}

}  // namespace

MeasuredPostingsCodec::MeasuredPostingsCodec(prometheus::Registry& metrics)
    : calls_(FamilyOf(metrics, "compressions_total", "Postings encoded and decoded for caches.")),
      errors_(FamilyOf(metrics, "compression_errors_total",
                       "Postings of caches that could not be encoded or decoded.")),
      seconds_(FamilyOf(metrics, "compression_time_seconds_total",
                        "Time spent encoding and decoding postings for caches.")),
      original_bytes_(FamilyOf(metrics, "original_size_bytes_total",
                               "Bytes of postings before they were encoded.")),
      compressed_bytes_(
          FamilyOf(metrics, "compressed_size_bytes_total", "Bytes of encoded postings.")) {}

std::string MeasuredPostingsCodec::Encode(const Context& context,
                                          std::span<const tsdb::SeriesRef> postings) {
  const auto began = SteadyClock::now();
  std::string encoded = EncodePostings(postings);
  const std::string tenant = tenants_.Of(context.request().tenant);
  const prometheus::Labels labels = {{"op", "encode"}, {"tenant", tenant}};
  calls_.Add(labels).Increment();
  seconds_.Add(labels).Increment(SecondsSince(began));
  original_bytes_.Add({{"tenant", tenant}})
      .Increment(static_cast<double>(postings.size() * sizeof(tsdb::SeriesRef)));
  compressed_bytes_.Add({{"tenant", tenant}}).Increment(static_cast<double>(encoded.size()));
  return encoded;
}

StatusOr<tsdb::Postings> MeasuredPostingsCodec::Decode(const Context& context,
                                                       std::string_view bytes, std::size_t most) {
  const auto began = SteadyClock::now();
  StatusOr<tsdb::Postings> postings = DecodeCachedPostings(bytes, most);
  const prometheus::Labels labels = {{"op", "decode"},
                                     {"tenant", tenants_.Of(context.request().tenant)}};
  calls_.Add(labels).Increment();
  if (!postings.ok()) errors_.Add(labels).Increment();
  seconds_.Add(labels).Increment(SecondsSince(began));
  return postings;
}

}  // namespace aevum::storegateway
