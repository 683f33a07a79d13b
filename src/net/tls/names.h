// The names that Go's crypto/tls gives to cipher suites and curves, in OpenSSL's terms.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace aevum::net::tls {

struct CipherList {
  std::string list;  // for SSL_CTX_set_cipher_list; empty when no suite of TLS 1.2 or older
  bool any_of_tls13 = false;
};

// InvalidArgument names the suite that is not known.
StatusOr<CipherList> ParseCiphers(const std::vector<std::string>& names);

// For SSL_CTX_set1_groups_list. InvalidArgument names the curve that is not known.
StatusOr<std::string> ParseCurves(const std::vector<std::string>& names);

}  // namespace aevum::net::tls
