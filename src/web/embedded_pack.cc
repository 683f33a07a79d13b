// The pack between two symbols of the read-only data, or nothing: AEVUM_WEB_PACK is the path of the
// file, defined by the build when there is one.
#include "web/pack.h"

#ifdef AEVUM_WEB_PACK

asm(".pushsection .rodata\n"
    ".balign 16\n"
    ".globl aevum_web_pack_begin\n"
    ".hidden aevum_web_pack_begin\n"
    "aevum_web_pack_begin:\n"
    ".incbin \"" AEVUM_WEB_PACK
    "\"\n"
    ".globl aevum_web_pack_end\n"
    ".hidden aevum_web_pack_end\n"
    "aevum_web_pack_end:\n"
    ".popsection\n");

extern "C" {
extern const char aevum_web_pack_begin[];
extern const char aevum_web_pack_end[];
}

#endif

namespace aevum::web {

std::string_view EmbeddedPack() {
#ifdef AEVUM_WEB_PACK
  return {aevum_web_pack_begin,
          static_cast<std::size_t>(aevum_web_pack_end - aevum_web_pack_begin)};
#else
  return {};
#endif
}

}  // namespace aevum::web
