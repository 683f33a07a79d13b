#include "chunk/plain.h"

#include <fstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "chunk/testing/vectors.h"

namespace aevum::chunk {
namespace {

std::vector<nlohmann::json> Vectors() {
  std::vector<nlohmann::json> vectors;
  std::ifstream file(AEVUM_SOURCE_DIR "/src/chunk/testdata/decode.jsonl");
  for (std::string line; std::getline(file, line);) vectors.push_back(nlohmann::json::parse(line));
  return vectors;
}

TEST(PlainTest, KeepsAllButStartTimes) {
  int rewritten = 0;
  for (const nlohmann::json& vector : Vectors()) {
    const auto encoding = static_cast<Encoding>(vector["enc"].get<int>());
    if (PlainEncoding(encoding) == encoding) continue;
    SCOPED_TRACE(vector["shape"].get<std::string>());
    const std::string bytes = testing::FromHex(vector["hex"]);
    const auto plain = RewritePlain(encoding, bytes);
    ASSERT_TRUE(plain.ok()) << plain.status();
    Columns expected;
    Columns actual;
    actual.with_starts = true;
    ASSERT_TRUE(Decode(encoding, bytes, &expected).ok());
    const Status decoded = Decode(PlainEncoding(encoding), *plain, &actual);
    ASSERT_TRUE(decoded.ok()) << decoded;
    actual.FitStarts();
    EXPECT_EQ(testing::ToText(actual), testing::ToText(expected));
    for (const TimestampMs start : actual.histogram_starts) EXPECT_EQ(start, 0);
    ++rewritten;
  }
  EXPECT_GT(rewritten, 5);
}

TEST(PlainTest, RefusesDamage) {
  for (const nlohmann::json& vector : Vectors()) {
    const auto encoding = static_cast<Encoding>(vector["enc"].get<int>());
    const std::string bytes = testing::FromHex(vector["hex"]);
    if (PlainEncoding(encoding) == encoding || bytes.size() < 8) continue;
    EXPECT_EQ(RewritePlain(encoding, bytes.substr(0, bytes.size() - 2)).status().code(),
              StatusCode::kDataLoss)
        << vector["shape"];
  }
}

}  // namespace
}  // namespace aevum::chunk
