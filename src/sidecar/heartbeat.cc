#include "sidecar/heartbeat.h"

#include <prometheus/gauge.h>
#include <prometheus/registry.h>

#include <algorithm>

#include "base/pause.h"
#include "sidecar/prometheus_client.h"

namespace aevum::sidecar {
namespace {

using std::chrono::steady_clock;

constexpr std::chrono::nanoseconds kFirstRetry = std::chrono::seconds(1);

}  // namespace

bool PrometheusState::MayHaveLabel(std::string_view name) const {
  return !label_names || std::binary_search(label_names->begin(), label_names->end(), name);
}

Heartbeat::Heartbeat(HeartbeatOptions options, std::shared_ptr<PrometheusClient> client,
                     Listener listener, Logger logger, prometheus::Registry& registry,
                     const Clock& clock)
    : options_(std::move(options)),
      client_(std::move(client)),
      listener_(std::move(listener)),
      logger_(std::move(logger)),
      up_(prometheus::BuildGauge()
              .Name("thanos_sidecar_prometheus_up")
              .Help("1 when the last heartbeat of Prometheus succeeded.")
              .Register(registry)
              .Add({})),
      clock_(clock),
      ready_(Unavailable("nothing heard of Prometheus yet")) {}

Heartbeat::~Heartbeat() { AEVUM_CHECK(!thread_.joinable()); }

void Heartbeat::Start() {
  thread_ = std::thread([this] { Run(); });
}

void Heartbeat::Stop() {
  running_.Cancel();
  if (thread_.joinable()) thread_.join();
}

Status Heartbeat::ready() const {
  MutexLock lock(mutex_);
  return ready_;
}

void Heartbeat::Run() {
  const auto latest = steady_clock::now() + options_.ready_timeout;
  bool told = false;
  auto retry = std::min(kFirstRetry, options_.interval);
  while (true) {
    const Status status = Beat();
    auto pause = options_.interval;
    if (state_.Get() == nullptr) {
      pause = std::exchange(retry, std::min(2 * retry, options_.interval));
      if (!told && steady_clock::now() >= latest) {
        told = true;
        logger_.Error("no external labels of Prometheus within the time to get ready, still asking",
                      {{"timeout", FormatGoDuration(options_.ready_timeout)}, {"err", status}});
      }
    }
    if (!Pause(running_.context(), pause).ok()) return;
  }
}

Status Heartbeat::Beat() {
  const bool first = state_.Get() == nullptr;
  const model::Labels before = first ? model::Labels() : state_.Get()->external_labels;
  StatusOr<PrometheusState> found = Ask();
  if (!found.ok() && running_.context().cancelled()) return found.status();
  if (found.ok()) {
    if (first || found->external_labels != before) {
      logger_.Info(first ? "successfully loaded prometheus external labels"
                         : "external labels of prometheus changed",
                   {{"external_labels", found->external_labels.ToString()}});
    }
    state_.Set(std::make_shared<const PrometheusState>(std::move(*found)));
  } else {
    logger_.Warn(first ? "failed to fetch initial external labels. Is Prometheus running? Retrying"
                       : "updating labels failed",
                 {{"err", found.status()}});
  }
  up_.Set(found.ok() ? 1 : 0);
  {
    MutexLock lock(mutex_);
    ready_ = found.status();
  }
  if (listener_) listener_(found.status());
  return found.status();
}

StatusOr<PrometheusState> Heartbeat::Ask() {
  const Context context = running_.context().WithTimeout(options_.timeout);
  PrometheusState state;
  ASSIGN_OR_RETURN(state.external_labels, AskExternalLabels(context));
  ASSIGN_OR_RETURN(state.min_time, client_->LowestTimestamp(context));
  if (options_.min_time) {
    state.min_time = std::max(state.min_time, options_.min_time->At(clock_.NowMs()));
  }
  ASSIGN_OR_RETURN(state.version, client_->Version(context));
  StatusOr<StringsAnswer> names = client_->LabelNames(context, {});
  if (names.ok()) {
    std::sort(names->strings.begin(), names->strings.end());
    state.label_names = std::move(names->strings);
  } else {
    logger_.Debug("label names of Prometheus are not known, answers are sorted in memory",
                  {{"err", names.status()}});
  }
  return state;
}

StatusOr<model::Labels> Heartbeat::AskExternalLabels(const Context& context) {
  ASSIGN_OR_RETURN(std::string yaml, client_->ConfigYaml(context));
  if (last_labels_.empty() || yaml != last_yaml_) {
    StatusOr<model::Labels> labels = ParseExternalLabels(yaml);
    if (!labels.ok()) return Annotate(labels.status(), "configuration of " + client_->base_url());
    last_labels_ = std::move(*labels);
    last_yaml_ = std::move(yaml);
  }
  if (last_labels_.empty()) {
    return MakeError(StatusCode::kFailedPrecondition,
                     fmt::format("no external labels configured on Prometheus server, uniquely "
                                 "identifying external labels must be configured: {}",
                                 client_->base_url()));
  }
  return last_labels_;
}

}  // namespace aevum::sidecar
