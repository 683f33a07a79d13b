// The digest of a request's body.
#pragma once

#include <string>

#include "objstore/rest/request.h"
#include "objstore/signing/digest.h"

namespace aevum::objstore {

// Reads a source in pieces.
StatusOr<std::string> DigestOfBody(DigestKind kind, const RestRequest& request);

}  // namespace aevum::objstore
