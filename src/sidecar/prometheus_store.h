// The StoreAPI over one Prometheus.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "sidecar/heartbeat.h"
#include "sidecar/label_rewriting.h"
#include "sidecar/prometheus_client.h"
#include "sidecar/series_order.h"
#include "store/store.h"

namespace prometheus {
class Histogram;
class Registry;
}  // namespace prometheus

namespace aevum::sidecar {

// Series come from remote read, and with skip_chunks from the series API. Matchers on external
// labels are answered here; when none is left, Series is InvalidArgument. All calls are Unavailable
// before the first heartbeat succeeded, and Info as long as the last one failed.
// Borrows the heartbeat. Thread-safe.
class PrometheusStore final : public store::Store {
 public:
  PrometheusStore(std::shared_ptr<PrometheusClient> client, const Heartbeat& heartbeat,
                  prometheus::Registry& registry);

  StatusOr<std::unique_ptr<store::SeriesStream>> Series(
      const Context& context, const wire::SeriesRequest& request) override;
  StatusOr<wire::LabelsResponse> LabelNames(const Context& context,
                                            const wire::LabelNamesRequest& request) override;
  StatusOr<wire::LabelsResponse> LabelValues(const Context& context,
                                             const wire::LabelValuesRequest& request) override;
  StatusOr<wire::InfoResponse> Info(const Context& context) override;

 private:
  using State = std::shared_ptr<const PrometheusState>;

  StatusOr<State> CurrentState() const;
  StatusOr<std::unique_ptr<store::SeriesStream>> SeriesWithoutChunks(
      const Context& context, const wire::SeriesRequest& request, const LabelRewriting& rewriting,
      Selection selection);
  // Names or values out of the labels API, or out of all series for a Prometheus before 2.24, whose
  // labels API knows no matchers.
  StatusOr<StringsAnswer> AskLabelNames(const Context& context, const PrometheusState& state,
                                        const Selection& selection);
  StatusOr<StringsAnswer> AskLabelValues(const Context& context, const PrometheusState& state,
                                         const std::string& label, const Selection& selection);

  const std::shared_ptr<PrometheusClient> client_;
  const Heartbeat& heartbeat_;
  prometheus::Histogram& received_frames_;
};

}  // namespace aevum::sidecar
