// Makes the first span of a request here, and sends what is recorded to a collector.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/context.h"
#include "base/logging.h"
#include "base/mutex.h"
#include "base/status.h"
#include "base/trace.h"
#include "net/tracing/propagation.h"
#include "net/tracing/sampler.h"

namespace prometheus {
class Counter;
class Registry;
}  // namespace prometheus

namespace aevum::net {

// Whose spans these are.
struct TraceResource {
  std::string service_name;
  std::vector<std::pair<std::string, std::string>> attributes;
};

// The way to one collector. Used by one thread at a time.
class SpanExporter {
 public:
  virtual ~SpanExporter() = default;
  // Sends the spans and gives how many of them the collector refused. Unavailable and
  // ResourceExhausted may pass: the same spans are sent again. After any other error they are lost.
  virtual StatusOr<std::size_t> Export(const Context& context,
                                       const std::vector<FinishedSpan>& spans) = 0;
};

struct TracerOptions {
  SamplerOptions sampler;
  std::size_t queue_spans = 2048;
  std::size_t batch_spans = 512;
  std::chrono::nanoseconds flush_interval = std::chrono::seconds(5);
  std::chrono::nanoseconds export_timeout = std::chrono::seconds(10);  // of one try
  // Times between tries double from the first to the longest; at `retry_total` the batch is lost.
  std::chrono::nanoseconds retry_first = std::chrono::seconds(5);
  std::chrono::nanoseconds retry_longest = std::chrono::seconds(30);
  std::chrono::nanoseconds retry_total = std::chrono::minutes(1);  // 0: one try
};

// Recorded spans wait in a bounded queue, which one thread empties in batches; what finds it full
// is dropped and counted in aevum_tracing_spans_dropped_total. Must be held by a shared_ptr.
// Thread-safe.
class Tracer final : public SpanRecorder, public std::enable_shared_from_this<Tracer> {
 public:
  Tracer(TracerOptions options, std::unique_ptr<SpanExporter> exporter, const Logger& logger,
         std::shared_ptr<prometheus::Registry> metrics);
  ~Tracer() override;

  void Start();
  // Sends what waits, within `grace`; the rest is dropped. Idempotent.
  void Stop(std::chrono::nanoseconds grace);

  // The span of a request that came in. It carries the trace whether or not that is sampled;
  // `forced` samples it whatever the sampler says.
  enum class Force : std::uint8_t { kNo, kYes };
  Span StartRequest(const Context& context, std::string_view name,
                    const std::optional<RemoteParent>& parent, Force force = Force::kNo);

  // SpanRecorder
  SpanId NewSpanId() override;
  void Record(FinishedSpan span) override;

 private:
  using TimePoint = std::chrono::steady_clock::time_point;

  void Run();
  // False at the end.
  bool NextBatch(std::vector<FinishedSpan>* batch);
  void Send(const std::vector<FinishedSpan>& batch);
  // Waits before another try. False: there is none.
  bool Pause(std::chrono::nanoseconds time, TimePoint give_up);
  void NoteOutcome(const Status& status);

  const TracerOptions options_;
  const std::unique_ptr<SpanExporter> exporter_;
  const Logger logger_;
  const std::shared_ptr<prometheus::Registry> metrics_;
  prometheus::Counter* exported_;
  prometheus::Counter* dropped_full_;
  prometheus::Counter* dropped_failed_;
  prometheus::Counter* dropped_refused_;
  prometheus::Counter* dropped_stopped_;
  Sampler sampler_;
  std::atomic<std::uint64_t> sequence_;
  CancelScope exports_;
  bool failing_ = false;  // of the thread

  Mutex mutex_;
  std::condition_variable wake_;
  std::condition_variable ended_;
  std::deque<FinishedSpan> queue_ AEVUM_GUARDED_BY(mutex_);
  bool stopping_ AEVUM_GUARDED_BY(mutex_) = false;
  bool running_ AEVUM_GUARDED_BY(mutex_) = false;
  TimePoint stop_at_ AEVUM_GUARDED_BY(mutex_) = TimePoint::max();
  std::thread thread_;
};

}  // namespace aevum::net
