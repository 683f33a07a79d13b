#include "net/tls/names.h"

#include <utility>

namespace aevum::net::tls {
namespace {

using Name = std::pair<std::string_view, std::string_view>;

constexpr std::string_view kTls13 = "";

constexpr Name kCiphers[] = {
    {"TLS_AES_128_GCM_SHA256", kTls13},
    {"TLS_AES_256_GCM_SHA384", kTls13},
    {"TLS_CHACHA20_POLY1305_SHA256", kTls13},
    {"TLS_RSA_WITH_RC4_128_SHA", "RC4-SHA"},
    {"TLS_RSA_WITH_3DES_EDE_CBC_SHA", "DES-CBC3-SHA"},
    {"TLS_RSA_WITH_AES_128_CBC_SHA", "AES128-SHA"},
    {"TLS_RSA_WITH_AES_256_CBC_SHA", "AES256-SHA"},
    {"TLS_RSA_WITH_AES_128_CBC_SHA256", "AES128-SHA256"},
    {"TLS_RSA_WITH_AES_128_GCM_SHA256", "AES128-GCM-SHA256"},
    {"TLS_RSA_WITH_AES_256_GCM_SHA384", "AES256-GCM-SHA384"},
    {"TLS_ECDHE_ECDSA_WITH_RC4_128_SHA", "ECDHE-ECDSA-RC4-SHA"},
    {"TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA", "ECDHE-ECDSA-AES128-SHA"},
    {"TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA", "ECDHE-ECDSA-AES256-SHA"},
    {"TLS_ECDHE_RSA_WITH_RC4_128_SHA", "ECDHE-RSA-RC4-SHA"},
    {"TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA", "ECDHE-RSA-DES-CBC3-SHA"},
    {"TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA", "ECDHE-RSA-AES128-SHA"},
    {"TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA", "ECDHE-RSA-AES256-SHA"},
    {"TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256", "ECDHE-ECDSA-AES128-SHA256"},
    {"TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256", "ECDHE-RSA-AES128-SHA256"},
    {"TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "ECDHE-RSA-AES128-GCM-SHA256"},
    {"TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "ECDHE-ECDSA-AES128-GCM-SHA256"},
    {"TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", "ECDHE-RSA-AES256-GCM-SHA384"},
    {"TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", "ECDHE-ECDSA-AES256-GCM-SHA384"},
    {"TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256", "ECDHE-RSA-CHACHA20-POLY1305"},
    {"TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256", "ECDHE-ECDSA-CHACHA20-POLY1305"},
    {"TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305", "ECDHE-RSA-CHACHA20-POLY1305"},
    {"TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305", "ECDHE-ECDSA-CHACHA20-POLY1305"},
};

constexpr Name kCurves[] = {
    {"CurveP256", "P-256"}, {"CurveP384", "P-384"}, {"CurveP521", "P-521"}, {"X25519", "X25519"}};

template <std::size_t N>
const Name* Find(const Name (&table)[N], std::string_view name) {
  for (const Name& entry : table) {
    if (entry.first == name) return &entry;
  }
  return nullptr;
}

void Join(std::string& list, std::string_view name) {
  if (!list.empty()) list += ':';
  list += name;
}

}  // namespace

StatusOr<CipherList> ParseCiphers(const std::vector<std::string>& names) {
  CipherList ciphers;
  for (const std::string& name : names) {
    const Name* entry = Find(kCiphers, name);
    if (entry == nullptr) return InvalidArgument("unknown TLS cipher suite: {}", name);
    if (entry->second == kTls13) {
      ciphers.any_of_tls13 = true;
    } else {
      Join(ciphers.list, entry->second);
    }
  }
  return ciphers;
}

StatusOr<std::string> ParseCurves(const std::vector<std::string>& names) {
  std::string list;
  for (const std::string& name : names) {
    const Name* entry = Find(kCurves, name);
    if (entry == nullptr) {
      return InvalidArgument(
          "unknown TLS curve, must be one of CurveP256, CurveP384, CurveP521, X25519: {}", name);
    }
    Join(list, entry->second);
  }
  return list;
}

}  // namespace aevum::net::tls
