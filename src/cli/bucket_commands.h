// Flags that several tools of buckets share, and those of them that run on.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/duration.h"
#include "base/status.h"
#include "cli/commands.h"
#include "cli/flags.h"
#include "cli/store_flags.h"
#include "model/ulid.h"

namespace aevum::cli {

// --min-time and --max-time; a block that only touches one of them is left out.
struct BlockTimeFlags {
  TimeOrDuration min_time = *TimeOrDuration::Parse("0000-01-01T00:00:00Z");
  TimeOrDuration max_time = *TimeOrDuration::Parse("9999-12-31T23:59:59Z");
  void Add(FlagSet& flags);
};

// The values of --id. InvalidArgument names the one that is no ULID.
StatusOr<std::set<model::Ulid>> ReadUlids(const std::vector<std::string>& ids);

Command AddDownsampleCommand(CLI::App& bucket, std::shared_ptr<const ObjectStorageFlags> storage);
Command AddReplicateCommand(CLI::App& bucket, std::shared_ptr<const ObjectStorageFlags> storage);
Command AddRewriteCommand(CLI::App& bucket, std::shared_ptr<const ObjectStorageFlags> storage);
Command AddWebCommand(CLI::App& bucket, std::shared_ptr<const ObjectStorageFlags> storage);

}  // namespace aevum::cli
