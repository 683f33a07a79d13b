// Undoes gzip, for tests.
#pragma once

#include <string>
#include <string_view>

namespace aevum::net {

// "" when the bytes are not one whole gzip stream.
std::string TestGunzip(std::string_view bytes);

}  // namespace aevum::net
