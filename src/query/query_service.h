// PromQL as a gRPC service: thanos.Query.
#pragma once

#include "base/clock.h"
#include "query/evaluator.h"
#include "query/params.h"
#include "query/tenancy.h"

namespace aevum::net::grpc {
class Server;
}

namespace aevum::query {

struct QueryServiceOptions {
  ParamDefaults defaults;
  TenancyOptions tenancy;
};

// Registers thanos.Query, before the server starts. Queries are those of the HTTP API, with its
// gate, limits and defaults; times are whole seconds. Answers are warnings, one a message, then
// series, then statistics. A query that fails is Aborted; of an instant query with partial response
// the failure is a warning instead. A text that is no query is Unknown, what is not the message
// InvalidArgument. The evaluator and
// the clock must outlive the server.
void RegisterQuery(net::grpc::Server& server, Evaluator& evaluator, QueryServiceOptions options,
                   const Clock& clock = Clock::System());

}  // namespace aevum::query
