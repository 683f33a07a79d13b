#include "objstore/signing/digest.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>

#include "base/check.h"
#include "objstore/signing/rsa_key.h"

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
  ASSIGN_OR_RETURN(const std::shared_ptr<const RsaKey> key,
                   RsaKey::Parse(private_key_pem, passphrase));
  return key->SignSha256(bytes);
}

}  // namespace aevum::objstore
