#include "query/info_check.h"

#include <fmt/core.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/clock.h"
#include "model/quote.h"

namespace aevum::query {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

wire::InfoResponse Good() {
  wire::InfoResponse info;
  info.component_type = "sidecar";
  info.label_sets = {model::Labels::Of({{"a", "1"}})};
  info.store = wire::StoreInfo{.min_time = 5, .max_time = 10};
  info.store->tsdb_infos = {{.labels = info.label_sets[0], .min_time = 5, .max_time = 10}};
  info.exemplars = {.min_time = 5, .max_time = 10};
  return info;
}

TEST(CheckInfoTest, LeavesWhatIsRight) {
  wire::InfoResponse info = Good();
  std::vector<std::string> complaints;
  EXPECT_TRUE(CheckInfo(&info, &complaints).ok());
  EXPECT_EQ(wire::Encode(info), wire::Encode(Good()));
  // Nothing is held, as receivers without tenants say it.
  info.store->min_time = kMaxTime;
  info.store->max_time = kMinTime;
  EXPECT_TRUE(CheckInfo(&info, &complaints).ok());
  EXPECT_EQ(info.store->min_time, kMaxTime);
  EXPECT_THAT(complaints, IsEmpty());
  wire::InfoResponse none;
  EXPECT_TRUE(CheckInfo(&none, &complaints).ok());
}

TEST(CheckInfoTest, AsksForAllTimesWhenTheyAreTheWrongWayRound) {
  wire::InfoResponse info = Good();
  info.store->min_time = 11;
  info.store->tsdb_infos[0].min_time = 12;
  info.exemplars->min_time = 13;
  std::vector<std::string> complaints;
  EXPECT_TRUE(CheckInfo(&info, &complaints).ok());
  EXPECT_THAT(complaints,
              ElementsAre(HasSubstr("exemplars are the wrong way round, from 13 to 10")));
  EXPECT_EQ(info.store->min_time, kMinTime);
  EXPECT_EQ(info.store->max_time, kMaxTime);
  EXPECT_EQ(info.store->tsdb_infos[0].max_time, kMaxTime);
  EXPECT_EQ(info.exemplars->min_time, kMinTime);
}

TEST(CheckInfoTest, RefusesWhatNobodyMeans) {
  const auto large = model::Labels::Of({{"a", std::string(70'000, 'x')}});
  struct Case {
    void (*spoil)(wire::InfoResponse&, const model::Labels& large);
    std::string message;
  };
  const Case cases[] = {
      {[](auto& info, const auto&) { info.component_type.assign(129, 'x'); }, "129 bytes"},
      {[](auto& info, const auto& labels) { info.label_sets.push_back(labels); }, "labels of 70"},
      {[](auto& info, const auto& labels) { info.store->tsdb_infos[0].labels = labels; },
       "labels of 70"},
      {[](auto& info, const auto&) { info.label_sets.resize(100'001); },
       "100001 sets of external labels, more than 100000"},
      {[](auto& info, const auto&) { info.store->tsdb_infos.resize(100'001); }, "100001 TSDBs"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.message);
    wire::InfoResponse info = Good();
    c.spoil(info, large);
    std::vector<std::string> complaints;
    const Status status = CheckInfo(&info, &complaints);
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(status.message()), HasSubstr(c.message));
  }
}

TEST(LabelSetsTextTest, IsCutBetweenCharacters) {
  EXPECT_EQ(LabelSetsText({}), "");
  EXPECT_EQ(LabelSetsText({model::Labels::Of({{"a", "1"}}), model::Labels::Of({{"a", "2"}})}),
            "{a=\"1\"},{a=\"2\"}");
  for (const std::size_t shift : {0, 1, 2, 3}) {
    std::string value(shift, 'x');
    while (value.size() < 5000) value += "\xe2\x82\xac";
    const std::string text = LabelSetsText({model::Labels::Of({{"a", value}})});
    EXPECT_LE(text.size(), 1000U);
    EXPECT_GE(text.size(), 997U);
    EXPECT_TRUE(model::IsValidUtf8(text));
    EXPECT_EQ(text.back(), '}');
  }
}

}  // namespace
}  // namespace aevum::query
