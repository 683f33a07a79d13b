#include "net/http/test_gunzip.h"

#include <cstdint>

#include <isa-l.h>

namespace aevum::net {

std::string TestGunzip(std::string_view bytes) {
  inflate_state state;
  isal_inflate_init(&state);
  state.crc_flag = ISAL_GZIP;
  state.next_in = reinterpret_cast<std::uint8_t*>(const_cast<char*>(bytes.data()));
  state.avail_in = static_cast<std::uint32_t>(bytes.size());
  std::string out;
  while (state.block_state != ISAL_BLOCK_FINISH) {
    const std::size_t used = out.size();
    out.resize(used + (64 << 10));
    state.next_out = reinterpret_cast<std::uint8_t*>(out.data() + used);
    state.avail_out = 64 << 10;
    if (isal_inflate(&state) != ISAL_DECOMP_OK) return "";
    const bool starved = state.avail_out == 64 << 10 && state.avail_in == 0;
    out.resize(out.size() - state.avail_out);
    if (starved && state.block_state != ISAL_BLOCK_FINISH) return "";
  }
  return state.avail_in == 0 ? out : "";
}

}  // namespace aevum::net
