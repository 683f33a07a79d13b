#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <prometheus/registry.h>

#include "base/trace.h"
#include "net/metrics/exposition.h"
#include "objstore/metrics.h"
#include "objstore/prefixed.h"
#include "objstore/testing/acceptance.h"
#include "objstore/testing/faulty_bucket.h"
#include "objstore/testing/memory_bucket.h"
#include "objstore/timeouts.h"
#include "objstore/tracing.h"

namespace aevum::objstore {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

const Context kContext = Context::Background();

// Each decorator with nothing to do is a bucket like others.
INSTANTIATE_TEST_SUITE_P(Prefixed, AcceptanceTest,
                         ::testing::Values(ProviderUnderTest{
                             [] {
                               return StatusOr<std::shared_ptr<Bucket>>(
                                   WithPrefix(std::make_unique<MemoryBucket>(), "/some/prefix/"));
                             },
                             nullptr}));
INSTANTIATE_TEST_SUITE_P(Measured, AcceptanceTest,
                         ::testing::Values(ProviderUnderTest{
                             [] {
                               static prometheus::Registry registry;
                               static const auto metrics =
                                   std::make_shared<BucketMetrics>(registry, "test");
                               return StatusOr<std::shared_ptr<Bucket>>(
                                   WithMetrics(std::make_shared<MemoryBucket>(), metrics));
                             },
                             nullptr}));

INSTANTIATE_TEST_SUITE_P(Traced, AcceptanceTest,
                         ::testing::Values(ProviderUnderTest{
                             [] {
                               return StatusOr<std::shared_ptr<Bucket>>(
                                   WithTracing(std::make_shared<MemoryBucket>()));
                             },
                             nullptr}));

TEST(PrefixedBucketTest, KeepsToItsPrefix) {
  auto memory = std::make_unique<MemoryBucket>();
  MemoryBucket& all = *memory;
  for (const char* name : {"p/a", "p/b/c", "pq/d", "e"}) {
    ASSERT_TRUE(all.Upload(kContext, name, BytesSource("1"), {}).ok());
  }
  const std::unique_ptr<Bucket> bucket = WithPrefix(std::move(memory), "//p/");
  std::vector<std::string> names;
  ASSERT_TRUE(bucket
                  ->Iterate(kContext, "", {},
                            [&](const ListedObject& object) {
                              names.push_back(object.name);
                              return OkStatus();
                            })
                  .ok());
  EXPECT_THAT(names, ElementsAre("a", "b/"));
  ASSERT_TRUE(bucket->Upload(kContext, "new", BytesSource("2"), {}).ok());
  EXPECT_EQ(*all.Get(kContext, "p/new"), "2");
  EXPECT_THAT(std::string(bucket->Get(kContext, "absent").status().message()),
              HasSubstr("p/absent"));
}

TEST(PrefixedBucketTest, SlashesAreNoPrefix) {
  for (const char* prefix : {"", "/", "///"}) {
    EXPECT_EQ(WithPrefix(std::make_unique<MemoryBucket>(), prefix)->Provider(), "MEMORY");
    std::unique_ptr<Bucket> bucket = WithPrefix(std::make_unique<MemoryBucket>(), prefix);
    EXPECT_NE(dynamic_cast<MemoryBucket*>(bucket.get()), nullptr);
  }
}

class MetricsTest : public ::testing::Test {
 protected:
  MetricsTest()
      : memory_(std::make_shared<MemoryBucket>()),
        metrics_(std::make_shared<BucketMetrics>(*registry_, "main")),
        bucket_(WithMetrics(memory_, metrics_)) {}

  std::string Exposition() {
    return net::WriteExposition({registry_}, net::ExpositionFormat::kText);
  }

  const std::shared_ptr<prometheus::Registry> registry_ = std::make_shared<prometheus::Registry>();
  std::shared_ptr<MemoryBucket> memory_;
  std::shared_ptr<BucketMetrics> metrics_;
  std::unique_ptr<Bucket> bucket_;
};

TEST_F(MetricsTest, AllOperationsStartAtZero) {
  const std::string text = Exposition();
  for (const char* operation :
       {"iter", "get", "get_range", "exists", "upload", "delete", "attributes"}) {
    for (const char* metric : {"thanos_objstore_bucket_operations_total",
                               "thanos_objstore_bucket_operation_failures_total",
                               "thanos_objstore_bucket_operation_duration_seconds_count"}) {
      EXPECT_THAT(text, HasSubstr(fmt::format("{}{{bucket=\"main\",operation=\"{}\"}} 0", metric,
                                              operation)));
    }
  }
  EXPECT_THAT(text,
              HasSubstr("thanos_objstore_bucket_last_successful_upload_time{bucket=\"main\"} 0"));
  EXPECT_THAT(text, HasSubstr("thanos_objstore_bucket_operation_transferred_bytes_bucket{bucket="
                              "\"main\",operation=\"get\",le=\"1.073741824e+09\"} 0"));
  EXPECT_THAT(text, HasSubstr("thanos_objstore_bucket_operation_duration_seconds_bucket{bucket="
                              "\"main\",operation=\"get\",le=\"120\"} 0"));
}

TEST_F(MetricsTest, CountsCallsBytesAndFailures) {
  ASSERT_TRUE(bucket_->Upload(kContext, "a", BytesSource("12345"), {}).ok());
  ASSERT_TRUE(bucket_->Get(kContext, "a").ok());
  const std::vector<ByteRange> ranges = {{0, 2}, {2, 2}, {4, 1}};
  ASSERT_TRUE(bucket_->GetRanges(kContext, "a", ranges).ok());
  EXPECT_FALSE(bucket_->Get(kContext, "absent").ok());
  EXPECT_FALSE(*bucket_->Exists(kContext, "absent"));
  const std::string text = Exposition();
  const auto expect = [&](const std::string& metric, const std::string& operation,
                          const std::string& value) {
    EXPECT_THAT(text, HasSubstr(fmt::format("thanos_objstore_bucket_{}{{bucket=\"main\","
                                            "operation=\"{}\"}} {}\n",
                                            metric, operation, value)));
  };
  expect("operations_total", "get", "2");
  expect("operations_total", "get_range", "3");
  expect("operation_fetched_bytes_total", "get", "5");
  expect("operation_fetched_bytes_total", "get_range", "5");
  expect("operation_transferred_bytes_sum", "upload", "5");
  expect("operation_failures_total", "get", "1");
  expect("operation_failures_total", "exists", "0");
  EXPECT_THAT(
      text,
      Not(HasSubstr("thanos_objstore_bucket_last_successful_upload_time{bucket=\"main\"} 0\n")));
}

TEST_F(MetricsTest, ExpectedErrorsAndCancelledCallsAreNoFailures) {
  const std::unique_ptr<Bucket> tolerant = WithMetrics(memory_, metrics_, IsNotFound);
  EXPECT_TRUE(IsNotFound(tolerant->Get(kContext, "absent").status()));
  CancelScope scope(kContext);
  scope.Cancel();
  EXPECT_FALSE(bucket_->Get(scope.context(), "a").ok());
  EXPECT_THAT(Exposition(), HasSubstr("thanos_objstore_bucket_operation_failures_total{bucket="
                                      "\"main\",operation=\"get\"} 0"));
}

TEST(TimeoutsTest, EndsCallsThatTakeTooLong) {
  const FaultPlan slow = [](const BucketCall& call) -> std::optional<Fault> {
    if (call.name != "slow") return std::nullopt;
    return Fault{
        .error = OkStatus(), .cut_after_bytes = std::nullopt, .delay = std::chrono::hours(1)};
  };
  const auto memory = std::make_shared<MemoryBucket>();
  const std::unique_ptr<Bucket> bucket =
      WithTimeouts(std::make_shared<FaultyBucket>(memory, slow),
                   {std::chrono::milliseconds(20), std::chrono::milliseconds(20)});
  EXPECT_EQ(bucket->Get(kContext, "slow").status().code(), StatusCode::kDeadlineExceeded);
  EXPECT_EQ(bucket->Attributes(kContext, "slow").status().code(), StatusCode::kDeadlineExceeded);
  EXPECT_EQ(bucket->Delete(kContext, "slow").code(), StatusCode::kDeadlineExceeded);
}

TEST(FaultyBucketTest, FailsAsTold) {
  const auto memory = std::make_shared<MemoryBucket>();
  const FaultPlan plan = [](const BucketCall& call) -> std::optional<Fault> {
    switch (call.number) {
      case 1:
        return Fault{.error = Unavailable("before"), .cut_after_bytes = std::nullopt};
      case 2:
        return Fault{.error = Unavailable("after"),
                     .when = Fault::When::kAfter,
                     .cut_after_bytes = std::nullopt};
      case 3:
        return Fault{.error = OkStatus(), .cut_after_bytes = 2};
      default:
        return std::nullopt;
    }
  };
  FaultyBucket bucket(memory, plan);
  EXPECT_TRUE(IsTransient(bucket.Upload(kContext, "a", BytesSource("123"), {}).status()));
  EXPECT_FALSE(*memory->Exists(kContext, "a"));
  EXPECT_TRUE(IsTransient(bucket.Upload(kContext, "a", BytesSource("123"), {}).status()));
  EXPECT_TRUE(*memory->Exists(kContext, "a"));
  StringSink sink(100);
  EXPECT_TRUE(IsTransient(bucket.Read(kContext, "a", {}, sink)));
  EXPECT_EQ(std::move(sink).Take(), "12");
  EXPECT_EQ(*bucket.Get(kContext, "a"), "123");
  EXPECT_EQ(bucket.calls(), 4);
}

TEST(FaultyBucketTest, NothingWorksAfterTheKill) {
  FaultyBucket bucket(std::make_shared<MemoryBucket>(), KilledAt(2));
  EXPECT_TRUE(bucket.Upload(kContext, "a", BytesSource("1"), {}).ok());
  EXPECT_FALSE(bucket.Get(kContext, "a").ok());
  EXPECT_FALSE(bucket.Delete(kContext, "a").ok());
}

class KeepingRecorder final : public SpanRecorder {
 public:
  SpanId NewSpanId() override { return ++last_; }
  void Record(FinishedSpan span) override { spans_.push_back(std::move(span)); }
  const std::vector<FinishedSpan>& spans() const { return spans_; }

 private:
  SpanId last_ = 0;
  std::vector<FinishedSpan> spans_;
};

std::string TextOf(const FinishedSpan& span) {
  std::string text = span.name;
  for (const auto& [key, value] : span.attributes) {
    text += fmt::format(" {}={}", key,
                        std::holds_alternative<std::string>(value)
                            ? std::get<std::string>(value)
                            : std::to_string(std::get<std::int64_t>(value)));
  }
  return text + (span.failed ? " failed" : "");
}

TEST(TracedBucketTest, EachCallIsASpanOfTheTrace) {
  const std::unique_ptr<Bucket> bucket = WithTracing(std::make_shared<MemoryBucket>());
  const auto recorder = std::make_shared<KeepingRecorder>();
  TraceContext trace;
  trace.trace_id = {1, 2};
  trace.span_id = recorder->NewSpanId();
  trace.sampled = true;
  trace.recorder = recorder;
  Span first = Span::First(kContext, trace, 0, "test", SpanKind::kServer);
  const Context& context = first.Inner(kContext);
  ASSERT_TRUE(bucket->Upload(context, "d/a", BytesSource("12345"), {}).ok());
  const auto visit = [](const ListedObject&) { return OkStatus(); };
  ASSERT_TRUE(bucket->Iterate(context, "d", {}, visit).ok());
  IterateOptions with_attributes;
  with_attributes.attributes = IterateOptions::Attributes::kWanted;
  ASSERT_TRUE(bucket->Iterate(context, "d", with_attributes, visit).ok());
  ASSERT_TRUE(bucket->Get(context, "d/a").ok());
  ASSERT_TRUE(bucket->GetRange(context, "d/a", {1, 2}).ok());
  ASSERT_TRUE(bucket->Exists(context, "d/a").ok());
  ASSERT_TRUE(bucket->Attributes(context, "d/a").ok());
  ASSERT_TRUE(bucket->Delete(context, "d/a").ok());
  EXPECT_FALSE(bucket->Get(context, "d/a").ok());
  EXPECT_FALSE(bucket->Get(kContext, "d/a").ok());  // not in a trace
  std::vector<std::string> texts;
  for (const FinishedSpan& span : recorder->spans()) {
    texts.push_back(TextOf(span));
    EXPECT_EQ(span.parent_id, trace.span_id);
  }
  EXPECT_THAT(texts, ElementsAre("bucket_upload name=d/a", "bucket_iter dir=d",
                                 "bucket_iter_with_attrs dir=d", "bucket_get name=d/a read=5",
                                 "bucket_getrange name=d/a offset=1 length=2 read=2",
                                 "bucket_exists name=d/a", "bucket_attributes name=d/a",
                                 "bucket_delete name=d/a", "bucket_get name=d/a read=0 failed"));
}

}  // namespace
}  // namespace aevum::objstore
