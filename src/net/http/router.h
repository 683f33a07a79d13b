// Finds the route of a request.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "net/http/server.h"

namespace aevum::net {

// A path of a program and what answers it.
struct Route {
  std::string method;  // "" for any
  std::string name;    // label of the metrics, "" for none
  HttpHandler handler;
  bool light = false;  // runs on the small pool
};

// Patterns as HttpServer::Handle has them. A lookup walks all patterns, of which there are some
// tens. Filled by one thread, then immutable, hence safe to share.
class Router {
 public:
  struct Match {
    const Route* route = nullptr;  // null: no such path, or not with this method
    bool path_known = false;       // by a pattern that does not end in {name...}
    std::string allow;             // methods of a known path, for the Allow header
    Fields path_params;
  };

  // Refuses, by a check, a pattern that does not start with '/' or has two routes for one method.
  void Add(std::string_view pattern, Route route);
  // `raw_path` is still percent-encoded, so that a {name} may hold an encoded '/'. HEAD finds the
  // routes of GET.
  Match Find(std::string_view method, std::string_view raw_path) const;

 private:
  struct Part {
    enum class Kind { kLiteral, kOne, kRest } kind;
    std::string text;  // the literal, or the name
  };
  struct Entry {
    std::vector<Part> parts;
    std::vector<Route> routes;
  };

  static std::vector<Part> ParsePattern(std::string_view pattern);
  static bool MoreSpecific(const Entry& a, const Entry& b);
  static bool Matches(const Entry& entry, const std::vector<std::string_view>& parts,
                      Fields* params);

  std::vector<Entry> entries_;  // most specific first
};

}  // namespace aevum::net
