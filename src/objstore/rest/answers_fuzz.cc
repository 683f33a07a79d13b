#include <cstdint>
#include <string_view>

#include "objstore/providers/gcs.h"
#include "objstore/rest/answers.h"
#include "objstore/signing/oauth.h"
#include "objstore/signing/oci_identity.h"
#include "objstore/signing/swift_auth.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace aevum::objstore;
  if (size == 0) return 0;
  const std::string_view body(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 8) {
    case 0:
      ReadS3Listing(body).IgnoreError();
      break;
    case 1:
      ReadAzureListing(body).IgnoreError();
      break;
    case 2:
      ReadBosListing(body).IgnoreError();
      break;
    case 3:
      ReadGcsListing(body).IgnoreError();
      ReadGcsObject(body).IgnoreError();
      ReadOciListing(body).IgnoreError();
      break;
    case 4:
      ReadSwiftListing(body).IgnoreError();
      break;
    case 5:
      ReadSwiftCatalog(body, "r", "t").IgnoreError();
      ReadSwiftCatalog(body, "", "").IgnoreError();
      break;
    case 6:
      ReadXmlField(body, "r", "a.b").IgnoreError();
      ReadJsonField(body, "a.b").IgnoreError();
      ReadOAuthToken(body, 0).IgnoreError();
      ReadJsonText(body).IgnoreError();
      ExpiryOfToken(body).IgnoreError();
      break;
    default:
      ReadXmlError(body);
      ReadJsonError(body);
      ReadTextError(body);
      ReadGcsError(body);
  }
  return 0;
}
