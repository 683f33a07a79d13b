#include "model/format_float.h"

#include <bit>
#include <fstream>
#include <random>
#include <sstream>

#include <gtest/gtest.h>

namespace aevum::model {
namespace {

std::ifstream TestData(const std::string& name) {
  return std::ifstream(std::string(AEVUM_SOURCE_DIR) + "/src/model/testdata/" + name);
}

TEST(FormatFloatTest, WritesAsPrometheus) {
  std::ifstream file = TestData("floats.tsv");
  std::string line;
  std::getline(file, line);
  int checked = 0;
  for (; std::getline(file, line); ++checked) {
    std::istringstream cells(line);
    std::string bits;
    std::string json;
    std::getline(cells, bits, '\t');
    std::getline(cells, json, '\t');
    EXPECT_EQ(FormatFloat(std::bit_cast<double>(std::stoull(bits, nullptr, 16))), json) << bits;
  }
  EXPECT_GT(checked, 150);
}

TEST(FormatFloatTest, ReadsBackEqual) {
  std::mt19937_64 random(3);
  for (int i = 0; i < 200'000; ++i) {
    double value = std::bit_cast<double>(random());
    if (i % 3 == 0) value = static_cast<double>(random() % 100'000'000) / 10'000;
    if (value != value) continue;
    const std::string text = FormatFloat(value);
    ASSERT_LE(text.size(), kMaxFloatSize);
    ASSERT_EQ(std::bit_cast<std::uint64_t>(std::strtod(text.c_str(), nullptr)),
              std::bit_cast<std::uint64_t>(value))
        << text;
  }
}

TEST(FormatTimestampTest, WritesAsPrometheus) {
  std::ifstream file = TestData("timestamps_json.tsv");
  int checked = 0;
  for (std::string line; std::getline(file, line);) {
    const std::size_t tab = line.find('\t');
    std::int64_t milliseconds = 0;
    if (tab == std::string::npos || !(std::istringstream(line.substr(0, tab)) >> milliseconds))
      continue;
    char buffer[kMaxFloatSize];
    EXPECT_EQ(std::string(buffer, FormatTimestamp(buffer, milliseconds)), line.substr(tab + 1));
    ++checked;
  }
  EXPECT_GT(checked, 100);
}

}  // namespace
}  // namespace aevum::model
