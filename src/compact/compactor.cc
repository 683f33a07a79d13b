#include "compact/compactor.h"

#include <algorithm>
#include <utility>

#include <prometheus/gauge.h>
#include <prometheus/registry.h>

#include "base/pause.h"
#include "base/timestamp.h"
#include "net/api/answer.h"

namespace aevum::compact {
namespace {

using SteadyClock = std::chrono::steady_clock;

// The queues, as the API names them.
enum Queue : std::size_t { kCompaction, kDownsampling, kRetention, kCleaning };
constexpr const char* kQueueNames[] = {"compaction", "downsampling", "retention", "cleaning"};

// The global view has no filters; its metrics have the name that Thanos gives them.
std::shared_ptr<block::MetaReader> MakeGlobalReader(const CompactorOptions& options,
                                                    objstore::Bucket& bucket, const Logger& logger,
                                                    prometheus::Registry& registry) {
  return std::make_shared<block::MetaReader>(
      block::MetaReaderOptions{.discovery = options.discovery,
                               .concurrency = options.meta_fetch_concurrency,
                               .cache_directory = ""},
      bucket, logger, registry, "thanos_bucket_uiblocks_meta");
}

}  // namespace

Compactor::Compactor(CompactorOptions options, std::shared_ptr<objstore::Bucket> bucket,
                     BlockWork work, Logger logger, prometheus::Registry& registry,
                     const Clock& clock)
    : place_(std::move(options), std::move(bucket), std::move(work), logger, registry, clock),
      logger_(std::move(logger)),
      global_fetcher_(MakeGlobalReader(place_.options, *place_.bucket, logger_, registry), {},
                      logger_, registry, "thanos_bucket_uiblocks_meta") {
  for (const char* name : kQueueNames) queues_.push_back({.name = name, .status = OkStatus()});
}

Compactor::~Compactor() { Stop(); }

PassResult Compactor::Account(std::size_t queue, PassResult result) {
  place_.metrics.scratch_bytes.Set(static_cast<double>(place_.scratch.used_bytes()));
  MutexLock lock(mutex_);
  QueueState& state = queues_[queue];
  ++state.passes;
  state.done += result.done;
  state.last_ms = place_.clock.NowMs();
  state.status = result.status;
  return result;
}

Status Compactor::Exhaust(const Context& context, std::size_t queue, const Pass& pass) {
  Status first;
  while (true) {
    const PassResult result = Account(queue, pass(context, place_));
    RETURN_IF_ERROR(context.status());
    if (first.ok()) first = result.status;
    if (!result.status.ok() && place_.options.halt_on_error) return first;
    if (result.done > 0) continue;
    if (result.undecided == 0) return first;
    // Whoever has the rest shows a sign of life before this has passed, or never.
    RETURN_IF_ERROR(Pause(context, place_.options.leases.retry));
  }
}

Status Compactor::RunOnce(const Context& context) {
  Status first;
  const auto run = [&](std::size_t queue, const Pass& pass) {
    if (!context.status().ok() || (!first.ok() && place_.options.halt_on_error)) return;
    const Status status = Exhaust(context, queue, pass);
    if (first.ok()) first = status;
  };
  // What earlier runs left is out of the way first.
  run(kCleaning, Clean);
  run(kCompaction, CompactGroups);
  if (place_.options.downsampling) run(kDownsampling, DownsampleBlocks);
  run(kRetention, ApplyRetention);
  run(kCleaning, Clean);
  RETURN_IF_ERROR(context.status());
  if (!first.ok() && place_.options.halt_on_error) Halt(first);
  return first;
}

bool Compactor::Sleep(Nanoseconds duration) {
  const auto until = SteadyClock::now() + duration;
  MutexLock lock(mutex_);
  while (!stopping_ && SteadyClock::now() < until) lock.WaitUntil(wake_, until);
  return !stopping_;
}

void Compactor::Halt(const Status& status) {
  logger_.Error("halted; --no-compact.halt-on-error goes on with the rest", {{"err", status}});
  place_.metrics.halted.Set(1);
  MutexLock lock(mutex_);
  halted_ = true;
}

void Compactor::StartLoop(Nanoseconds interval, std::function<void(const Context&)> work) {
  if (interval.count() <= 0) return;
  threads_.emplace_back([this, interval, work = std::move(work)] {
    do {
      {
        MutexLock lock(mutex_);
        if (stopping_ || halted_) return;
      }
      work(scope_.context());
    } while (Sleep(interval));
  });
}

void Compactor::StartQueue(std::size_t queue, Nanoseconds interval, Pass pass, bool until_done) {
  StartLoop(interval, [this, queue, pass = std::move(pass), until_done](const Context& context) {
    PassResult result;
    do {
      result = Account(queue, pass(context, place_));
      if (context.cancelled()) return;
    } while (until_done && result.done > 0 && result.status.ok());
    if (result.status.ok()) return;
    logger_.Warn("a pass had errors", {{"queue", kQueueNames[queue]}, {"err", result.status}});
    if (place_.options.halt_on_error && !objstore::IsTransient(result.status)) Halt(result.status);
  });
}

void Compactor::Start() {
  const CompactorOptions& options = place_.options;
  const Nanoseconds cleaning =
      options.cleanup_interval.count() > 0 ? options.cleanup_interval : options.wait_interval;
  StartQueue(kCleaning, cleaning, Clean, /*until_done=*/false);
  StartQueue(kCompaction, options.wait_interval, CompactGroups, /*until_done=*/true);
  if (options.downsampling)
    StartQueue(kDownsampling, options.wait_interval, DownsampleBlocks, /*until_done=*/true);
  StartQueue(kRetention, options.wait_interval, ApplyRetention, /*until_done=*/false);
  StartLoop(options.progress_interval, [this](const Context& context) {
    const Status status = CountTodo(context, place_);
    if (!status.ok()) logger_.Warn("can't count what is to do", {{"err", status}});
  });
  StartLoop(options.view_interval, [this](const Context& context) {
    RefreshGlobalView(context.WithTimeout(place_.options.view_timeout));
  });
}

void Compactor::Stop() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
    wake_.notify_all();
  }
  scope_.Cancel();
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

block::BlocksView Compactor::loaded() const {
  const std::shared_ptr<const BlockView> view = place_.last_view();
  if (!view) return {};
  return {.blocks = view->fetched, .refreshed_ms = view->at_ms, .status = view->fetched->complete};
}

block::BlocksView Compactor::global() const {
  MutexLock lock(mutex_);
  return global_;
}

void Compactor::RefreshGlobalView(const Context& context) {
  auto fetched = global_fetcher_.Fetch(context);
  MutexLock lock(mutex_);
  global_.status = fetched.ok() ? (*fetched)->complete : fetched.status();
  if (!fetched.ok()) return;
  global_.blocks = *std::move(fetched);
  global_.refreshed_ms = place_.clock.NowMs();
}

Status Compactor::WriteState(net::HttpResponse& response) const {
  std::vector<QueueState> queues;
  {
    MutexLock lock(mutex_);
    queues = queues_;
  }
  net::JsonWriter writer(net::SinkOf(response));
  net::BeginAnswer(writer);
  writer.Raw("{\"queues\":[");
  bool first = true;
  for (const QueueState& queue : queues) {
    if (!std::exchange(first, false)) writer.Raw(",");
    writer.Raw("{\"name\":");
    writer.String(queue.name);
    writer.Raw(",\"passes\":" + std::to_string(queue.passes));
    writer.Raw(",\"done\":" + std::to_string(queue.done));
    writer.Raw(",\"lastEnd\":");
    writer.String(queue.last_ms == 0 ? "" : FormatRfc3339(queue.last_ms));
    writer.Raw(",\"err\":");
    writer.String(queue.status.message());
    writer.Raw("}");
  }
  writer.Raw("],\"problems\":[");
  first = true;
  for (const auto& [about, problem] : place_.problems.List()) {
    if (writer.failed()) break;  // nobody reads any more
    if (!std::exchange(first, false)) writer.Raw(",");
    writer.Raw("{\"about\":");
    writer.String(about);
    writer.Raw(",\"why\":");
    writer.String(problem.what);
    writer.Raw(",\"since\":");
    writer.String(FormatRfc3339(problem.since_ms));
    writer.Raw("}");
  }
  writer.Raw("]}");
  return net::EndAnswer(writer);
}

void Compactor::AddRoutes(net::ApiRoutes& routes) {
  routes.Add("GET", "/api/v1/compact", "compact",
             [this](const Context&, const net::HttpRequest&, net::HttpResponse& response) {
               return WriteState(response);
             });
}

}  // namespace aevum::compact
