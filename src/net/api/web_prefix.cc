#include "net/api/web_prefix.h"

#include <algorithm>
#include <vector>

namespace aevum::net {
namespace {

// Letters of a path by RFC 3986, without those that routes give a meaning.
bool IsPathCharacter(char c) {
  constexpr std::string_view kOthers = "-._~!$&'()*+,;=:@%/";
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         kOthers.find(c) != std::string_view::npos;
}

std::string_view WithoutHost(std::string_view text) {
  const std::size_t scheme = text.find("://");
  if (scheme == std::string_view::npos) return text;
  text.remove_prefix(scheme + 3);
  const std::size_t path = text.find('/');
  return path == std::string_view::npos ? std::string_view() : text.substr(path);
}

}  // namespace

StatusOr<std::string> CleanPrefix(std::string_view text) {
  std::string_view rest = WithoutHost(text);
  if (!std::all_of(rest.begin(), rest.end(), IsPathCharacter))
    return InvalidArgument("not the path of a URL: {}", text);
  std::vector<std::string_view> parts;
  while (!rest.empty()) {
    const std::size_t slash = std::min(rest.find('/'), rest.size());
    const std::string_view part = rest.substr(0, slash);
    rest.remove_prefix(std::min(slash + 1, rest.size()));
    if (part == "..") {
      if (!parts.empty()) parts.pop_back();
    } else if (!part.empty() && part != ".") {
      parts.push_back(part);
    }
  }
  std::string clean;
  for (const std::string_view part : parts) {
    clean += '/';
    clean += part;
  }
  return clean;
}

std::string WebPrefixFor(const WebPrefixOptions& options, const HttpRequest& request) {
  if (!options.external.empty()) return options.external;
  if (!options.header.empty()) {
    if (auto prefix = CleanPrefix(request.Header(options.header)); prefix.ok() && !prefix->empty())
      return *std::move(prefix);
  }
  return options.route;
}

}  // namespace aevum::net
