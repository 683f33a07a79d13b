#include "objstore/rest/request.h"

#include <algorithm>

#include "net/http/form.h"
#include "net/url.h"

namespace aevum::objstore {

std::string_view RestRequest::Header(std::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (net::EqualsIgnoreCase(key, name)) return value;
  }
  return {};
}

void RestRequest::SetHeader(std::string_view name, std::string value) {
  for (auto& [key, old] : headers) {
    if (net::EqualsIgnoreCase(key, name)) {
      old = std::move(value);
      return;
    }
  }
  headers.emplace_back(name, std::move(value));
}

std::string RestRequest::Target() const {
  std::string target = path;
  char separator = '?';
  for (const auto& [name, value] : query) {
    target += std::exchange(separator, '&');
    target += net::PercentEncode(name);
    // Signatures of Amazon count an empty value as one, and other stores don't mind the '='.
    if (!value.empty()) target += "=" + net::PercentEncode(value);
  }
  return target;
}

std::string EncodePath(std::string_view name) {
  std::string encoded;
  while (true) {
    const std::size_t slash = name.find('/');
    encoded += net::PercentEncode(name.substr(0, slash));
    if (slash == std::string_view::npos) return encoded;
    encoded += '/';
    name.remove_prefix(slash + 1);
  }
}

std::string CanonicalQuery(const Fields& query) {
  Fields encoded;
  for (const auto& [name, value] : query) {
    encoded.emplace_back(net::PercentEncode(name), net::PercentEncode(value));
  }
  std::sort(encoded.begin(), encoded.end());
  std::string text;
  for (const auto& [name, value] : encoded) {
    text += (text.empty() ? "" : "&") + name + "=" + value;
  }
  return text;
}

}  // namespace aevum::objstore
