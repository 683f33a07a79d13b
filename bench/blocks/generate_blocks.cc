// Fills a filesystem bucket with made-up blocks.
#include <algorithm>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <map>
#include <string>
#include <string_view>

#include "base/status.h"
#include "bench_block.h"
#include "block_data.h"

namespace aevum::bench {
namespace {

constexpr const char* kUsage = R"(usage: generate_blocks --bucket=DIRECTORY [--NAME=NUMBER ...]

Writes blocks into a filesystem bucket, the same ones for the same arguments.

  --shape=NAME     counters, churn, sparse or kubernetes (counters)
  --blocks=N       blocks, one behind the other in time (1)
  --streams=N      external label sets, each with so many blocks (1)
  --series=N       series of each block (1000)
  --metrics=N      metric names that they are spread over (1)
  --codes=N        values of the label "code" that those of a name are spread over (1)
  --samples=N      samples of a series in a block (480)
  --interval=MS    from one to the next (15000)
  --start=MS       Unix time of the first block (1700000000000)
  --seed=N         (1)
)";

struct Arguments {
  std::string bucket;
  std::uint64_t blocks = 1;
  std::uint64_t streams = 1;
  BlockDataOptions data{.start = 1'700'000'000'000};
};

StatusOr<std::uint64_t> ParseNumber(std::string_view name, std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size())
    return InvalidArgument("--{} wants a number, not \"{}\"", name, text);
  return number;
}

StatusOr<Arguments> Parse(int argc, char** argv) {
  Arguments out;
  std::uint64_t start = 1'700'000'000'000;
  std::uint64_t interval = 15'000;
  const std::map<std::string_view, std::uint64_t*> numbers = {
      {"blocks", &out.blocks},        {"streams", &out.streams},  {"series", &out.data.series},
      {"metrics", &out.data.metrics}, {"codes", &out.data.codes}, {"samples", &out.data.samples},
      {"interval", &interval},        {"start", &start},          {"seed", &out.data.seed}};
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    const std::size_t equals = std::min(argument.find('='), argument.size());
    const std::string_view name =
        argument.substr(0, equals).substr(std::min<std::size_t>(2, equals));
    const std::string_view value = argument.substr(std::min(equals + 1, argument.size()));
    if (!argument.starts_with("--") || equals == argument.size())
      return InvalidArgument("\"{}\" is no --NAME=VALUE", argument);
    if (name == "bucket") {
      out.bucket = value;
    } else if (name == "shape") {
      const std::optional<Shape> shape = ShapeNamed(value);
      if (!shape) return InvalidArgument("there is no shape \"{}\"", value);
      out.data.shape = *shape;
    } else if (const auto number = numbers.find(name); number != numbers.end()) {
      ASSIGN_OR_RETURN(*number->second, ParseNumber(name, value));
    } else {
      return InvalidArgument("there is no --{}", name);
    }
  }
  if (out.bucket.empty()) return InvalidArgument("--bucket is missing");
  if (out.data.series == 0 || out.data.metrics == 0 || out.data.codes == 0 || interval == 0)
    return InvalidArgument("series, metrics, codes and interval are at least 1");
  out.data.start = static_cast<TimestampMs>(start);
  out.data.interval_ms = static_cast<TimestampMs>(interval);
  return out;
}

Status Generate(const Arguments& arguments) {
  const auto range = static_cast<TimestampMs>(arguments.data.samples) * arguments.data.interval_ms;
  std::uint64_t series = 0;
  std::uint64_t samples = 0;
  for (std::uint64_t i = 0; i < arguments.blocks * arguments.streams; ++i) {
    BlockDataOptions options = arguments.data;
    options.start += static_cast<TimestampMs>(i / arguments.streams) * range;
    const std::string stream = fmt::format("bench-{}", i % arguments.streams);
    ASSIGN_OR_RETURN(const block::Meta meta,
                     WriteBenchBlock(arguments.bucket, BenchUlid(options.start, options.seed, i),
                                     BlockData(options), {{"cluster", stream}, {"replica", "0"}}));
    series += meta.stats.series;
    samples += meta.stats.samples;
  }
  fmt::print("blocks {} series {} samples {} from {} to {}\n", arguments.blocks * arguments.streams,
             series, samples, arguments.data.start,
             arguments.data.start + static_cast<TimestampMs>(arguments.blocks) * range);
  return OkStatus();
}

int Main(int argc, char** argv) {
  const StatusOr<Arguments> arguments = Parse(argc, argv);
  if (!arguments.ok()) {
    fmt::print(stderr, "generate_blocks: {}\n{}", arguments.status().message(), kUsage);
    return 2;
  }
  if (const Status status = Generate(*arguments); !status.ok()) {
    fmt::print(stderr, "generate_blocks: {}\n", status.message());
    return 1;
  }
  return 0;
}

}  // namespace
}  // namespace aevum::bench

int main(int argc, char** argv) { return aevum::bench::Main(argc, argv); }
