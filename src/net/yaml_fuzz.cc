// The YAML and JSON files that the layer reads: no input may crash or throw.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "net/discovery/dns.h"
#include "net/discovery/file_sd.h"
#include "net/http/basic_auth.h"
#include "net/http/client.h"
#include "net/http/web_config.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace aevum::net;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  // Errors are fine.
  ParseTargetGroups(text).IgnoreError();
  ParseWebConfig(text, "/").IgnoreError();
  ParseHttpClientConfig(text).IgnoreError();
  DnsAddress::Parse(text).IgnoreError();
  (void)ParseBasicAuth(text);
  return 0;
}
