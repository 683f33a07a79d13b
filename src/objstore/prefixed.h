// A bucket whose objects lie under a prefix of another.
#pragma once

#include <memory>
#include <string>

#include "objstore/bucket.h"

namespace aevum::objstore {

// Names are those without the prefix, in and out; errors show them in full. Slashes at the ends of
// the prefix don't count, and one of slashes alone is none.
std::unique_ptr<Bucket> WithPrefix(std::unique_ptr<Bucket> bucket, std::string_view prefix);

}  // namespace aevum::objstore
