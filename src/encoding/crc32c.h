// CRC-32C (Castagnoli), as Prometheus and Thanos use it everywhere.
#pragma once

#include <cstdint>
#include <string_view>

namespace aevum::encoding {

std::uint32_t Crc32c(std::string_view bytes);
// The checksum of what `crc` is the checksum of, followed by `bytes`.
std::uint32_t ExtendCrc32c(std::uint32_t crc, std::string_view bytes);

}  // namespace aevum::encoding
