#include "query/distribution.h"

#include <algorithm>
#include <utility>

#include "store/external_labels.h"

namespace aevum::query {
namespace {

bool MayHold(const store::StoreClient& client, const model::Matchers& matchers, TimestampMs first,
             TimestampMs last) {
  return first <= client.max_time && last >= client.min_time &&
         store::MayMatch(matchers, client.label_sets);
}

bool Includes(const model::Labels& all, const model::Labels& some) {
  return std::all_of(some.begin(), some.end(),
                     [&](const model::Label& label) { return all.Get(label.name) == label.value; });
}

}  // namespace

promql::Distribution MakeDistribution(const DistributionOptions& options,
                                      std::shared_ptr<const QueryEndpoints> endpoints,
                                      const RemoteQueryOptions& remote) {
  promql::Distribution distribution;
  distribution.replica_labels = remote.replica_labels;
  distribution.partition_labels = options.partition_labels;
  distribution.overlapping_intervals = options.overlapping_intervals;
  distribution.partial_response = remote.partial_response;
  for (const QueryEndpoint& endpoint : endpoints->queriers) {
    const store::StoreClient& client = endpoint.store;
    distribution.leaves.push_back(
        {.engine = std::make_shared<RemoteQuerier>(client, endpoint.channel, remote),
         .may_hold = [endpoints, &client](
                         const model::Matchers& matchers, TimestampMs first,
                         TimestampMs last) { return MayHold(client, matchers, first, last); },
         .label_sets = endpoint.external_labels,
         .min_time = client.min_time,
         .max_time = client.max_time});
  }
  distribution.local_may_hold = [endpoints, labels = options.selector_labels](
                                    const model::Matchers& matchers, TimestampMs first,
                                    TimestampMs last) {
    const auto rest = store::MatchExternalLabels(matchers, labels);
    // A leaf knows nothing of this querier's selector labels.
    if (!rest || rest->size() != matchers.size()) return true;
    return std::any_of(
        endpoints->others.begin(), endpoints->others.end(),
        [&](const store::StoreClient& client) { return MayHold(client, matchers, first, last); });
  };
  return distribution;
}

std::vector<model::Labels> ExternalLabelsOf(const wire::InfoResponse& info) {
  if (!info.store) return {};
  std::vector<model::Labels> all;
  for (const wire::TsdbInfo& tsdb : info.store->tsdb_infos) all.push_back(tsdb.labels);
  const bool accounted =
      std::all_of(info.label_sets.begin(), info.label_sets.end(), [&](const model::Labels& set) {
        return std::any_of(all.begin(), all.end(),
                           [&](const model::Labels& tsdb) { return Includes(set, tsdb); });
      });
  return accounted ? all : std::vector<model::Labels>();
}

}  // namespace aevum::query
