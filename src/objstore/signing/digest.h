// Digests, keyed digests and the texts that carry them, as signatures of requests need them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/status.h"

namespace aevum::objstore {

enum class DigestKind : std::uint8_t { kMd5, kSha1, kSha256 };

// The raw bytes of the digest.
std::string Digest(DigestKind kind, std::string_view bytes);
std::string Hmac(DigestKind kind, std::string_view key, std::string_view bytes);

// A digest of bytes that come in pieces. Thread-compatible.
class RunningDigest {
 public:
  explicit RunningDigest(DigestKind kind);
  ~RunningDigest();
  RunningDigest(const RunningDigest&) = delete;
  RunningDigest& operator=(const RunningDigest&) = delete;

  void Add(std::string_view piece);
  // To be called once.
  std::string Finish();

 private:
  void* state_;  // EVP_MD_CTX
};

// Lower case.
std::string Hex(std::string_view bytes);
std::string Base64(std::string_view bytes);
// With the alphabet of URLs and without '='.
std::string Base64Url(std::string_view bytes);
// InvalidArgument for what is not Base64.
StatusOr<std::string> DecodeBase64(std::string_view text);

// The RSA signature (PKCS #1, SHA-256) of the bytes by a private key in PEM. InvalidArgument when
// the key or its passphrase is wrong; the message does not repeat either.
StatusOr<std::string> SignRsaSha256(std::string_view private_key_pem, std::string_view passphrase,
                                    std::string_view bytes);

}  // namespace aevum::objstore
