#include <array>
#include <memory>

#include <CLI/CLI.hpp>

#include "cli/commands.h"
#include "cli/flags.h"
#include "cli/service.h"
#include "cli/store_flags.h"
#include "model/relabel.h"
#include "objstore/config/factory.h"
#include "store/grpc_server.h"
#include "storegateway/blocks_api.h"
#include "storegateway/store_gateway.h"

namespace aevum::cli {
namespace {

struct StoreCommand {
  ServiceOptions service;
  RequestLogFlags request_log;
  ObjectStorageFlags object_storage;
  store::SelectLimits limits;
  FlagSet::Content index_cache;
  FlagSet::Content selector_relabel;
  std::uint64_t index_cache_bytes = 250 << 20;
  std::int64_t max_concurrency = 20;
  std::int64_t fetch_concurrency = 32;
  std::int64_t sync_concurrency = 20;
  std::int64_t series_batch = 10'000;
  std::uint64_t page_bytes = 64 << 10;
  std::string discovery = "concurrent";
  std::string download_strategy = "eager";
  bool lazy_reader = false;
  Nanoseconds idle_timeout = std::chrono::minutes(5);
  bool disable_admin = false;
  storegateway::StoreGatewayOptions options;
};

}  // namespace
}  // namespace aevum::cli
