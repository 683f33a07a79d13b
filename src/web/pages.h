// Routes of the web application on the HTTP server of a component.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/status.h"
#include "net/api/web_prefix.h"
#include "net/http/server.h"
#include "web/pack.h"

namespace aevum::web {

// Who serves the pages: each component shows those about itself.
enum class Component : std::uint8_t { kQuery, kStore, kCompact, kBucketViewer };

struct PagesOptions {
  Component component = Component::kQuery;
  net::WebPrefixOptions prefix;
  bool admin_operations = false;  // whether pages offer to put marks beside blocks
};

// Adds the pages and the files they load, before the server starts:
//
//   - each page of the component answers with the HTML of the application, never from a cache
//   - `/` and the prefix lead to the first page
//   - paths of older user interfaces lead to their page, with their query: /new/graph,
//     /classic/graph, /query, /global
//   - files with a hash in their name may be kept for ever, the others are asked for again
//
// `pack` holds the application and must outlive the server. Without it the pages say that they
// were left out; redirects stay. Corruption when the pack is damaged.
Status AddPages(net::HttpServer& server, const PagesOptions& options,
                std::string_view pack = EmbeddedPack());

}  // namespace aevum::web
