// The first byte chooses what the rest is: a meta.json or one of the marks. What is accepted must
// come back the same from its own text.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "block/marks.h"
#include "block/meta.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace aevum::block;
  if (size == 0 || size > 1 << 20) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::size_t kind = data[0] % (kAllMarks.size() + 1);
  if (kind == kAllMarks.size()) {
    const auto meta = Meta::Parse(text);
    if (!meta.ok()) return 0;
    const std::string written = meta->Write();
    const auto again = Meta::Parse(written);
    AEVUM_CHECK(again.ok() && again->Write() == written);
    return 0;
  }
  const auto mark = Mark::Parse(kAllMarks[kind], text);
  if (!mark.ok()) return 0;
  const auto again = Mark::Parse(kAllMarks[kind], mark->Write());
  AEVUM_CHECK(again.ok() && *again == *mark);
  return 0;
}
