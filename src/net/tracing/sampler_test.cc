#include "net/tracing/sampler.h"

#include <cmath>
#include <random>

#include <gtest/gtest.h>

namespace aevum::net {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const Sampler::TimePoint kStart{std::chrono::hours(1)};

bool Ask(Sampler& sampler, std::uint64_t low, const RemoteParent* parent = nullptr) {
  return sampler.Sample({.high = 1, .low = low}, parent, kStart);
}

TEST(SamplerTest, DecidesByTheTraceId) {
  struct Case {
    std::string name;
    SamplerOptions options;
    double share;
  };
  const Case cases[] = {
      {"always", {.kind = SamplerKind::kAlways}, 1},
      {"never", {.kind = SamplerKind::kNever}, 0},
      {"none", {.kind = SamplerKind::kRatio, .param = 0}, 0},
      {"negative", {.kind = SamplerKind::kRatio, .param = -1}, 0},
      {"no number", {.kind = SamplerKind::kRatio, .param = std::nan("")}, 0},
      {"a quarter", {.kind = SamplerKind::kRatio, .param = 0.25}, 0.25},
      {"all", {.kind = SamplerKind::kRatio, .param = 1}, 1},
      {"more than all", {.kind = SamplerKind::kRatio, .param = 7}, 1},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    Sampler sampler(c.options);
    std::mt19937_64 random(1);
    int taken = 0;
    for (int i = 0; i < 10'000; ++i) taken += Ask(sampler, random()) ? 1 : 0;
    EXPECT_NEAR(taken / 10'000.0, c.share, c.share > 0 && c.share < 1 ? 0.02 : 0);
  }
  // As OpenTelemetry for Go: the lowest ids, without the last bit.
  Sampler half({.kind = SamplerKind::kRatio, .param = 0.5});
  EXPECT_TRUE(Ask(half, 0));
  EXPECT_TRUE(Ask(half, 0x7fffffffffffffff));
  EXPECT_FALSE(Ask(half, 0x8000000000000000));
}

TEST(SamplerTest, FollowsOtherProcesses) {
  const RemoteParent sampled{.trace_id = {1, 2}, .span_id = 3, .sampled = true, .trace_state = ""};
  const RemoteParent unsampled{
      .trace_id = {1, 2}, .span_id = 3, .sampled = false, .trace_state = ""};
  Sampler never({.kind = SamplerKind::kNever});
  EXPECT_TRUE(Ask(never, 2, &sampled));
  EXPECT_FALSE(Ask(never, 2));
  Sampler always({.kind = SamplerKind::kAlways});
  EXPECT_FALSE(Ask(always, 2, &unsampled));
  EXPECT_TRUE(Ask(always, 2));
  Sampler stubborn({.kind = SamplerKind::kAlways,
                    .follow_sampled_parent = false,
                    .follow_unsampled_parent = false});
  EXPECT_TRUE(Ask(stubborn, 2, &unsampled));
}

TEST(SamplerTest, LimitsTheRate) {
  const auto count = [](Sampler& sampler, Sampler::TimePoint now) {
    int taken = 0;
    for (int i = 0; i < 100; ++i) taken += sampler.Sample({1, 2}, nullptr, now) ? 1 : 0;
    return taken;
  };
  Sampler three({.kind = SamplerKind::kRateLimit, .param = 3});
  EXPECT_EQ(count(three, kStart), 3);
  EXPECT_EQ(count(three, kStart), 0);
  EXPECT_EQ(count(three, kStart + seconds(1)), 3);
  EXPECT_EQ(count(three, kStart), 0);  // a clock that goes back gives nothing
  EXPECT_EQ(count(three, kStart + seconds(100)), 3);
  Sampler slow({.kind = SamplerKind::kRateLimit, .param = 0.1});
  EXPECT_EQ(count(slow, kStart), 1);
  EXPECT_EQ(count(slow, kStart + milliseconds(9'900)), 0);
  EXPECT_EQ(count(slow, kStart + milliseconds(10'100)), 1);
  Sampler none({.kind = SamplerKind::kRateLimit, .param = 0});
  EXPECT_EQ(count(none, kStart), 0);
}

}  // namespace
}  // namespace aevum::net
