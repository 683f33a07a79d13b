#include "wire/remote_read.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "encoding/crc32c.h"
#include "encoding/proto_wire.h"
#include "encoding/snappy.h"
#include "wire/label_codec.h"

namespace aevum::wire {
namespace {

using encoding::PutBytesField;
using encoding::PutInt64Field;
using ::testing::HasSubstr;

std::string ChunkedSeries(const model::Labels& labels, std::uint64_t encoding) {
  std::string chunk;
  PutInt64Field(chunk, 1, 10);
  PutInt64Field(chunk, 2, 20);
  PutInt64Field(chunk, 3, static_cast<std::int64_t>(encoding));
  PutBytesField(chunk, 4, "data");
  std::string series;
  PutLabels(series, labels);
  PutBytesField(series, 2, chunk);
  std::string response;
  PutBytesField(response, 1, series);
  return response;
}

std::string Frame(const std::string& message) {
  std::string frame;
  encoding::PutUvarint(frame, message.size());
  const std::uint32_t crc = encoding::Crc32c(message);
  for (const int shift : {24, 16, 8, 0}) frame += static_cast<char>(crc >> shift);
  return frame + message;
}

std::vector<SeriesBatch> ReadAll(const std::string& body, std::size_t piece, Status* status) {
  std::vector<SeriesBatch> batches;
  ChunkedReadReader reader([&](SeriesBatch batch) {
    batches.push_back(std::move(batch));
    return OkStatus();
  });
  *status = OkStatus();
  for (std::size_t i = 0; i < body.size() && status->ok(); i += piece)
    *status = reader.Feed(body.substr(i, piece));
  if (status->ok()) *status = reader.Finish();
  return batches;
}

TEST(ChunkedReadReaderTest, ReadsFramesInPiecesOfAnySize) {
  const model::Labels up = model::Labels::Of({{"__name__", "up"}});
  const model::Labels down = model::Labels::Of({{"__name__", std::string(500, 'd')}});
  const std::string body =
      Frame(ChunkedSeries(up, 1)) + Frame(ChunkedSeries(down, 2) + ChunkedSeries(up, 3));
  for (std::size_t piece = 1; piece <= body.size(); ++piece) {
    Status status;
    const std::vector<SeriesBatch> batches = ReadAll(body, piece, &status);
    ASSERT_TRUE(status.ok()) << status;
    ASSERT_EQ(batches.size(), 2U);
    EXPECT_EQ(batches[0].series[0].labels, up);
    EXPECT_EQ(batches[1].series[0].labels, down);
    EXPECT_EQ(batches[1].ChunksOf(batches[1].series[1])[0].encoding,
              chunk::Encoding::kFloatHistogram);
    EXPECT_EQ(batches[1].chunks[0].data, "data");
    EXPECT_EQ(batches[1].chunks[0].max_time, 20);
  }
}

TEST(ChunkedReadReaderTest, RefusesDamage) {
  const std::string good = Frame(ChunkedSeries(model::Labels::Of({{"a", "b"}}), 1));
  std::string flipped = good;
  flipped.back() ^= 1;
  struct Case {
    std::string body;
    std::string message;
  };
  const Case cases[] = {
      {flipped, "wrong checksum"},
      {good.substr(0, good.size() - 1), "ended within a frame"},
      {good.substr(0, 3), "ended within a frame"},
      {Frame(ChunkedSeries(model::Labels(), 9)), "unsupported chunk encoding of remote read: 9"},
      {Frame("\xff\xff"), "ChunkedReadResponse"},
      {std::string(12, '\xff'), "no size"},
      {"\xff\xff\xff\xff\xff\xff\xff\x7f", "too large"}};
  for (const Case& c : cases) {
    SCOPED_TRACE(c.message);
    Status status;
    ReadAll(c.body, 7, &status);
    EXPECT_EQ(status.code(), StatusCode::kDataLoss);
    EXPECT_THAT(std::string(status.message()), HasSubstr(c.message));
  }
}

TEST(ChunkedReadReaderTest, AnErrorOfTheSinkSticks) {
  ChunkedReadReader reader([](const SeriesBatch&) { return Unavailable("enough"); });
  const std::string frame = Frame(ChunkedSeries(model::Labels(), 1));
  EXPECT_EQ(reader.Feed(frame).message(), "enough");
  EXPECT_EQ(reader.Feed("").message(), "enough");
}

TEST(DecodeSampledResponseTest, ReadsSamples) {
  std::string series;
  PutLabels(series, model::Labels::Of({{"a", "b"}}));
  PutBytesField(series, 2, std::string("\x09\0\0\0\0\0\0\xf0\x3f\x10\x05", 11));
  PutBytesField(series, 4, "");
  std::string result;
  PutBytesField(result, 1, series);
  std::string response;
  PutBytesField(response, 1, result);
  const std::string body = encoding::SnappyCompress(response);
  const auto got = DecodeSampledResponse(body, 1 << 20);
  ASSERT_TRUE(got.ok()) << got.status();
  ASSERT_EQ(got->size(), 1U);
  EXPECT_EQ((*got)[0].labels, model::Labels::Of({{"a", "b"}}));
  EXPECT_EQ((*got)[0].times, std::vector<TimestampMs>{5});
  EXPECT_EQ((*got)[0].values, std::vector<double>{1.0});
  EXPECT_EQ((*got)[0].histograms, 1U);
  EXPECT_EQ(DecodeSampledResponse(body, 3).status().code(), StatusCode::kResourceExhausted);
  EXPECT_EQ(DecodeSampledResponse("junk", 1 << 20).status().code(), StatusCode::kDataLoss);
}

TEST(EncodeReadRequestTest, AsksForChunksFirst) {
  ReadQuery query;
  query.start = 1;
  query.end = 2;
  query.matchers = {model::Matcher::Equal("a", "b")};
  query.function = "rate";
  const std::string message = *encoding::SnappyDecompress(EncodeReadRequest(query), 1 << 20);
  EXPECT_THAT(message, HasSubstr(std::string("\x1a\x06\x12\x01"
                                             "a"
                                             "\x1a\x01"
                                             "b",
                                             8)));
  EXPECT_TRUE(message.ends_with(std::string("\x12\x02\x01\x00", 4)));
}

}  // namespace
}  // namespace aevum::wire
