#include "cli/version.h"

namespace aevum::cli {

const std::string_view kVersion = AEVUM_VERSION;
const std::string_view kRevision = AEVUM_REVISION;
#if defined(__x86_64__)
const std::string_view kArchitecture = "amd64";
#elif defined(__aarch64__)
const std::string_view kArchitecture = "arm64";
#else
const std::string_view kArchitecture = "unknown";
#endif

}  // namespace aevum::cli
