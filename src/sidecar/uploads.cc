#include "sidecar/uploads.h"

#include <chrono>
#include <map>
#include <string>
#include <utility>

#include "base/pause.h"
#include "sidecar/heartbeat.h"
#include "sidecar/prometheus_client.h"

namespace aevum::sidecar {
namespace {

constexpr std::chrono::seconds kInterval{30};
// Until Prometheus has told its labels and flags.
constexpr std::chrono::seconds kFirstInterval{1};
constexpr std::chrono::seconds kFlagsTimeout{30};

const char* const kMinDuration = "storage.tsdb.min-block-duration";
const char* const kMaxDuration = "storage.tsdb.max-block-duration";

}  // namespace

Uploads::Uploads(UploadsOptions options, std::shared_ptr<objstore::Bucket> bucket,
                 std::shared_ptr<PrometheusClient> client, const Heartbeat& heartbeat,
                 OnRefused on_refused, Logger logger, prometheus::Registry& registry)
    : options_(std::move(options)),
      bucket_(std::move(bucket)),
      client_(std::move(client)),
      heartbeat_(heartbeat),
      on_refused_(std::move(on_refused)),
      logger_(std::move(logger)),
      shipper_(
          options_.shipper, *bucket_,
          [this] {
            const std::shared_ptr<const PrometheusState> state = heartbeat_.state();
            return state ? state->external_labels : model::Labels();
          },
          logger_, registry) {}

Uploads::~Uploads() { Stop(); }

void Uploads::Start() {
  thread_ = std::thread([this] { Run(); });
}

void Uploads::Stop() {
  running_.Cancel();
  if (thread_.joinable()) thread_.join();
}

void Uploads::Run() {
  const Context& context = running_.context();
  bool checked = false;
  while (true) {
    if (!checked && heartbeat_.state()) {
      const Status status = CheckBlockDurations(context);
      checked = status.ok();
      if (status.code() == StatusCode::kFailedPrecondition) {
        on_refused_(status);
        return;
      }
      if (!checked) logger_.Warn("can't tell how Prometheus cuts blocks", {{"err", status}});
    }
    if (checked) {
      const StatusOr<std::size_t> uploaded = shipper_.Sync(context);
      if (context.cancelled()) return;
      if (!uploaded.ok()) logger_.Warn("uploading blocks failed", {{"err", uploaded.status()}});
    }
    if (!Pause(context, checked ? kInterval : kFirstInterval).ok()) return;
  }
}

Status Uploads::CheckBlockDurations(const Context& context) {
  if (options_.ignore_unequal_block_size) return OkStatus();
  using Flags = std::map<std::string, std::string>;
  ASSIGN_OR_RETURN(Flags flags, client_->Flags(context.WithTimeout(kFlagsTimeout)));
  const std::string& least = flags[kMinDuration];
  const std::string& most = flags[kMaxDuration];
  if (least == most) return OkStatus();
  return MakeError(
      StatusCode::kFailedPrecondition,
      fmt::format("Prometheus compacts its blocks, which uploads don't go with: start it with "
                  "--{0} equal to --{1}, or give --shipper.ignore-unequal-block-size; they are "
                  "{2} and {3}",
                  kMinDuration, kMaxDuration, least, most));
}

}  // namespace aevum::sidecar
