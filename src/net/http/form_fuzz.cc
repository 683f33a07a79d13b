// URLs, percent-encoding, forms and Accept headers: no input may crash, and what is decoded holds.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "net/http/form.h"
#include "net/url.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace aevum::net;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  AEVUM_CHECK(*PercentDecode(PercentEncode(text), true) == text);
  if (const auto decoded = PercentDecode(text, false); decoded.ok()) {
    AEVUM_CHECK(decoded->size() <= text.size());
  }
  std::vector<std::pair<std::string, std::string>> pairs;
  ParseForm(text, 16, &pairs).IgnoreError();  // errors are fine, crashes are not
  AEVUM_CHECK(pairs.size() <= 16);
  const int weight = AcceptWeight(text, "text/plain");
  AEVUM_CHECK(weight >= -1 && weight <= 1000);
  (void)AcceptsGzip(text);
  if (const auto url = Url::Parse(text); url.ok()) {
    const auto again = Url::Parse(url->ToString());
    AEVUM_CHECK(again.ok() && again->host == url->host && again->path == url->path);
  }
  return 0;
}
