#include "net/http/basic_auth.h"

#include <crypt.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <iterator>
#include <memory>

#include "base/check.h"
#include "net/http/form.h"

namespace aevum::net {
namespace {

constexpr std::size_t kVerdicts = 100;
// A user name and a password; larger ones are no attempt to log in.
constexpr std::size_t kCredentialBytes = 4 << 10;
// A hash that no password of ours has, so that unknown users take as long as known ones.
const std::string& HashOfNobody() {
  static const std::string hash = "$2y$10$MpP6YLtORCv.woLXmcr6DuqKGrD4al2LeIyNiMS30cEehVJJRtkWG";
  return hash;
}

std::optional<std::string> DecodeBase64(std::string_view text) {
  if (text.empty() || text.size() % 4 != 0 || text.size() > kCredentialBytes) return std::nullopt;
  std::string out(text.size() / 4 * 3, '\0');
  const int size = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                                   reinterpret_cast<const unsigned char*>(text.data()),
                                   static_cast<int>(text.size()));
  if (size < 0) return std::nullopt;
  std::size_t padding = 0;
  while (padding < 2 && text[text.size() - 1 - padding] == '=') ++padding;
  out.resize(static_cast<std::size_t>(size) - padding);
  return out;
}

bool CheckBcrypt(const std::string& password, const std::string& hash) {
  // crypt_r would end the password at a NUL.
  if (password.find('\0') != std::string::npos) return false;
  const auto data = std::make_unique<crypt_data>();
  const char* computed = crypt_r(password.c_str(), hash.c_str(), data.get());
  if (computed == nullptr) return false;
  const std::string_view got = computed;
  return got.size() == hash.size() && CRYPTO_memcmp(got.data(), hash.data(), hash.size()) == 0;
}

void AppendSized(const std::string& text, std::string* out) {
  *out += std::to_string(text.size());
  *out += ':';
  *out += text;
}

}  // namespace

std::optional<Credentials> ParseBasicAuth(std::string_view authorization) {
  static constexpr std::string_view kScheme = "basic ";
  if (!EqualsIgnoreCase(authorization.substr(0, kScheme.size()), kScheme)) return std::nullopt;
  const auto decoded = DecodeBase64(TrimBlanks(authorization.substr(kScheme.size())));
  if (!decoded) return std::nullopt;
  const std::size_t colon = decoded->find(':');
  if (colon == std::string::npos) return std::nullopt;
  return Credentials{decoded->substr(0, colon), decoded->substr(colon + 1)};
}

BasicAuth::BasicAuth() { AEVUM_CHECK(RAND_bytes(key_.data(), static_cast<int>(key_.size())) == 1); }

BasicAuth::Digest BasicAuth::DigestOf(const std::string& hash,
                                      const Credentials& credentials) const {
  std::string text;
  AppendSized(credentials.user, &text);
  AppendSized(hash, &text);
  AppendSized(credentials.password, &text);
  Digest digest{};
  AEVUM_CHECK(HMAC(EVP_sha256(), key_.data(), static_cast<int>(key_.size()),
                   reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data(),
                   nullptr) != nullptr);
  return digest;
}

std::optional<bool> BasicAuth::Known(const Users& users, const Credentials& credentials) {
  const auto user = users.find(credentials.user);
  const Digest digest = DigestOf(user == users.end() ? HashOfNobody() : user->second, credentials);
  MutexLock lock(mutex_);
  const auto verdict = verdicts_.find(digest);
  if (verdict == verdicts_.end()) return std::nullopt;
  return verdict->second;
}

bool BasicAuth::Verify(const Users& users, const Credentials& credentials) {
  const auto user = users.find(credentials.user);
  const bool known = user != users.end();
  const std::string& hash = known ? user->second : HashOfNobody();
  const bool verdict = CheckBcrypt(credentials.password, hash) && known;
  const Digest digest = DigestOf(hash, credentials);
  MutexLock lock(mutex_);
  if (verdicts_.size() >= kVerdicts) {
    verdicts_.erase(
        std::next(verdicts_.begin(), static_cast<std::ptrdiff_t>(random_() % verdicts_.size())));
  }
  verdicts_.insert_or_assign(digest, verdict);
  return verdict;
}

}  // namespace aevum::net
