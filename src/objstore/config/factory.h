// Buckets out of the YAML of --objstore.config.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/environment.h"
#include "objstore/bucket.h"

namespace YAML {
class Node;
}

namespace aevum::objstore {

// What providers need beside their configuration.
struct ProviderEnvironment {
  // The variables that hold credentials, as the tools of the clouds read them.
  Environment variables = ProcessEnvironment();
  const Clock& clock = Clock::System();
  // Objects in a page of a listing; 0 for what the store likes.
  int list_page = 0;
  // The size of parts of an upload; 0 for that of the provider. Not for S3, whose configuration
  // says it.
  std::int64_t part_size_bytes = 0;
  // Where OCI is, which has no such field: "http://host:port"; "" for the host of the region.
  std::string oci_endpoint = {};
};

// The bucket of a configuration:
//
//     type: S3          # any case
//     config: {...}     # the provider's own fields
//     prefix: some/dir  # before all names
//
// InvalidArgument names the field and its line; a type that is not known is refused with the list
// of those that are. $(NAME) must be expanded before (base/environment.h), as for all such flags.
// The store is not asked yet.
StatusOr<std::unique_ptr<Bucket>> OpenBucket(std::string_view yaml,
                                             const ProviderEnvironment& environment = {});

}  // namespace aevum::objstore
