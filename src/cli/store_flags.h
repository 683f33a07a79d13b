// Flags that every component with a StoreAPI shares.
#pragma once

#include "base/logging.h"
#include "base/status.h"
#include "cli/flags.h"
#include "cli/service.h"
#include "store/limits.h"

namespace aevum::cli {

// The group "Series limits" of the contract.
void AddSeriesLimitFlags(FlagSet& flags, store::SelectLimits* limits);

// The group "Request logging" of the contract.
class RequestLogFlags {
 public:
  void Add(FlagSet& flags);
  // Reads the configuration into the options of the servers.
  Status Load(const Logger& logger, ServiceOptions* service) const;

 private:
  FlagSet::Content config_;
};

}  // namespace aevum::cli
