#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "wire/store_api.h"

namespace aevum::wire {
namespace {

using ::testing::ElementsAre;

SeriesBatch TwoSeries() {
  SeriesBatch batch;
  batch.chunks = {
      {.min_time = -1, .max_time = 5, .data = "abc", .encoding = chunk::Encoding::kXor},
      {.min_time = 6, .max_time = 9, .data = "", .encoding = chunk::Encoding::kFloatHistogram},
      {.min_time = 1,
       .max_time = 2,
       .data = "n",
       .encoding = chunk::Encoding::kXor,
       .aggregate = chunk::Aggregate::kCount},
      {.min_time = 1,
       .max_time = 2,
       .data = "s",
       .encoding = chunk::Encoding::kXor,
       .aggregate = chunk::Aggregate::kSum}};
  batch.series = {{model::Labels::Of({{"__name__", "up"}, {"job", std::string(300, 'j')}}), 0, 2},
                  {model::Labels::Of({{"__name__", "x"}}), 2, 2}};
  return batch;
}

TEST(SeriesResponseTest, RoundTrips) {
  const SeriesBatch batch = TwoSeries();
  SeriesBatch got;
  ASSERT_TRUE(
      DecodeSeriesResponse(SharedBytes::Own(EncodeSeriesResponse(batch, 0, 2, true)), &got).ok());
  ASSERT_TRUE(
      DecodeSeriesResponse(SharedBytes::Own(EncodeSeriesResponse(batch, 1, 2, false)), &got).ok());
  ASSERT_EQ(got.series.size(), 3U);
  EXPECT_EQ(got.owners.size(), 2U);
  for (const std::size_t i : {0, 1, 2}) {
    const SeriesBatch::Series& expected = batch.series[std::min<std::size_t>(i, 1)];
    EXPECT_EQ(got.series[i].labels, expected.labels);
    const auto chunks = got.ChunksOf(got.series[i]);
    const auto expected_chunks = batch.ChunksOf(expected);
    ASSERT_EQ(chunks.size(), expected_chunks.size());
    for (std::size_t c = 0; c < chunks.size(); ++c) {
      EXPECT_EQ(chunks[c].min_time, expected_chunks[c].min_time);
      EXPECT_EQ(chunks[c].max_time, expected_chunks[c].max_time);
      EXPECT_EQ(chunks[c].data, expected_chunks[c].data);
      EXPECT_EQ(chunks[c].encoding, expected_chunks[c].encoding);
      EXPECT_EQ(chunks[c].aggregate, expected_chunks[c].aggregate);
    }
  }
}

TEST(SeriesResponseTest, CarriesWarningsAndHints) {
  SeriesBatch batch;
  std::string hints;
  ASSERT_TRUE(
      DecodeSeriesResponse(SharedBytes::Own(EncodeWarningResponse("w")), &batch, &hints).ok());
  ASSERT_TRUE(
      DecodeSeriesResponse(SharedBytes::Own(EncodeHintsResponse("h")), &batch, &hints).ok());
  EXPECT_THAT(batch.warnings, ElementsAre("w"));
  EXPECT_EQ(hints, "h");
  EXPECT_TRUE(batch.owners.empty());
}

TEST(SeriesResponseTest, SortsLabels) {
  // A series with the labels b, a and an empty c.
  const std::string message(
      "\x0a\x17\x0a\x06\x0a\x01"
      "b"
      "\x12\x01"
      "2"
      "\x0a\x06\x0a\x01"
      "a"
      "\x12\x01"
      "1"
      "\x0a\x05\x0a\x01"
      "c"
      "\x12\x00",
      25);
  SeriesBatch batch;
  ASSERT_TRUE(DecodeSeriesResponse(SharedBytes::Own(message), &batch).ok());
  EXPECT_EQ(batch.series[0].labels, model::Labels::Of({{"a", "1"}, {"b", "2"}}));
}

TEST(SeriesResponseTest, ADamagedMessageAddsNothing) {
  const std::string good = EncodeSeriesResponse(TwoSeries(), 0, 2, true);
  for (std::size_t size = 1; size < good.size(); ++size) {
    SeriesBatch batch;
    const Status status = DecodeSeriesResponse(SharedBytes::Own(good.substr(0, size)), &batch);
    ASSERT_EQ(status.code(), StatusCode::kDataLoss) << size;
    ASSERT_TRUE(batch.series.empty() && batch.chunks.empty() && batch.owners.empty());
  }
  SeriesBatch batch;
  const std::string unknown_encoding("\x0a\x06\x12\x04\x1a\x02\x08\x07", 8);
  EXPECT_THAT(
      std::string(DecodeSeriesResponse(SharedBytes::Own(unknown_encoding), &batch).message()),
      ::testing::HasSubstr("unsupported chunk encoding of the StoreAPI: 7"));
}

}  // namespace
}  // namespace aevum::wire
