#include "net/tracing/propagation.h"

#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace aevum::net {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

constexpr const char* kTraceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

std::optional<RemoteParent> Extract(
    const std::map<std::string, std::string, std::less<>>& headers) {
  return ExtractTrace([&](std::string_view name) -> std::string_view {
    const auto found = headers.find(name);
    return found == headers.end() ? std::string_view() : std::string_view(found->second);
  });
}

TEST(PropagationTest, ReadsWhatTheSpecificationsAllow) {
  struct Case {
    std::string name;
    std::string traceparent;
    std::string uber;
    TraceId trace_id;
    SpanId span_id = 0;  // 0: nothing is read
    bool sampled = false;
  };
  const TraceId id{0x0af7651916cd43dd, 0x8448eb211c80319c};
  const SpanId span = 0xb7ad6b7169203331;
  const std::string ids = "0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331";
  const Case cases[] = {
      {"sampled", kTraceparent, "", id, span, true},
      {"not sampled", "00-" + ids + "-00", "", id, span, false},
      {"other flags", "00-" + ids + "-fe", "", id, span, false},
      {"a later version", "01-" + ids + "-01", "", id, span, true},
      {"a later version with more", "cc-" + ids + "-01-what", "", id, span, true},
      {"a later version, run together", "cc-" + ids + "-01.what", "", {}, 0, false},
      {"this version with more", "00-" + ids + "-01-what", "", {}, 0, false},
      {"no version", "ff-" + ids + "-01", "", {}, 0, false},
      {"upper case", "00-0AF7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "", {}, 0, false},
      {"no digit", "00-0xf7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "", {}, 0, false},
      {"a sign", "00-+af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "", {}, 0, false},
      {"trace of zeros",
       "00-00000000000000000000000000000000-b7ad6b7169203331-01",
       "",
       {},
       0,
       false},
      {"span of zeros",
       "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
       "",
       {},
       0,
       false},
      {"cut", "00-" + ids + "-0", "", {}, 0, false},
      {"other separators", "00_" + ids + "_01", "", {}, 0, false},
      {"nothing", "", "", {}, 0, false},
      {"Jaeger", "", "0af7651916cd43dd8448eb211c80319c:b7ad6b7169203331:0:1", id, span, true},
      {"Jaeger, debug", "", "1:2:0:3", {0, 1}, 2, true},
      {"Jaeger, not sampled", "", "1:2:0:0", {0, 1}, 2, false},
      {"Jaeger, 17 digits", "", "10000000000000001:2:0:1", {1, 1}, 2, true},
      {"Jaeger, escaped", "", "1%3A2%3A0%3A1", {0, 1}, 2, true},
      {"Jaeger, too long", "", std::string(33, '1') + ":2:0:1", {}, 0, false},
      {"Jaeger, no span", "", "1", {}, 0, false},
      {"Jaeger, no flags", "", "1:2:0", {}, 0, false},
      {"Jaeger, zero", "", "0:0:0:0", {}, 0, false},
      {"Jaeger, bad escape", "", "1%3:2:0:1", {}, 0, false},
      {"both: W3C", kTraceparent, "1:2:0:0", id, span, true},
      {"W3C damaged: Jaeger", "00-x", "1:2:0:1", {0, 1}, 2, true},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    const auto parent = Extract({{"traceparent", c.traceparent}, {"uber-trace-id", c.uber}});
    ASSERT_EQ(parent.has_value(), c.span_id != 0);
    if (!parent) continue;
    EXPECT_EQ(parent->trace_id, c.trace_id);
    EXPECT_EQ(parent->span_id, c.span_id);
    EXPECT_EQ(parent->sampled, c.sampled);
  }
}

TEST(PropagationTest, PassesTheStateOn) {
  EXPECT_EQ(Extract({{"traceparent", kTraceparent}, {"tracestate", "a=1,b=2"}})->trace_state,
            "a=1,b=2");
  EXPECT_EQ(Extract({{"traceparent", kTraceparent}, {"tracestate", "a=\r\nX: y"}})->trace_state,
            "");
  EXPECT_EQ(
      Extract({{"traceparent", kTraceparent}, {"tracestate", std::string(513, 'a')}})->trace_state,
      "");
}

TEST(PropagationTest, WritesThePlaceInTheTrace) {
  EXPECT_TRUE(TraceHeaders(Context::Background()).empty());
  const auto trace = [](bool sampled, std::string state) {
    return Context::Background().WithTrace(std::make_shared<TraceContext>(TraceContext{
        .trace_id = {1, 2}, .span_id = 3, .sampled = sampled, .trace_state = std::move(state)}));
  };
  EXPECT_THAT(
      TraceHeaders(trace(true, "")),
      ElementsAre(Pair("traceparent", "00-00000000000000010000000000000002-0000000000000003-01")));
  EXPECT_THAT(
      TraceHeaders(trace(false, "a=b")),
      ElementsAre(Pair("traceparent", "00-00000000000000010000000000000002-0000000000000003-00"),
                  Pair("tracestate", "a=b")));
}

}  // namespace
}  // namespace aevum::net
