// Writing a matrix as JSON: 100 series of 1000 points, a point an item. With gzip the time of the
// compression is in it.
#include <cmath>
#include <memory>
#include <random>
#include <string>
#include <string_view>

#include <benchmark/benchmark.h>
#include <fmt/core.h>

#include "base/check.h"
#include "net/http/gzip.h"
#include "promql/engine/engine.h"
#include "query/json_writer.h"

namespace aevum::query {
namespace {

constexpr std::size_t kSeries = 100;
constexpr std::size_t kSteps = 1000;

// Values: integers (counters); decimals (two); rates (an increase divided by a window); random (0
// to 1).
promql::QueryResult MakeResult(std::string_view values) {
  std::mt19937_64 random(1);
  std::uniform_real_distribution<double> unit(0, 1);
  promql::QueryResult result;
  result.type = promql::ValueType::kMatrix;
  result.start = 1'762'218'065'123;
  result.step = 15'000;
  result.rows.Reset(kSteps, nullptr);
  for (std::size_t s = 0; s < kSeries; ++s) {
    const std::string instance = fmt::format("10.0.0.{}:9100", s);
    AEVUM_CHECK(result.rows
                    .Add(model::Labels::Of({{"__name__", "http_requests_total"},
                                            {"instance", instance},
                                            {"job", "node"}}),
                         "bench")
                    .ok());
    double counter = std::floor(unit(random) * 1e6);
    for (std::size_t k = 0; k < kSteps; ++k) {
      counter += std::floor(unit(random) * 1000);
      result.rows.present(s)[k] = 1;
      result.rows.values(s)[k] = values == "integer"    ? counter
                                 : values == "decimals" ? std::floor(unit(random) * 1e5) / 100
                                 : values == "rate"     ? std::floor(unit(random) * 1e4) / 285.0
                                                        : unit(random);
    }
  }
  return result;
}

void BM_Json(benchmark::State& state, std::string_view values, bool compressed) {
  const promql::QueryResult result = MakeResult(values);
  std::size_t bytes = 0;
  for (auto _ : state) {
    net::GzipStream gzip;
    std::string out;
    bytes = 0;
    JsonWriter writer([&](std::string_view piece) {
      if (compressed) {
        gzip.Compress(piece, net::GzipStream::End::kNo, &out);
        bytes += out.size();
        out.clear();
      } else {
        bytes += piece.size();
      }
      return true;
    });
    writer.QueryData(result, StatsDetail::kNone);
    AEVUM_CHECK(writer.Finish());
    if (compressed) gzip.Compress({}, net::GzipStream::End::kYes, &out);
    bytes += out.size();
  }
  const auto points = static_cast<double>(kSeries * kSteps);
  state.counters["ns/point"] =
      benchmark::Counter(static_cast<double>(state.iterations()) * points * 1e-9,
                         benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
  state.counters["bytes/point"] = static_cast<double>(bytes) / points;
}

BENCHMARK_CAPTURE(BM_Json, integer, "integer", false);
BENCHMARK_CAPTURE(BM_Json, decimals, "decimals", false);
BENCHMARK_CAPTURE(BM_Json, rate, "rate", false);
BENCHMARK_CAPTURE(BM_Json, random, "random", false);
BENCHMARK_CAPTURE(BM_Json, integer_gzip, "integer", true);
BENCHMARK_CAPTURE(BM_Json, rate_gzip, "rate", true);
BENCHMARK_CAPTURE(BM_Json, random_gzip, "random", true);

}  // namespace
}  // namespace aevum::query
