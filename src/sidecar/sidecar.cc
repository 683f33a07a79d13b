#include "sidecar/sidecar.h"

#include "sidecar/metadata_service.h"
#include "sidecar/prometheus_client.h"
#include "sidecar/prometheus_rules.h"
#include "sidecar/prometheus_store.h"

namespace aevum::sidecar {
namespace {

ReloadTrigger TriggerOf(const ReloaderOptions& options, std::shared_ptr<PrometheusClient> client) {
  if (options.method == ReloadMethod::kSignal) {
    return ReloadBySignal(std::move(client), options.process_name);
  }
  return ReloadByHttp(std::move(client));
}

}  // namespace

Sidecar::Sidecar(SidecarOptions options, Heartbeat::Listener listener,
                 std::shared_ptr<objstore::Bucket> bucket, Uploads::OnRefused on_refused,
                 Logger logger, prometheus::Registry& registry, const Clock& clock)
    : prometheus_url_(options.prometheus_url),
      client_(std::make_shared<PrometheusClient>(options.prometheus_url,
                                                 std::move(options.http_client))),
      heartbeat_(std::move(options.heartbeat), client_, std::move(listener), logger, registry,
                 clock),
      store_(std::make_unique<PrometheusStore>(client_, heartbeat_, registry)),
      rules_(std::make_unique<PrometheusRules>(client_, heartbeat_)),
      reloader_(options.reloader, TriggerOf(options.reloader, client_), logger, registry) {
  if (bucket) {
    uploads_ = std::make_unique<Uploads>(std::move(options.uploads), std::move(bucket), client_,
                                         heartbeat_, std::move(on_refused), logger, registry);
  }
}

Sidecar::~Sidecar() = default;

Status Sidecar::Start() {
  Status status = PrometheusClient::CheckBaseUrl(prometheus_url_);
  if (!status.ok()) return Annotate(std::move(status), "--prometheus.url");
  status = reloader_.Start();
  if (!status.ok()) return Annotate(std::move(status), "reloader");
  heartbeat_.Start();
  if (uploads_) uploads_->Start();
  return OkStatus();
}

void Sidecar::Stop() {
  if (uploads_) uploads_->Stop();
  heartbeat_.Stop();
  reloader_.Stop();
}

store::Store& Sidecar::store() { return *store_; }
PrometheusRules& Sidecar::rules() { return *rules_; }

void Sidecar::RegisterMetadata(net::grpc::Server& server) {
  RegisterMetadataServices(server, client_, heartbeat_);
}

}  // namespace aevum::sidecar
