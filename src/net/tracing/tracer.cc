#include "net/tracing/tracer.h"

#include <pthread.h>

#include <algorithm>
#include <random>
#include <utility>

#include <prometheus/counter.h>
#include <prometheus/registry.h>

#include "base/check.h"

namespace aevum::net {
namespace {

using std::chrono::steady_clock;

// The step of splitmix64, whose outputs never repeat within 2^64.
constexpr std::uint64_t kStep = 0x9e3779b97f4a7c15;

std::uint64_t Mix(std::uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

std::uint64_t Seed() {
  std::random_device device;
  return static_cast<std::uint64_t>(device()) << 32 | device();
}

prometheus::Family<prometheus::Counter>& Dropped(prometheus::Registry& registry) {
  return prometheus::BuildCounter()
      .Name("aevum_tracing_spans_dropped_total")
      .Help("Recorded spans that did not reach the collector.")
      .Register(registry);
}

}  // namespace

Tracer::Tracer(TracerOptions options, std::unique_ptr<SpanExporter> exporter, const Logger& logger,
               std::shared_ptr<prometheus::Registry> metrics)
    : options_(options),
      exporter_(std::move(exporter)),
      logger_(logger.With("component", "tracing")),
      metrics_(std::move(metrics)),
      exported_(&prometheus::BuildCounter()
                     .Name("aevum_tracing_spans_exported_total")
                     .Help("Recorded spans that the collector has taken.")
                     .Register(*metrics_)
                     .Add({})),
      dropped_full_(&Dropped(*metrics_).Add({{"reason", "queue_full"}})),
      dropped_failed_(&Dropped(*metrics_).Add({{"reason", "export_failed"}})),
      dropped_refused_(&Dropped(*metrics_).Add({{"reason", "refused"}})),
      dropped_stopped_(&Dropped(*metrics_).Add({{"reason", "stopped"}})),
      sampler_(options.sampler),
      sequence_(Seed()),
      exports_(Context::Background()) {}

Tracer::~Tracer() { Stop(std::chrono::nanoseconds(0)); }

void Tracer::Start() {
  AEVUM_CHECK(!thread_.joinable());
  {
    MutexLock lock(mutex_);
    running_ = true;
  }
  thread_ = std::thread([this] { Run(); });
  pthread_setname_np(thread_.native_handle(), "tracing");
}

void Tracer::Stop(std::chrono::nanoseconds grace) {
  if (!thread_.joinable()) return;
  {
    MutexLock lock(mutex_);
    stopping_ = true;
    stop_at_ = steady_clock::now() + grace;
    wake_.notify_all();
    while (running_ && lock.WaitUntil(ended_, stop_at_)) {
    }
  }
  exports_.Cancel();
  thread_.join();
  MutexLock lock(mutex_);
  dropped_stopped_->Increment(static_cast<double>(queue_.size()));
  queue_.clear();
}

Span Tracer::StartRequest(const Context& context, std::string_view name,
                          const std::optional<RemoteParent>& parent, Force force) {
  TraceContext trace{.trace_id = {},
                     .span_id = NewSpanId(),
                     .sampled = true,
                     .trace_state = {},
                     .recorder = shared_from_this()};
  if (parent) {
    trace.trace_id = parent->trace_id;
    trace.trace_state = parent->trace_state;
  } else {
    trace.trace_id = {.high = NewSpanId(), .low = NewSpanId()};
  }
  if (force == Force::kNo) {
    trace.sampled =
        sampler_.Sample(trace.trace_id, parent ? &*parent : nullptr, steady_clock::now());
  }
  return Span::First(context, std::move(trace), parent ? parent->span_id : 0, name,
                     SpanKind::kServer);
}

SpanId Tracer::NewSpanId() {
  SpanId id = 0;
  while (id == 0) id = Mix(sequence_.fetch_add(kStep, std::memory_order_relaxed));
  return id;
}

void Tracer::Record(FinishedSpan span) {
  MutexLock lock(mutex_);
  if (stopping_ && !running_) return dropped_stopped_->Increment();
  if (queue_.size() >= options_.queue_spans) return dropped_full_->Increment();
  queue_.push_back(std::move(span));
  // Fewer wait for the interval: to wake the thread for each would cost the request.
  if (queue_.size() == options_.batch_spans) wake_.notify_one();
}

bool Tracer::NextBatch(std::vector<FinishedSpan>* batch) {
  batch->clear();
  MutexLock lock(mutex_);
  const TimePoint flush_at = steady_clock::now() + options_.flush_interval;
  while (!stopping_ && queue_.size() < options_.batch_spans && lock.WaitUntil(wake_, flush_at)) {
  }
  if (stopping_ && (queue_.empty() || steady_clock::now() >= stop_at_)) return false;
  const std::size_t count = std::min(queue_.size(), options_.batch_spans);
  const auto end = queue_.begin() + static_cast<std::ptrdiff_t>(count);
  batch->assign(std::make_move_iterator(queue_.begin()), std::make_move_iterator(end));
  queue_.erase(queue_.begin(), end);
  return true;
}

void Tracer::Run() {
  std::vector<FinishedSpan> batch;
  while (NextBatch(&batch)) {
    if (!batch.empty()) Send(batch);
  }
  MutexLock lock(mutex_);
  running_ = false;
  ended_.notify_all();
}

void Tracer::Send(const std::vector<FinishedSpan>& batch) {
  const TimePoint give_up = steady_clock::now() + options_.retry_total;
  std::chrono::nanoseconds pause = options_.retry_first;
  const auto size = static_cast<double>(batch.size());
  while (true) {
    const StatusOr<std::size_t> refused =
        exporter_->Export(exports_.context().WithTimeout(options_.export_timeout), batch);
    NoteOutcome(refused.status());
    if (refused.ok()) {
      const double lost = std::min(static_cast<double>(*refused), size);
      exported_->Increment(size - lost);
      dropped_refused_->Increment(lost);
      return;
    }
    const StatusCode code = refused.status().code();
    const bool passes = code == StatusCode::kUnavailable || code == StatusCode::kResourceExhausted;
    if (!passes || !Pause(pause, give_up)) break;
    pause = std::min(2 * pause, options_.retry_longest);
  }
  dropped_failed_->Increment(size);
}

bool Tracer::Pause(std::chrono::nanoseconds time, TimePoint give_up) {
  const TimePoint until = steady_clock::now() + time;
  if (until >= give_up) return false;
  MutexLock lock(mutex_);
  while (!stopping_ && lock.WaitUntil(wake_, until)) {
  }
  // Who stops does not wait for a collector that is away.
  return !stopping_;
}

// One line when it begins to fail and one when it works again: a collector may be away for days.
void Tracer::NoteOutcome(const Status& status) {
  if (status.ok() == !failing_) return;
  failing_ = !status.ok();
  if (failing_) {
    logger_.Warn("can't send spans to the collector; requests are not affected", {{"err", status}});
  } else {
    logger_.Info("the collector takes spans again");
  }
}

}  // namespace aevum::net
