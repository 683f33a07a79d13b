// RSA keys, which sign requests and tokens.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/status.h"

namespace aevum::objstore {

// A private key. Immutable, hence safe to share between threads.
class RsaKey {
 public:
  // Reads PEM, in the clear or under a passphrase. InvalidArgument when the key or its passphrase
  // is wrong; the message does not repeat either.
  static StatusOr<std::shared_ptr<const RsaKey>> Parse(std::string_view pem,
                                                       std::string_view passphrase);
  // A new key of 2048 bits. It takes about a tenth of a second.
  static StatusOr<std::shared_ptr<const RsaKey>> Generate();

  ~RsaKey();
  RsaKey(const RsaKey&) = delete;
  RsaKey& operator=(const RsaKey&) = delete;

  // The signature (PKCS #1, SHA-256) of the bytes.
  StatusOr<std::string> SignSha256(std::string_view bytes) const;
  // The public half in DER (SubjectPublicKeyInfo).
  StatusOr<std::string> PublicKeyDer() const;

 private:
  explicit RsaKey(void* key) : key_(key) {}
  void* const key_;  // EVP_PKEY
};

}  // namespace aevum::objstore
