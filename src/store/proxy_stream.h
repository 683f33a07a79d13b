// The running Series call of a proxy.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "store/merge.h"
#include "store/proxy.h"
#include "store/store.h"

namespace aevum::store {

struct ProxyStreamOptions {
  wire::PartialResponse partial_response = wire::PartialResponse::kWarn;
  std::int64_t limit = 0;  // 0: none
  std::chrono::nanoseconds response_timeout{0};
  Watchdog* watchdog = nullptr;  // set when there is a response timeout
  prometheus::Counter* empty_responses = nullptr;
  std::shared_ptr<StoreCall> call = nullptr;  // learns of failures; may be null
};

// Asks all stores at once and merges. The clients are only needed during the call.
std::unique_ptr<SeriesStream> StartProxyStream(const Context& context,
                                               const wire::SeriesRequest& request,
                                               std::span<const StoreClient* const> clients,
                                               const ProxyStreamOptions& options);

// A warning with the external labels of the store it is about, where it does not name them.
std::string NameLabels(std::string warning, const std::vector<model::Labels>& label_sets);

// "rpc error: code = Unavailable desc = ...", as Thanos writes errors of peers.
std::string RpcErrorText(const Status& status);

}  // namespace aevum::store
