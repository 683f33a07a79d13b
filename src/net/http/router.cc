#include "net/http/router.h"

#include <algorithm>

#include "base/check.h"
#include "net/url.h"

namespace aevum::net {
namespace {

// "/a/b" is "a", "b"; "/" is one empty part.
std::vector<std::string_view> SplitPath(std::string_view path) {
  std::vector<std::string_view> parts;
  if (path.starts_with('/')) path.remove_prefix(1);
  while (true) {
    const std::size_t slash = path.find('/');
    parts.push_back(path.substr(0, slash));
    if (slash == std::string_view::npos) return parts;
    path.remove_prefix(slash + 1);
  }
}

bool ServesMethod(const Route& route, std::string_view method) {
  return route.method.empty() || route.method == method ||
         (method == "HEAD" && route.method == "GET");
}

}  // namespace

std::vector<Router::Part> Router::ParsePattern(std::string_view pattern) {
  std::vector<Part> parts;
  for (std::string_view text : SplitPath(pattern)) {
    if (text.starts_with('{') && text.ends_with("...}")) {
      parts.push_back({Part::Kind::kRest, std::string(text.substr(1, text.size() - 5))});
    } else if (text.starts_with('{') && text.ends_with('}')) {
      parts.push_back({Part::Kind::kOne, std::string(text.substr(1, text.size() - 2))});
    } else {
      parts.push_back({Part::Kind::kLiteral, std::string(text)});
    }
  }
  return parts;
}

bool Router::MoreSpecific(const Entry& a, const Entry& b) {
  const std::size_t both = std::min(a.parts.size(), b.parts.size());
  for (std::size_t i = 0; i < both; ++i) {
    if (a.parts[i].kind != b.parts[i].kind) return a.parts[i].kind < b.parts[i].kind;
  }
  return a.parts.size() > b.parts.size();
}

void Router::Add(std::string_view pattern, Route route) {
  AEVUM_CHECK(pattern.starts_with('/'));
  Entry entry{ParsePattern(pattern), {}};
  const auto same = std::find_if(entries_.begin(), entries_.end(), [&](const Entry& other) {
    return std::equal(
        other.parts.begin(), other.parts.end(), entry.parts.begin(), entry.parts.end(),
        [](const Part& a, const Part& b) { return a.kind == b.kind && a.text == b.text; });
  });
  if (same != entries_.end()) {
    for (const Route& other : same->routes) AEVUM_CHECK(other.method != route.method);
    same->routes.push_back(std::move(route));
    return;
  }
  entry.routes.push_back(std::move(route));
  const auto place = std::find_if(entries_.begin(), entries_.end(),
                                  [&](const Entry& other) { return MoreSpecific(entry, other); });
  entries_.insert(place, std::move(entry));
}

bool Router::Matches(const Entry& entry, const std::vector<std::string_view>& parts,
                     Fields* params) {
  std::size_t at = 0;
  for (const Part& part : entry.parts) {
    if (part.kind == Part::Kind::kRest) {
      if (at >= parts.size()) return false;
      const char* begin = parts[at].data();
      const char* end = parts.back().data() + parts.back().size();
      StatusOr<std::string> rest =
          PercentDecode({begin, static_cast<std::size_t>(end - begin)}, false);
      if (!rest.ok()) return false;
      params->emplace_back(part.text, *std::move(rest));
      return true;
    }
    if (at >= parts.size()) return false;
    StatusOr<std::string> text = PercentDecode(parts[at], false);
    if (!text.ok()) return false;
    if (part.kind == Part::Kind::kLiteral) {
      if (*text != part.text) return false;
    } else {
      if (text->empty()) return false;
      params->emplace_back(part.text, *std::move(text));
    }
    ++at;
  }
  return at == parts.size();
}

Router::Match Router::Find(std::string_view method, std::string_view raw_path) const {
  Match match;
  const std::vector<std::string_view> parts = SplitPath(raw_path);
  for (const Entry& entry : entries_) {
    Fields params;
    if (!Matches(entry, parts, &params)) continue;
    // A pattern for all the rest says nothing of which paths there are.
    if (entry.parts.back().kind != Part::Kind::kRest) match.path_known = true;
    const Route* found = nullptr;
    for (const Route& route : entry.routes) {
      // An exact method wins over "any", and a HEAD of its own over GET.
      if (ServesMethod(route, method) && (!found || route.method == method)) found = &route;
      if (route.method.empty()) continue;
      if (!match.allow.empty()) match.allow += ", ";
      match.allow += route.method;
    }
    if (found) {
      match.route = found;
      match.path_params = std::move(params);
      return match;
    }
  }
  return match;
}

}  // namespace aevum::net
