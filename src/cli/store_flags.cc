#include "cli/store_flags.h"

#include <array>
#include <utility>

#include <fmt/format.h>

#include "net/request_log.h"
#include "objstore/config/factory.h"
#include "objstore/metrics.h"
#include "objstore/tracing.h"

namespace aevum::cli {

void AddSeriesLimitFlags(FlagSet& flags, store::SelectLimits* limits) {
  flags.Group("Series limits");
  flags.Uint(
      {"store.limits.request-series", "Most series that one Series call may return; 0: no limit."},
      &limits->series);
  flags.Uint({"store.limits.request-samples",
              "Most samples that one Series call may return, counted as 120 a chunk; 0: no limit."},
             &limits->samples);
}

void AddBlockSelector(FlagSet& flags, FlagSet::Content* selector) {
  flags.ContentPair({"selector.relabel-config",
                     "Relabelling rules that keep or drop blocks by their external labels and "
                     "__block_id: keep, drop and hashmod."},
                    selector);
}

StatusOr<model::Relabeler> ReadSelector(const FlagSet::Content& content) {
  ASSIGN_OR_RETURN(const std::string yaml, ReadContent(content, /*expand_environment=*/true));
  auto rules = model::Relabeler::Parse(yaml);
  if (!rules.ok()) return Annotate(rules.status(), "--selector.relabel-config");
  constexpr std::array kAllowed = {model::RelabelAction::kKeep, model::RelabelAction::kDrop,
                                   model::RelabelAction::kHashMod};
  RETURN_IF_ERROR(Annotate(rules->RestrictTo(kAllowed), "--selector.relabel-config"));
  return rules;
}

void RequestLogFlags::Add(FlagSet& flags) {
  flags.Group("Request logging");
  flags.ContentPair(
      {"request.logging-config", "YAML that says which HTTP and gRPC requests are logged."},
      &config_);
}

Status RequestLogFlags::Load(const Logger& logger, ServiceOptions* service) const {
  ASSIGN_OR_RETURN(const std::string yaml, ReadContent(config_, /*expand_environment=*/true));
  if (yaml.empty()) return OkStatus();
  ASSIGN_OR_RETURN(service->request_log, net::RequestLog::Parse(yaml, logger));
  return OkStatus();
}

void ObjectStorageFlags::Add(FlagSet& flags) {
  flags.Group("Object storage");
  flags.ContentPair({name_ + ".config",
                     fmt::format("YAML of {}: type, config and prefix. $(NAME) is the value of an "
                                 "environment variable.",
                                 what_)},
                    &config_);
}

StatusOr<std::shared_ptr<objstore::Bucket>> ObjectStorageFlags::Open(
    prometheus::Registry& metrics, const std::map<std::string, std::string>& labels) const {
  ASSIGN_OR_RETURN(const std::string yaml, ReadContent(config_, /*expand_environment=*/true));
  if (yaml.empty()) return std::shared_ptr<objstore::Bucket>();
  StatusOr<std::unique_ptr<objstore::Bucket>> bucket = objstore::OpenBucket(yaml);
  if (!bucket.ok()) return Annotate(bucket.status(), fmt::format("--{}.config", name_));
  const auto counts = std::make_shared<objstore::BucketMetrics>(metrics, (*bucket)->Name(), labels);
  return std::shared_ptr<objstore::Bucket>(
      objstore::WithTracing(objstore::WithMetrics(*std::move(bucket), counts)));
}

StatusOr<std::shared_ptr<objstore::Bucket>> ObjectStorageFlags::OpenRequired(
    prometheus::Registry& metrics, const std::map<std::string, std::string>& labels) const {
  ASSIGN_OR_RETURN(std::shared_ptr<objstore::Bucket> bucket, Open(metrics, labels));
  if (!bucket) return InvalidArgument("--{0}.config or --{0}.config-file needed", name_);
  return bucket;
}

}  // namespace aevum::cli
