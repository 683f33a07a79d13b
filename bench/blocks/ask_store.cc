// Asks a store over gRPC, whoever's it is, and counts what comes.
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <limits>
#include <memory>
#include <string>
#include <string_view>

#include <prometheus/registry.h>

#include "base/context.h"
#include "base/status.h"
#include "net/grpc/client.h"
#include "store/grpc_client.h"

namespace aevum::bench {
namespace {

constexpr const char* kUsage =
    R"(usage: ask_store ADDRESS series|series-only|names|values NAME PATTERN [LABEL]

Asks the store at ADDRESS (host:port, no TLS) about the series whose label NAME matches the regular
expression PATTERN: the series with their chunks, the series alone, the names of their labels, or the
values of LABEL. Prints what came and how long it took.
)";

struct Count {
  std::uint64_t series = 0;
  std::uint64_t chunks = 0;
  std::uint64_t bytes = 0;  // of chunks
  std::uint64_t strings = 0;
  std::uint64_t warnings = 0;
};

Status CountSeries(const Context& context, store::Store& store, const model::Matchers& matchers,
                   bool with_chunks, Count* count) {
  wire::SeriesRequest request;
  request.min_time = 0;
  request.max_time = std::numeric_limits<std::int64_t>::max() / 2;
  request.matchers = matchers;
  request.aggregates = {wire::Aggr::kRaw};
  request.skip_chunks = !with_chunks;
  ASSIGN_OR_RETURN(const std::unique_ptr<store::SeriesStream> stream,
                   store.Series(context, request));
  wire::SeriesBatch batch;
  while (true) {
    ASSIGN_OR_RETURN(const bool more, stream->Next(&batch));
    count->series += batch.series.size();
    count->chunks += batch.chunks.size();
    for (const chunk::ChunkView& view : batch.chunks) count->bytes += view.data.size();
    for (const std::string& warning : batch.warnings) fmt::print(stderr, "warning: {}\n", warning);
    count->warnings += batch.warnings.size();
    if (!more) return OkStatus();
  }
}

Status CountStrings(StatusOr<wire::LabelsResponse> answer, Count* count) {
  if (!answer.ok()) return answer.status();
  count->strings = answer->strings.size();
  count->warnings = answer->warnings.size();
  return OkStatus();
}

Status Ask(store::Store& store, std::string_view what, const model::Matchers& matchers,
           const std::string& label, Count* count) {
  const Context context = Context::Background();
  constexpr TimestampMs kEnd = std::numeric_limits<std::int64_t>::max() / 2;
  if (what == "series" || what == "series-only")
    return CountSeries(context, store, matchers, what == "series", count);
  if (what == "names")
    return CountStrings(store.LabelNames(context, {.start = 0, .end = kEnd, .matchers = matchers}),
                        count);
  if (what == "values") {
    return CountStrings(
        store.LabelValues(context, {.label = label, .start = 0, .end = kEnd, .matchers = matchers}),
        count);
  }
  return InvalidArgument("there is no question \"{}\"", what);
}

Status Run(int argc, char** argv) {
  if (argc < 5) return InvalidArgument("too few arguments");
  ASSIGN_OR_RETURN(const model::Matcher matcher,
                   model::Matcher::Create(model::MatchType::kRegex, argv[3], argv[4]));
  net::grpc::ClientRuntime runtime(1, std::make_shared<prometheus::Registry>());
  store::GrpcStore store(
      std::make_shared<net::grpc::Channel>(runtime, net::grpc::ChannelOptions{.address = argv[1]}));
  const auto start = std::chrono::steady_clock::now();
  Count count;
  RETURN_IF_ERROR(Ask(store, argv[2], {matcher}, argc > 5 ? argv[5] : "", &count));
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  fmt::print("series {} chunks {} chunk_bytes {} strings {} warnings {} seconds {:.3f}\n",
             count.series, count.chunks, count.bytes, count.strings, count.warnings, took.count());
  return OkStatus();
}

}  // namespace
}  // namespace aevum::bench

int main(int argc, char** argv) {
  const aevum::Status status = aevum::bench::Run(argc, argv);
  if (status.ok()) return 0;
  fmt::print(stderr, "ask_store: {}\n{}", status.message(), aevum::bench::kUsage);
  return 1;
}
