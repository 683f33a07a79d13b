#include "objstore/signing/rsa_key.h"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <algorithm>

namespace aevum::objstore {
namespace {

constexpr unsigned int kNewKeyBits = 2048;

EVP_PKEY* Key(void* key) { return static_cast<EVP_PKEY*>(key); }

// Answers a question for the passphrase out of what is configured, never from a terminal.
int GivePassphrase(char* out, int size, int, void* passphrase) {
  const auto& text = *static_cast<const std::string_view*>(passphrase);
  if (size < 0 || text.size() > static_cast<std::size_t>(size)) return -1;
  std::copy(text.begin(), text.end(), out);
  return static_cast<int>(text.size());
}

}  // namespace

StatusOr<std::shared_ptr<const RsaKey>> RsaKey::Parse(std::string_view pem,
                                                      std::string_view passphrase) {
  const std::unique_ptr<BIO, decltype(&BIO_free)> text(
      BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), BIO_free);
  EVP_PKEY* read = PEM_read_bio_PrivateKey(text.get(), nullptr, GivePassphrase, &passphrase);
  if (read == nullptr) {
    return InvalidArgument("the private key is not PEM, or its passphrase is wrong");
  }
  std::shared_ptr<const RsaKey> key(new RsaKey(read));
  if (EVP_PKEY_base_id(read) != EVP_PKEY_RSA) {
    return InvalidArgument("the private key is not one of RSA");
  }
  return key;
}

StatusOr<std::shared_ptr<const RsaKey>> RsaKey::Generate() {
  EVP_PKEY* made = EVP_RSA_gen(kNewKeyBits);
  if (made == nullptr) return Internal("a new RSA key can't be made");
  return std::shared_ptr<const RsaKey>(new RsaKey(made));
}

RsaKey::~RsaKey() { EVP_PKEY_free(Key(key_)); }

StatusOr<std::string> RsaKey::SignSha256(std::string_view bytes) const {
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> state(EVP_MD_CTX_new(),
                                                                      EVP_MD_CTX_free);
  std::string out(static_cast<std::size_t>(EVP_PKEY_size(Key(key_))), '\0');
  std::size_t size = out.size();
  if (EVP_DigestSignInit(state.get(), nullptr, EVP_sha256(), nullptr, Key(key_)) != 1 ||
      EVP_DigestSign(state.get(), reinterpret_cast<unsigned char*>(out.data()), &size,
                     reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()) != 1) {
    return InvalidArgument("the private key can't sign");
  }
  out.resize(size);
  return out;
}

StatusOr<std::string> RsaKey::PublicKeyDer() const {
  unsigned char* bytes = nullptr;
  const int size = i2d_PUBKEY(Key(key_), &bytes);
  if (size < 0) return Internal("the public half of an RSA key can't be written");
  std::string der(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size));
  OPENSSL_free(bytes);
  return der;
}

}  // namespace aevum::objstore
