#include "base/trace.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace aevum {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;
using ::testing::SizeIs;

class KeepingRecorder final : public SpanRecorder {
 public:
  SpanId NewSpanId() override { return ++last_; }
  void Record(FinishedSpan span) override { spans_.push_back(std::move(span)); }

  SpanId last_ = 100;
  std::vector<FinishedSpan> spans_;
};

class SpanTest : public ::testing::Test {
 protected:
  Span First(bool sampled) {
    return Span::First(Context::Background(),
                       {.trace_id = {1, 2},
                        .span_id = 3,
                        .sampled = sampled,
                        .trace_state = "a=b",
                        .recorder = recorder_},
                       4, "first", SpanKind::kServer);
  }

  std::shared_ptr<KeepingRecorder> recorder_ = std::make_shared<KeepingRecorder>();
};

TEST_F(SpanTest, CostsNothingWithoutATrace) {
  const Context context = Context::Background();
  Span span(context, "name");
  EXPECT_FALSE(span.recording());
  EXPECT_EQ(&span.Inner(context), &context);
  span.Set("key", "value");
  span.Set("key", 1);
  span.Fail(Unavailable("x"));
  span.End();
  EXPECT_EQ(TraceIdOf(context), "");
}

TEST_F(SpanTest, RecordsPartsUnderTheirParent) {
  {
    Span first = First(true);
    const Context background = Context::Background();
    const Context& context = first.Inner(background);
    EXPECT_EQ(TraceIdOf(context), "00000000000000010000000000000002");
    Span part(context, "part", SpanKind::kClient);
    part.Set("text", "value");
    part.Set("number", 7U);
    part.Set("ratio", 0.5F);
    part.Set("flag", true);
    Span of_part(part.Inner(context).WithTimeout(std::chrono::hours(1)), "part of part");
    of_part.Fail(OkStatus());
    of_part.End();
    part.Fail(Unavailable("gone"));
  }
  ASSERT_THAT(recorder_->spans_, SizeIs(3));
  const FinishedSpan& of_part = recorder_->spans_[0];
  const FinishedSpan& part = recorder_->spans_[1];
  const FinishedSpan& first = recorder_->spans_[2];
  EXPECT_EQ(first.parent_id, 4U);
  EXPECT_EQ(first.span_id, 3U);
  EXPECT_EQ(first.kind, SpanKind::kServer);
  EXPECT_EQ(part.parent_id, 3U);
  EXPECT_EQ(of_part.parent_id, part.span_id);
  EXPECT_NE(of_part.span_id, part.span_id);
  EXPECT_THAT(part.attributes,
              ElementsAre(Pair("text", AttributeValue("value")),
                          Pair("number", AttributeValue(std::int64_t{7})),
                          Pair("ratio", AttributeValue(0.5)), Pair("flag", AttributeValue(true))));
  EXPECT_TRUE(part.failed);
  EXPECT_EQ(part.error, "gone");
  EXPECT_FALSE(of_part.failed);
  for (const FinishedSpan& span : recorder_->spans_) {
    EXPECT_EQ(span.trace_id, (TraceId{1, 2}));
    EXPECT_EQ(span.trace_state, "a=b");
    EXPECT_GE(span.start_ns, first.start_ns);
    EXPECT_GE(span.end_ns, span.start_ns);
    EXPECT_LE(span.end_ns, first.end_ns);
  }
}

TEST_F(SpanTest, CarriesATraceThatIsNotSampled) {
  {
    const Span first = First(false);
    const Context background = Context::Background();
    const Context& context = first.Inner(background);
    ASSERT_NE(context.trace(), nullptr);
    EXPECT_EQ(context.trace()->span_id, 3U);
    EXPECT_EQ(TraceIdOf(context), "");
    const Span part(context, "part");
    EXPECT_FALSE(part.recording());
    EXPECT_EQ(&part.Inner(context), &context);
  }
  EXPECT_THAT(recorder_->spans_, SizeIs(0));
}

TEST_F(SpanTest, IsRecordedOnceWhereItWasMovedTo) {
  Span first = First(true);
  Span moved(std::move(first));
  first.End();  // NOLINT(bugprone-use-after-move): nothing is left there
  EXPECT_THAT(recorder_->spans_, SizeIs(0));
  moved.End();
  moved.Set("late", 1);
  moved.End();
  ASSERT_THAT(recorder_->spans_, SizeIs(1));
  EXPECT_THAT(recorder_->spans_[0].attributes, SizeIs(0));
  // What takes another's place ends first.
  Span other = First(true);
  other = Span();
  EXPECT_THAT(recorder_->spans_, SizeIs(2));
}

TEST_F(SpanTest, BoundsLongTexts) {
  Span first = First(true);
  first.Set("query", std::string(1 << 20, 'x'));
  first.Fail(Internal("{}", std::string(1 << 20, 'x')));
  first.End();
  EXPECT_THAT(std::get<std::string>(recorder_->spans_[0].attributes[0].second), SizeIs(2048));
  EXPECT_THAT(recorder_->spans_[0].error, SizeIs(2048));
}

}  // namespace
}  // namespace aevum
