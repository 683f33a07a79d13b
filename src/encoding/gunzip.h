// Unpacks gzip files.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/status.h"

namespace aevum::encoding {

// True for the first bytes of a gzip file.
bool IsGzip(std::string_view bytes);

// Unpacks a gzip file of one or more members. Corruption when it is damaged or cut;
// ResourceExhausted when it unpacks to more than `limit_bytes`.
StatusOr<std::string> Gunzip(std::string_view bytes, std::size_t limit_bytes = 64 << 20);

}  // namespace aevum::encoding
