// Under which path a server is seen: by itself and behind a reverse proxy.
#pragma once

#include <string>
#include <string_view>

#include "base/status.h"
#include "net/http/server.h"

namespace aevum::net {

struct WebPrefixOptions {
  std::string route;          // "" or "/prefix": of all paths of the API
  std::string external = {};  // "" or "/prefix": of links and redirects, whatever a header says
  std::string header = {};    // the header with such a prefix, set by a reverse proxy; "": none
};

// A prefix as people and proxies write it ("thanos/", "//a/b/", "https://host/thanos") as
// "/thanos";
// "" for the root. Scheme and host go, so that a header can't lead a browser to another server, and
// dots are resolved. InvalidArgument for characters that have no place in a path.
StatusOr<std::string> CleanPrefix(std::string_view text);

// The prefix of links and redirects in the answer to a request: the external one, else that of the
// header, else that of the routes. A header that can't be right counts as absent.
std::string WebPrefixFor(const WebPrefixOptions& options, const HttpRequest& request);

}  // namespace aevum::net
