// What this build is.
#pragma once

#include <string_view>

namespace aevum::cli {

extern const std::string_view kVersion;
extern const std::string_view kRevision;      // of the source, "unknown" outside a repository
extern const std::string_view kArchitecture;  // "amd64", "arm64"

}  // namespace aevum::cli
