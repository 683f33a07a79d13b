// The index cache of --index-cache.config.
#pragma once

#include <memory>
#include <string_view>

#include "base/logging.h"
#include "base/status.h"
#include "storegateway/index_cache.h"

namespace prometheus {
class Registry;
}

namespace aevum::storegateway {

//     type: MEMCACHED            # IN-MEMORY, MEMCACHED, REDIS; any case
//     config: {...}              # of the type, see cache/config.h
//     enabled_items: [Postings]  # Postings, ExpandedPostings, Series; none: all
//     ttl: 24h                   # of items in remote caches
//
// InvalidArgument names the field and its line. A remote server need not answer.
StatusOr<std::shared_ptr<IndexCache>> OpenIndexCache(
    std::string_view yaml, const Logger& logger,
    const std::shared_ptr<prometheus::Registry>& metrics);

}  // namespace aevum::storegateway
