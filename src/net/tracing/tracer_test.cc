#include "net/tracing/tracer.h"

#include <condition_variable>
#include <mutex>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <prometheus/registry.h>

#include "net/metrics/exposition.h"

namespace aevum::net {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::HasSubstr;

// A collector that keeps what comes, fails as it is told, or holds exports up.
class FakeCollector {
 public:
  StatusOr<std::size_t> Take(const Context& context, const std::vector<FinishedSpan>& spans) {
    std::unique_lock lock(mutex_);
    ++tries_;
    changed_.notify_all();
    const std::stop_callback wake(context.stop_token(), [this] { changed_.notify_all(); });
    while (held_ && !context.cancelled()) changed_.wait_for(lock, milliseconds(20));
    if (context.cancelled()) return context.status();
    if (!answers_.empty()) {
      StatusOr<std::size_t> answer = answers_.front();
      answers_.erase(answers_.begin());
      if (!answer.ok()) return answer;
      spans_.insert(spans_.end(), spans.begin(), spans.end());
      changed_.notify_all();
      return answer;
    }
    spans_.insert(spans_.end(), spans.begin(), spans.end());
    changed_.notify_all();
    return std::size_t{0};
  }

  bool WaitForTries(int count) {
    return Wait([&] { return tries_ >= count; });
  }
  bool WaitForSpans(std::size_t count) {
    return Wait([&] { return spans_.size() >= count; });
  }
  void Hold(bool held) {
    const std::lock_guard lock(mutex_);
    held_ = held;
    changed_.notify_all();
  }
  void Answer(StatusOr<std::size_t> answer) {
    const std::lock_guard lock(mutex_);
    answers_.push_back(std::move(answer));
  }
  std::vector<FinishedSpan> spans() {
    const std::lock_guard lock(mutex_);
    return spans_;
  }
  int tries() {
    const std::lock_guard lock(mutex_);
    return tries_;
  }

 private:
  template <typename Condition>
  bool Wait(Condition condition) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, seconds(30), condition);
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  bool held_ = false;
  int tries_ = 0;
  std::vector<StatusOr<std::size_t>> answers_;
  std::vector<FinishedSpan> spans_;
};

class FakeExporter final : public SpanExporter {
 public:
  explicit FakeExporter(FakeCollector& collector) : collector_(collector) {}
  StatusOr<std::size_t> Export(const Context& context,
                               const std::vector<FinishedSpan>& spans) override {
    return collector_.Take(context, spans);
  }

 private:
  FakeCollector& collector_;
};

class TracerTest : public ::testing::Test {
 protected:
  // Nothing but a full batch or Stop sends, unless a test says otherwise.
  static TracerOptions Options() {
    TracerOptions options;
    options.flush_interval = hours(1);
    options.export_timeout = hours(1);
    options.retry_first = milliseconds(1);
    options.retry_longest = milliseconds(2);
    return options;
  }
  void Make(const TracerOptions& options) {
    tracer_ = std::make_shared<Tracer>(options, std::make_unique<FakeExporter>(collector_),
                                       Logger(), metrics_);
    tracer_->Start();
  }
  void RecordMany(int count) {
    for (int i = 0; i < count; ++i)
      tracer_->StartRequest(Context::Background(), fmt::format("{}", i), std::nullopt).End();
  }
  std::string Metrics() { return WriteExposition({metrics_}, ExpositionFormat::kText); }

  std::shared_ptr<prometheus::Registry> metrics_ = std::make_shared<prometheus::Registry>();
  FakeCollector collector_;
  std::shared_ptr<Tracer> tracer_;
};

TEST_F(TracerTest, SendsWhatWaitsAtItsEnd) {
  Make(Options());
  RecordMany(3);
  EXPECT_EQ(collector_.tries(), 0);
  tracer_->Stop(seconds(30));
  tracer_->Stop(seconds(30));
  EXPECT_EQ(collector_.spans().size(), 3U);
  RecordMany(1);
  EXPECT_EQ(collector_.spans().size(), 3U);
  EXPECT_THAT(Metrics(), HasSubstr("aevum_tracing_spans_exported_total 3\n"));
  EXPECT_THAT(Metrics(), HasSubstr(R"(aevum_tracing_spans_dropped_total{reason="stopped"} 1)"));
}

TEST_F(TracerTest, SendsFullBatchesAndByTime) {
  TracerOptions options = Options();
  options.batch_spans = 2;
  Make(options);
  RecordMany(4);
  ASSERT_TRUE(collector_.WaitForSpans(4));
  EXPECT_GE(collector_.tries(), 2);
  tracer_.reset();

  options = Options();
  options.flush_interval = milliseconds(5);
  Make(options);
  RecordMany(1);
  EXPECT_TRUE(collector_.WaitForSpans(5));
}

TEST_F(TracerTest, DropsWhatFindsTheQueueFullAndNeverWaits) {
  TracerOptions options = Options();
  options.queue_spans = 5;
  options.batch_spans = 1;
  Make(options);
  collector_.Hold(true);
  RecordMany(1);
  ASSERT_TRUE(collector_.WaitForTries(1));  // the thread is held up with it
  RecordMany(15);
  EXPECT_THAT(Metrics(), HasSubstr(R"(aevum_tracing_spans_dropped_total{reason="queue_full"} 10)"));
  collector_.Hold(false);
  tracer_->Stop(seconds(30));
  EXPECT_EQ(collector_.spans().size(), 6U);
}

TEST_F(TracerTest, TriesAgainWhatMayPass) {
  collector_.Answer(Unavailable("away"));
  collector_.Answer(ResourceExhausted("busy"));
  collector_.Answer(std::size_t{1});
  TracerOptions options = Options();
  options.batch_spans = 2;
  Make(options);
  RecordMany(2);
  ASSERT_TRUE(collector_.WaitForSpans(2));
  tracer_->Stop(seconds(30));
  EXPECT_EQ(collector_.tries(), 3);
  EXPECT_THAT(Metrics(), HasSubstr("aevum_tracing_spans_exported_total 1\n"));
  EXPECT_THAT(Metrics(), HasSubstr(R"(aevum_tracing_spans_dropped_total{reason="refused"} 1)"));
}

TEST_F(TracerTest, GivesUpWhatCanNotPass) {
  TracerOptions options = Options();
  options.batch_spans = 2;
  Make(options);
  collector_.Answer(InvalidArgument("no"));
  RecordMany(2);
  ASSERT_TRUE(collector_.WaitForTries(1));
  tracer_->Stop(seconds(30));
  EXPECT_EQ(collector_.tries(), 1);
  EXPECT_THAT(Metrics(),
              HasSubstr(R"(aevum_tracing_spans_dropped_total{reason="export_failed"} 2)"));
}

TEST_F(TracerTest, LeavesACollectorThatIsSilentAtTheEnd) {
  Make(Options());
  collector_.Hold(true);
  RecordMany(2);
  tracer_->Stop(milliseconds(20));  // would never return
  EXPECT_EQ(collector_.spans().size(), 0U);
  EXPECT_THAT(Metrics(), HasSubstr("aevum_tracing_spans_dropped_total"));
}

TEST_F(TracerTest, DoesNotTryAgainAtTheEnd) {
  TracerOptions options = Options();
  options.retry_first = options.retry_longest = seconds(50);
  Make(options);
  collector_.Answer(Unavailable("away"));
  RecordMany(2);
  tracer_->Stop(hours(1));
  EXPECT_EQ(collector_.tries(), 1);
}

TEST_F(TracerTest, BeginsTracesAndContinuesThem) {
  TracerOptions options = Options();
  options.sampler = {.kind = SamplerKind::kNever};
  Make(options);
  const Context background = Context::Background();
  const RemoteParent parent{
      .trace_id = {1, 2}, .span_id = 3, .sampled = true, .trace_state = "a=b"};
  {
    const Span own = tracer_->StartRequest(background, "own", std::nullopt);
    EXPECT_FALSE(own.recording());
    const TraceContext* trace = own.Inner(background).trace();
    ASSERT_NE(trace, nullptr);
    EXPECT_TRUE(trace->trace_id.valid());
    EXPECT_FALSE(trace->sampled);
    const Span forced =
        tracer_->StartRequest(background, "forced", std::nullopt, Tracer::Force::kYes);
    EXPECT_TRUE(forced.recording());
    EXPECT_FALSE(forced.Inner(background).trace()->trace_id == trace->trace_id);
    const Span child = tracer_->StartRequest(background, "child", parent);
    EXPECT_TRUE(child.recording());
    EXPECT_EQ(child.Inner(background).trace()->trace_id, parent.trace_id);
  }
  tracer_->Stop(seconds(30));
  const std::vector<FinishedSpan> spans = collector_.spans();
  ASSERT_EQ(spans.size(), 2U);
  EXPECT_EQ(spans[0].name, "child");
  EXPECT_EQ(spans[0].parent_id, 3U);
  EXPECT_EQ(spans[0].trace_state, "a=b");
  EXPECT_EQ(spans[1].parent_id, 0U);
  EXPECT_EQ(spans[0].kind, SpanKind::kServer);
}

TEST_F(TracerTest, GivesEachSpanItsOwnId) {
  Make(Options());
  std::set<SpanId> ids;
  for (int i = 0; i < 10'000; ++i) ids.insert(tracer_->NewSpanId());
  EXPECT_EQ(ids.size(), 10'000U);
  EXPECT_EQ(ids.count(0), 0U);
}

}  // namespace
}  // namespace aevum::net
