#include <random>

#include <benchmark/benchmark.h>

#include "storegateway/postings_codec.h"

namespace aevum::storegateway {
namespace {

// References of a block whose series take some 100 bytes each, of which one in `share` has a label.
tsdb::Postings Make(std::int64_t share) {
  std::mt19937 random(7);
  tsdb::Postings postings;
  std::uint32_t ref = 100;
  while (postings.size() < 1'000'000) {
    for (std::int64_t i = 0; i < share; ++i) ref += 6 + static_cast<std::uint32_t>(random()) % 3;
    postings.push_back(ref);
  }
  return postings;
}

void Encode(benchmark::State& state) {
  const tsdb::Postings postings = Make(state.range(0));
  std::size_t bytes = 0;
  for (auto _ : state) {
    const std::string encoded = EncodePostings(postings);
    bytes = encoded.size();
    benchmark::DoNotOptimize(encoded.data());
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(postings.size()));
  state.counters["bytes/posting"] = static_cast<double>(bytes) / 1'000'000;
}
BENCHMARK(Encode)->Arg(1)->Arg(30);

void Decode(benchmark::State& state) {
  const tsdb::Postings postings = Make(state.range(0));
  const std::string encoded = EncodePostings(postings);
  for (auto _ : state) {
    const auto decoded = DecodeCachedPostings(encoded, postings.size());
    if (!decoded.ok()) state.SkipWithError("wrong");
    benchmark::DoNotOptimize(decoded->data());
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(postings.size()));
}
BENCHMARK(Decode)->Arg(1)->Arg(30);

}  // namespace
}  // namespace aevum::storegateway
