#include "query/metadata_service.h"

#include <string_view>
#include <utility>

#include "net/grpc/server.h"

namespace aevum::query {
namespace {

using net::grpc::Server;
using net::grpc::ServerCall;

// Hands on the answers of a proxy.
template <typename Response, typename Proxy, typename Request>
Status Forward(ServerCall& call, Proxy& proxy, const Request& request,
               std::shared_ptr<MemoryBudget> budget) {
  bool gone = false;
  RETURN_IF_ERROR(proxy.Ask(call.context().WithBudget(std::move(budget)), request,
                            [&](const Response& response) {
                              gone = gone || !call.Write(SharedBytes::Own(wire::Encode(response)));
                            }));
  if (!gone) return OkStatus();
  RETURN_IF_ERROR(call.context().status());
  return MakeError(StatusCode::kCancelled, "the client has gone");
}

}  // namespace

void RegisterMetadataServices(Server& server, const MetadataProxies& proxies,
                              std::function<std::shared_ptr<MemoryBudget>()> make_budget) {
  server.Register("/thanos.Metadata/MetricMetadata", Server::Kind::kServerStream,
                  [proxies, make_budget](ServerCall& call) -> Status {
                    ASSIGN_OR_RETURN(const wire::MetricMetadataRequest request,
                                     wire::DecodeMetricMetadataRequest(call.request().view));
                    return Forward<wire::MetricMetadataResponse>(call, proxies.metadata, request,
                                                                 make_budget());
                  });
  server.Register("/thanos.Exemplars/Exemplars", Server::Kind::kServerStream,
                  [proxies, make_budget](ServerCall& call) -> Status {
                    ASSIGN_OR_RETURN(const wire::ExemplarsRequest request,
                                     wire::DecodeExemplarsRequest(call.request().view));
                    return Forward<wire::ExemplarsResponse>(call, proxies.exemplars, request,
                                                            make_budget());
                  });
  server.Register("/thanos.Status/TSDBStatistics", Server::Kind::kServerStream,
                  [proxies, make_budget](ServerCall& call) -> Status {
                    ASSIGN_OR_RETURN(const wire::TsdbStatisticsRequest request,
                                     wire::DecodeTsdbStatisticsRequest(call.request().view));
                    return Forward<wire::TsdbStatisticsResponse>(call, proxies.tsdb_status, request,
                                                                 make_budget());
                  });
}

}  // namespace aevum::query
