// The regions of Oracle's cloud and the domains that they are in.
#pragma once

#include <string>
#include <string_view>

#include "base/environment.h"

namespace aevum::objstore {

// What the hosts of a region end with: "eu-frankfurt-1.oraclecloud.com" for "eu-frankfurt-1", "FRA"
// or "fra". A region with a '.' is that already. One that is not known is taken to be in the realm
// OCI_DEFAULT_REALM, "oraclecloud.com" when that is not set.
std::string OciRegionDomain(std::string_view region, const Environment& variables);

}  // namespace aevum::objstore
