// Prometheus's remote read: the request, and both forms of its answer.
//
// Source: prompb/remote.proto of Prometheus and its remote read documentation.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/status.h"
#include "model/labels.h"
#include "model/matcher.h"
#include "wire/series_batch.h"

namespace aevum::wire {

// One query; the protocol allows several, nobody sends them.
struct ReadQuery {
  TimestampMs start = 0;
  TimestampMs end = 0;  // inclusive
  model::Matchers matchers;
  std::int64_t step_ms = 0;
  std::int64_t range_ms = 0;
  std::string function;
  bool by = false;
  std::vector<std::string> grouping;
};

// The body of POST /api/v1/read, compressed with snappy: asks for streamed chunks, accepts samples.
std::string EncodeReadRequest(const ReadQuery& query);

// The Content-Type of an answer as streamed chunks begins with this.
inline constexpr std::string_view kStreamedChunksType = "application/x-streamed-protobuf";

// A series of an answer as samples.
struct SampledSeries {
  model::Labels labels;
  std::vector<TimestampMs> times;
  std::vector<double> values;
  std::size_t histograms = 0;  // how many native histograms it also has; they are not read
};

// Reads an answer as samples, compressed with snappy; at most `limit_bytes` uncompressed.
StatusOr<std::vector<SampledSeries>> DecodeSampledResponse(std::string_view body,
                                                           std::size_t limit_bytes);

// Reads an answer as streamed chunks from pieces of the body as they come:
//
//     size uvarint | crc32c u32 big-endian | ChunkedReadResponse of `size` bytes     ... repeated
//
// Series that continue over several frames come out once a frame. Holds at most one frame.
// Thread-compatible.
class ChunkedReadReader {
 public:
  // Frames larger than this are refused; Prometheus makes them of 1 MiB, or one series.
  static constexpr std::size_t kMaxFrame = 256 << 20;

  // Called with each whole frame: its series with undecoded chunks, whose views `batch.owners` keep
  // alive.
  using FrameSink = std::function<Status(SeriesBatch batch)>;
  explicit ChunkedReadReader(FrameSink sink) : sink_(std::move(sink)) {}

  // Corruption for a wrong checksum or a frame that is not one; errors of the sink. Both stick.
  Status Feed(std::string_view piece);
  // To be called at the end of the body: Corruption when it ended within a frame.
  Status Finish() const;

 private:
  Status TakeFrames();

  FrameSink sink_;
  std::string buffer_;

  Status status_;
};

}  // namespace aevum::wire
