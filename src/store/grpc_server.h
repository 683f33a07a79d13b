// A store as a gRPC service.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "store/store.h"

namespace prometheus {
class Registry;
}
namespace aevum::net::grpc {
class Server;
class ServerCall;
}  // namespace aevum::net::grpc

namespace aevum::store {

// The metadata by which a client of Series says that it reads chunks with start timestamps, which
// StoreAPI has no numbers for. To others they are sent without them (chunk/plain.h).
inline constexpr std::string_view kStartTimestampsKey = "aevum-start-timestamps";
inline constexpr std::string_view kStartTimestampsValue = "1";

// Registers thanos.Store, before the server starts. Series are sent in messages of
// response_batch_size, one a message when that is 0 or 1; warnings as they come. A request without
// matchers, or one that is not the message, is refused with InvalidArgument. The store must outlive
// the server. Metrics: thanos_store_server_*.
//
// `budget` makes what one call may hold of answers that the store has from others; null where it
// has none. It runs on the server's threads.
using BudgetSource = std::function<std::shared_ptr<MemoryBudget>()>;
void RegisterStore(net::grpc::Server& server, Store& store,
                   std::shared_ptr<prometheus::Registry> metrics, BudgetSource budget = nullptr);

// Registers thanos.info.Info. `info` runs on the server's threads; while the component is not ready
// it gives an error, Unavailable for example, which is the answer.
using InfoSource = std::function<StatusOr<wire::InfoResponse>(const Context&)>;
void RegisterInfo(net::grpc::Server& server, InfoSource info);

// Sends one message of an answer. An error when the call is over.
Status SendMessage(net::grpc::ServerCall& call, std::string message);

}  // namespace aevum::store
