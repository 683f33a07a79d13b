#include "storegateway/index_cache_keys.h"

#include <algorithm>
#include <tuple>

#include <fmt/format.h>
#include <sodium.h>

namespace aevum::storegateway {
namespace {

constexpr std::size_t kHashBytes = 32;

std::string HashOf(std::string_view text) {
  unsigned char hash[kHashBytes];
  crypto_generichash_blake2b(hash, sizeof hash, reinterpret_cast<const unsigned char*>(text.data()),
                             text.size(), nullptr, 0);
  constexpr int kForm = sodium_base64_VARIANT_URLSAFE_NO_PADDING;
  char base64[sodium_base64_ENCODED_LEN(kHashBytes, kForm)];
  return sodium_bin2base64(base64, sizeof base64, hash, sizeof hash, kForm);
}

}  // namespace

std::string PostingsCacheKey(std::string_view block, std::string_view name,
                             std::string_view value) {
  return fmt::format("P:{}:{}:dss", block, HashOf(fmt::format("{}:{}", name, value)));
}

std::string ExpandedPostingsCacheKey(std::string_view block, const model::Matchers& matchers) {
  model::Matchers sorted = matchers;
  std::sort(sorted.begin(), sorted.end(), [](const model::Matcher& a, const model::Matcher& b) {
    return std::tuple(a.type(), std::string_view(a.name()), std::string_view(a.value())) <
           std::tuple(b.type(), std::string_view(b.name()), std::string_view(b.value()));
  });
  std::string text;
  for (const model::Matcher& matcher : sorted) {
    if (!text.empty()) text += ';';
    text += matcher.ToString();
  }
  return fmt::format("EP:{}:{}:dss", block, HashOf(text));
}

std::string SeriesCacheKey(std::string_view block, std::uint64_t offset) {
  return fmt::format("S:{}:{}", block, offset);
}

}  // namespace aevum::storegateway
