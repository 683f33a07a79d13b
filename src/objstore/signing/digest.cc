#include "objstore/signing/digest.h"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>

#include <algorithm>
#include <memory>

#include "base/check.h"

namespace aevum::objstore {
namespace {

const EVP_MD* Kind(DigestKind kind) {
  switch (kind) {
    case DigestKind::kMd5:
      return EVP_md5();
    case DigestKind::kSha1:
      return EVP_sha1();
    case DigestKind::kSha256:
      return EVP_sha256();
  }
  return nullptr;
}

const unsigned char* Bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

unsigned char* Bytes(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }

EVP_MD_CTX* State(void* state) { return static_cast<EVP_MD_CTX*>(state); }

// Answers a question for the passphrase out of what is configured, never from a terminal.
int GivePassphrase(char* out, int size, int, void* passphrase) {
  const auto& text = *static_cast<const std::string_view*>(passphrase);
  if (size < 0 || text.size() > static_cast<std::size_t>(size)) return -1;
  std::copy(text.begin(), text.end(), out);
  return static_cast<int>(text.size());
}

}  // namespace

std::string Digest(DigestKind kind, std::string_view bytes) {
  RunningDigest digest(kind);
  digest.Add(bytes);
  return digest.Finish();
}

std::string Hmac(DigestKind kind, std::string_view key, std::string_view bytes) {
  std::string out(EVP_MAX_MD_SIZE, '\0');
  unsigned int size = 0;
  AEVUM_CHECK(HMAC(Kind(kind), key.data(), static_cast<int>(key.size()), Bytes(bytes), bytes.size(),
                   Bytes(out), &size) != nullptr);
  out.resize(size);
  return out;
}

RunningDigest::RunningDigest(DigestKind kind) : state_(EVP_MD_CTX_new()) {
  AEVUM_CHECK(EVP_DigestInit_ex(State(state_), Kind(kind), nullptr) == 1);
}

RunningDigest::~RunningDigest() { EVP_MD_CTX_free(State(state_)); }

void RunningDigest::Add(std::string_view piece) {
  AEVUM_CHECK(EVP_DigestUpdate(State(state_), piece.data(), piece.size()) == 1);
}

std::string RunningDigest::Finish() {
  std::string out(EVP_MAX_MD_SIZE, '\0');
  unsigned int size = 0;
  AEVUM_CHECK(EVP_DigestFinal_ex(State(state_), Bytes(out), &size) == 1);
  out.resize(size);
  return out;
}

std::string Hex(std::string_view bytes) {
  static constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  out.reserve(bytes.size() * 2);
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    out += kDigits[byte >> 4];
    out += kDigits[byte & 15];
  }
  return out;
}

std::string Base64(std::string_view bytes) {
  // EVP_EncodeBlock writes a zero byte behind.
  std::string out((bytes.size() + 2) / 3 * 4 + 1, '\0');
  EVP_EncodeBlock(Bytes(out), Bytes(bytes), static_cast<int>(bytes.size()));
  out.pop_back();
  return out;
}

std::string Base64Url(std::string_view bytes) {
  std::string out = Base64(bytes);
  std::replace(out.begin(), out.end(), '+', '-');
  std::replace(out.begin(), out.end(), '/', '_');
  while (out.ends_with('=')) out.pop_back();
  return out;
}

StatusOr<std::string> DecodeBase64(std::string_view text) {
  if (text.size() % 4 != 0) return InvalidArgument("not Base64: the length is no multiple of 4");
  std::string out(text.size() / 4 * 3, '\0');
  const int size = EVP_DecodeBlock(Bytes(out), Bytes(text), static_cast<int>(text.size()));
  if (size < 0) return InvalidArgument("not Base64: a character that is not of its alphabet");
  const std::size_t padding = text.ends_with("==") ? 2 : (text.ends_with('=') ? 1 : 0);
  out.resize(static_cast<std::size_t>(size) - padding);
  return out;
}

StatusOr<std::string> SignRsaSha256(std::string_view private_key_pem, std::string_view passphrase,
                                    std::string_view bytes) {
  const std::unique_ptr<BIO, decltype(&BIO_free)> text(
      BIO_new_mem_buf(private_key_pem.data(), static_cast<int>(private_key_pem.size())), BIO_free);
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(
      PEM_read_bio_PrivateKey(text.get(), nullptr, GivePassphrase, &passphrase), EVP_PKEY_free);
  if (!key) return InvalidArgument("the private key is not PEM, or its passphrase is wrong");
  if (EVP_PKEY_base_id(key.get()) != EVP_PKEY_RSA) {
    return InvalidArgument("the private key is not one of RSA");
  }
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> state(EVP_MD_CTX_new(),
                                                                      EVP_MD_CTX_free);
  std::size_t size = 0;
  std::string out(static_cast<std::size_t>(EVP_PKEY_size(key.get())), '\0');
  size = out.size();
  if (EVP_DigestSignInit(state.get(), nullptr, EVP_sha256(), nullptr, key.get()) != 1 ||
      EVP_DigestSign(state.get(), Bytes(out), &size, Bytes(bytes), bytes.size()) != 1) {
    return InvalidArgument("the private key can't sign");
  }
  out.resize(size);
  return out;
}

}  // namespace aevum::objstore
