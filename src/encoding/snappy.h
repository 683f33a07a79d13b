// The block format of snappy.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/status.h"

namespace aevum::encoding {

std::string SnappyCompress(std::string_view bytes);

// Checks the declared size before it allocates. Corruption for damaged bytes; ResourceExhausted
// when they declare more than `limit_bytes`.
StatusOr<std::string> SnappyDecompress(std::string_view bytes, std::size_t limit_bytes);

}  // namespace aevum::encoding
