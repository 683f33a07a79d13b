#include "sidecar/remote_read_stream.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <prometheus/histogram.h>

#include <condition_variable>
#include <cstring>
#include <mutex>

#include "chunk/xor.h"
#include "encoding/crc32c.h"
#include "encoding/proto_wire.h"
#include "encoding/snappy.h"

namespace aevum::sidecar {
namespace {

using namespace std::chrono_literals;
using encoding::PutBytesField;
using encoding::PutInt64Field;
using model::Labels;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr std::string_view kFrames =
    "application/x-streamed-protobuf; proto=prometheus.ChunkedReadResponse";
constexpr std::string_view kSamples = "application/x-protobuf";

std::string EncodeLabels(const Labels& labels) {
  std::string out;
  for (const model::Label label : labels) {
    std::string pair;
    PutBytesField(pair, 1, label.name);
    PutBytesField(pair, 2, label.value);
    PutBytesField(out, 1, pair);
  }
  return out;
}

// A frame with one series of chunks that begin at the given times.
std::string Frame(const Labels& labels, const std::vector<TimestampMs>& times,
                  std::size_t chunk_size = 10) {
  std::string series = EncodeLabels(labels);
  for (const TimestampMs time : times) {
    std::string chunk;
    PutInt64Field(chunk, 1, time);
    PutInt64Field(chunk, 2, time + 9);
    PutInt64Field(chunk, 3, 1);
    PutBytesField(chunk, 4, std::string(chunk_size, 'c'));
    PutBytesField(series, 2, chunk);
  }
  std::string message;
  PutBytesField(message, 1, series);
  std::string frame;
  for (std::size_t size = message.size();; size >>= 7) {
    frame += static_cast<char>((size & 0x7f) | (size > 0x7f ? 0x80 : 0));
    if (size <= 0x7f) break;
  }
  const std::uint32_t crc = encoding::Crc32c(message);
  for (int shift = 24; shift >= 0; shift -= 8) frame += static_cast<char>(crc >> shift);
  return frame + message;
}

// A source that gives a body in pieces.
RemoteReadSource Body(std::string_view type, std::string body, std::size_t piece,
                      Status end = OkStatus()) {
  return [=](const Context& context, const auto& on_type, const auto& on_piece) -> Status {
    RETURN_IF_ERROR(on_type(type));
    for (std::size_t at = 0; at < body.size(); at += piece) {
      RETURN_IF_ERROR(context.status());
      RETURN_IF_ERROR(on_piece(std::string_view(body).substr(at, piece)));
    }
    return end;
  };
}

class RemoteReadStreamTest : public ::testing::Test {
 protected:
  std::unique_ptr<RemoteReadStream> Open(RemoteReadSource source, RemoteReadOptions options = {},
                                         const Context& context = Context::Background()) {
    if (options.rewriting == nullptr) {
      options.rewriting = std::make_shared<const LabelRewriting>(Labels::Of({{"z", "ext"}}),
                                                                 std::vector<std::string>());
      options.mode = SeriesOrder::Mode::kStreaming;
    }
    return std::make_unique<RemoteReadStream>(context, std::move(source), std::move(options),
                                              frames_);
  }

  prometheus::Histogram frames_{prometheus::Histogram::BucketBoundaries{10, 100}};
};

struct Result {
  std::vector<Labels> labels;
  std::vector<std::size_t> chunks;
  Status status;
};

Result Drain(store::SeriesStream& stream) {
  Result result;
  wire::SeriesBatch batch;
  while (true) {
    const StatusOr<bool> more = stream.Next(&batch);
    if (!more.ok()) {
      result.status = more.status();
      return result;
    }
    for (const auto& series : batch.series) {
      result.labels.push_back(series.labels);
      result.chunks.push_back(series.chunk_count);
    }
    if (!*more) return result;
  }
}

TEST_F(RemoteReadStreamTest, GivesTheSeriesOfFramesInPiecesOfAnySize) {
  const std::string body = Frame(Labels::Of({{"a", "1"}}), {0, 10}) +
                           Frame(Labels::Of({{"a", "1"}}), {20}) +
                           Frame(Labels::Of({{"a", "1"}, {"b", "1"}}), {0}) +
                           Frame(Labels::Of({{"b", "1"}, {"z", "ext"}}), {0});
  for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, std::size_t{10'000}}) {
    auto stream = Open(Body(kFrames, body, piece));
    const Result result = Drain(*stream);
    ASSERT_TRUE(result.status.ok()) << result.status;
    EXPECT_THAT(result.labels, ElementsAre(Labels::Of({{"a", "1"}, {"b", "1"}, {"z", "ext"}}),
                                           Labels::Of({{"a", "1"}, {"z", "ext"}}),
                                           Labels::Of({{"b", "1"}, {"z", "ext"}})));
    EXPECT_THAT(result.chunks, ElementsAre(1, 3, 1));
    wire::SeriesBatch batch;
    EXPECT_FALSE(*stream->Next(&batch));
  }
  EXPECT_EQ(frames_.Collect().histogram.sample_count, 3u);
  EXPECT_EQ(frames_.Collect().histogram.sample_sum, 12);
}

TEST_F(RemoteReadStreamTest, KeepsChunksAliveAfterTheStream) {
  wire::SeriesBatch batch;
  {
    auto stream = Open(Body(kFrames, Frame(Labels::Of({{"a", "1"}}), {5}), 100));
    ASSERT_TRUE(*stream->Next(&batch));
  }
  ASSERT_EQ(batch.chunks.size(), 1u);
  EXPECT_EQ(batch.chunks[0].data, "cccccccccc");
  EXPECT_EQ(batch.chunks[0].min_time, 5);
  EXPECT_EQ(batch.chunks[0].max_time, 14);
  EXPECT_EQ(batch.chunks[0].encoding, chunk::Encoding::kXor);
}

TEST_F(RemoteReadStreamTest, NamesWhatIsWrongWithAnAnswer) {
  const std::string good = Frame(Labels::Of({{"a", "1"}}), {0});
  std::string flipped = good;
  flipped.back() = 'x';
  struct Case {
    std::string name;
    std::string_view type;
    std::string body;
    Status end;
    StatusCode code;
    std::string message;
  };
  const Case cases[] = {
      {"cut", kFrames, good + good.substr(0, 20), {}, StatusCode::kDataLoss, "within a frame"},
      {"checksum", kFrames, good + flipped, {}, StatusCode::kDataLoss, "checksum"},
      {"no size", kFrames, std::string(20, '\xff'), {}, StatusCode::kDataLoss, "size"},
      {"transfer", kFrames, good, Unavailable("gone"), StatusCode::kUnavailable, "gone"},
      {"type", "text/html", "<html>", {}, StatusCode::kUnavailable, "text/html"},
      {"samples that are none", kSamples, "garbage", {}, StatusCode::kDataLoss, ""},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    auto stream = Open(Body(c.type, c.body, 1000, c.end));
    const Result result = Drain(*stream);
    EXPECT_EQ(result.status.code(), c.code) << result.status;
    EXPECT_THAT(std::string(result.status.message()), HasSubstr(c.message));
    wire::SeriesBatch batch;
    EXPECT_EQ(stream->Next(&batch).status().code(), c.code);  // the error stays
  }
}

// Fixed64, which the wire layer only reads.
void PutDouble(std::string& out, int field, double value) {
  out += static_cast<char>(field << 3 | 1);
  char bytes[sizeof value];
  std::memcpy(bytes, &value, sizeof value);  // little endian, as the machines of the tests
  out.append(bytes, sizeof bytes);
}

std::string Samples(const std::vector<std::pair<Labels, int>>& all, bool with_histogram = false) {
  std::string result;
  for (const auto& [labels, count] : all) {
    std::string series = EncodeLabels(labels);
    for (int i = 0; i < count; ++i) {
      std::string sample;
      PutDouble(sample, 1, i * 0.5);
      PutInt64Field(sample, 2, 1000 + i);
      PutBytesField(series, 2, sample);
    }
    if (with_histogram) PutBytesField(series, 4, "");
    PutBytesField(result, 1, series);
  }
  std::string response;
  PutBytesField(response, 1, result);
  return encoding::SnappyCompress(response);
}

TEST_F(RemoteReadStreamTest, EncodesAndSortsAnswersOfSamples) {
  const std::string body = Samples({{Labels::Of({{"b", "1"}}), 250},
                                    {Labels::Of({{"a", "1"}}), 1},
                                    {Labels::Of({{"none", "1"}}), 0}});
  auto stream = Open(Body(kSamples, body, 100));
  wire::SeriesBatch batch;
  ASSERT_TRUE(*stream->Next(&batch));
  ASSERT_EQ(batch.series.size(), 2u);
  EXPECT_EQ(batch.series[0].labels, Labels::Of({{"a", "1"}, {"z", "ext"}}));
  const auto chunks = batch.ChunksOf(batch.series[1]);
  ASSERT_EQ(chunks.size(), 3u);
  EXPECT_EQ(chunks[0].min_time, 1000);
  EXPECT_EQ(chunks[0].max_time, 1119);
  EXPECT_EQ(chunks[2].max_time, 1249);
  chunk::Columns columns;
  for (const auto& chunk : chunks) {
    EXPECT_LE(chunk::ClaimedSamples(chunk.encoding, chunk.data), 120u);
    ASSERT_TRUE(chunk::Decode(chunk.encoding, chunk.data, &columns).ok());
  }
  ASSERT_EQ(columns.times.size(), 250u);
  for (std::size_t i = 0; i < 250; ++i) {
    EXPECT_EQ(columns.times[i], 1000 + static_cast<TimestampMs>(i));
    EXPECT_EQ(columns.values[i], static_cast<double>(i) * 0.5);
  }
  EXPECT_FALSE(*stream->Next(&batch));
  EXPECT_EQ(frames_.Collect().histogram.sample_count, 0u);
}

TEST_F(RemoteReadStreamTest, RefusesHistogramsAsSamples) {
  auto stream = Open(Body(kSamples, Samples({{Labels::Of({{"a", "1"}}), 1}}, true), 100));
  const Result result = Drain(*stream);
  EXPECT_EQ(result.status.code(), StatusCode::kUnimplemented);
  EXPECT_THAT(std::string(result.status.message()), HasSubstr("native histograms"));
}

TEST_F(RemoteReadStreamTest, HoldsPrometheusBackWhenNobodyReads) {
  // Far more than the queue holds: the source gets on only as the stream is read.
  std::mutex mutex;
  std::condition_variable changed;
  std::size_t sent = 0;
  constexpr std::size_t kFrameCount = 2000;
  RemoteReadSource source = [&](const Context& context, const auto& on_type,
                                const auto& on_piece) -> Status {
    RETURN_IF_ERROR(on_type(kFrames));
    for (std::size_t i = 0; i < kFrameCount; ++i) {
      RETURN_IF_ERROR(context.status());
      RETURN_IF_ERROR(on_piece(Frame(Labels::Of({{"a", fmt::format("{:06}", i)}}), {0}, 4096)));
      std::lock_guard lock(mutex);
      ++sent;
      changed.notify_all();
    }
    return OkStatus();
  };
  const auto budget = std::make_shared<MemoryBudget>("test", 64 << 20);
  {
    auto stream = Open(source, {}, Context::Background().WithBudget(budget));
    {
      std::unique_lock lock(mutex);
      ASSERT_TRUE(changed.wait_for(lock, 20s, [&] { return sent >= 200; }));
    }
    // 1 MiB in the queue, two blocks of 64 KiB under way.
    EXPECT_LT(budget->peak_bytes(), 2 << 20);
    const Result result = Drain(*stream);
    ASSERT_TRUE(result.status.ok()) << result.status;
    EXPECT_EQ(result.labels.size(), kFrameCount);
    EXPECT_LT(budget->peak_bytes(), 3 << 20);
  }
  EXPECT_EQ(budget->used_bytes(), 0);
}

TEST_F(RemoteReadStreamTest, EndsAtOnceWhenNobodyWantsIt) {
  // A source that only the cancellation ends.
  RemoteReadSource endless = [](const Context& context, const auto& on_type,
                                const auto& on_piece) -> Status {
    RETURN_IF_ERROR(on_type(kFrames));
    for (std::size_t i = 0;; ++i) {
      RETURN_IF_ERROR(context.status());
      RETURN_IF_ERROR(on_piece(Frame(Labels::Of({{"a", fmt::format("{:09}", i)}}), {0}, 4096)));
    }
  };
  {
    const auto never_read = Open(endless);
  }
  {
    wire::SeriesBatch batch;
    const auto read_once = Open(endless);
    EXPECT_TRUE(*read_once->Next(&batch));
  }
  RemoteReadOptions options;
  options.rewriting = std::make_shared<const LabelRewriting>(Labels(), std::vector<std::string>());
  options.mode = SeriesOrder::Mode::kStreaming;
  options.limit = 1000;
  const auto limited = Open(endless, options);
  const Result result = Drain(*limited);
  EXPECT_TRUE(result.status.ok()) << result.status;
  EXPECT_EQ(result.labels.size(), 1000u);
}

TEST_F(RemoteReadStreamTest, EndsWithItsContext) {
  RemoteReadSource hanging = [](const Context& context, const auto& on_type,
                                const auto&) -> Status {
    RETURN_IF_ERROR(on_type(kFrames));
    std::mutex mutex;
    std::condition_variable_any wake;
    std::unique_lock lock(mutex);
    wake.wait_until(lock, context.stop_token(), context.deadline(), [] { return false; });
    return context.status();
  };
  const auto late = Open(hanging, {}, Context::Background().WithTimeout(1ms));
  EXPECT_EQ(Drain(*late).status.code(), StatusCode::kDeadlineExceeded);
  CancelScope scope(Context::Background());
  const auto cancelled = Open(hanging, {}, scope.context());
  scope.Cancel();
  EXPECT_EQ(Drain(*cancelled).status.code(), StatusCode::kCancelled);
}

TEST_F(RemoteReadStreamTest, EndsWhenTheBudgetIsUsedUp) {
  std::string body;
  for (int i = 0; i < 100; ++i)
    body += Frame(Labels::Of({{"a", fmt::format("{:04}", i)}}), {0}, 4096);
  const auto budget = std::make_shared<MemoryBudget>("query", 100'000);
  const Context context = Context::Background().WithBudget(budget);
  RemoteReadOptions options;
  options.rewriting =
      std::make_shared<const LabelRewriting>(Labels::Of({{"a", "0"}}), std::vector<std::string>());
  options.mode = SeriesOrder::Mode::kSorting;
  {
    const auto stream = Open(Body(kFrames, body, 1000), options, context);
    EXPECT_EQ(Drain(*stream).status.code(), StatusCode::kResourceExhausted);
  }
  EXPECT_EQ(budget->used_bytes(), 0);
}

}  // namespace
}  // namespace aevum::sidecar
