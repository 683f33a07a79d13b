// Checks one block of a bucket, all of its bytes.
#pragma once

#include <string>

#include "base/context.h"
#include "base/status.h"
#include "block/meta.h"
#include "objstore/bucket.h"
#include "tools/progress.h"
#include "tools/verify/index_check.h"

namespace aevum::tools {

// Reads the index into a temporary file and streams the segments past their checksums, some side by
// side. Sizes must be those of meta.json, where it has them. Corruption names the object, the place
// and what is wrong there; NotFound a part that is missing.
StatusOr<IndexHealth> CheckBlock(const Context& context, objstore::Bucket& bucket,
                                 const block::Meta& meta, ProgressBar& progress);

}  // namespace aevum::tools
