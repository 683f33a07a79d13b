// How fast `tools bucket verify` checks segments, by the size of their chunks.
#include <cstdint>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include "encoding/byte_writer.h"
#include "encoding/crc32c.h"
#include "tools/verify/segment_scan.h"

namespace aevum::tools {
namespace {

constexpr std::size_t kSegmentBytes = 64 << 20;
// As a bucket in a directory gives them.
constexpr std::size_t kPieceBytes = 1 << 20;

struct Segment {
  std::string bytes{"\x85\xBD\x40\xDD\x01\0\0\0", 8};
  std::vector<std::uint32_t> offsets;
};

Segment MakeSegment(std::size_t chunk_bytes) {
  Segment segment;
  std::uint64_t random = 1;
  while (segment.bytes.size() < kSegmentBytes) {
    segment.offsets.push_back(static_cast<std::uint32_t>(segment.bytes.size()));
    encoding::PutUvarint(segment.bytes, chunk_bytes);
    std::string body = "\x01";
    while (body.size() <= chunk_bytes) {
      random = random * 6'364'136'223'846'793'005ULL + 1'442'695'040'888'963'407ULL;
      body += static_cast<char>(random >> 56);
    }
    segment.bytes += body;
    encoding::PutU32(segment.bytes, encoding::Crc32c(body));
  }
  return segment;
}

void BM_ScanSegment(benchmark::State& state) {
  const Segment segment = MakeSegment(static_cast<std::size_t>(state.range(0)));
  for (auto _ : state) {
    SegmentScan scan(segment.offsets);
    bool ok = scan.Start(-1).ok();
    for (std::size_t at = 0; at < segment.bytes.size(); at += kPieceBytes)
      ok = ok && scan.Write(std::string_view(segment.bytes).substr(at, kPieceBytes)).ok();
    if (!ok || !scan.Finish().ok()) state.SkipWithError("the segment is whole");
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(segment.bytes.size()));
}
// A gauge that hardly changes, a counter, a native histogram.
BENCHMARK(BM_ScanSegment)->Arg(30)->Arg(150)->Arg(1000);

}  // namespace
}  // namespace aevum::tools
