#include "web/pages.h"

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "net/api/answer.h"
#include "net/api/json_writer.h"
#include "net/http/form.h"
#include "web/index_page.h"

namespace aevum::web {
namespace {

using net::HttpRequest;
using net::HttpResponse;

// How long a client may take to read a file.
constexpr std::chrono::minutes kAnswerTimeout{2};

constexpr std::string_view kIndex = "index.html";
constexpr std::string_view kAssets = "assets/";
constexpr std::string_view kPlainText = "text/plain; charset=utf-8";

constexpr std::string_view kLeftOut =
    "This build of Aevum is without its web pages.\n\n"
    "To have them, build it where Node.js 18 (or newer) and npm are installed:\n\n"
    "    scripts/install-deps --web\n"
    "    cmake --preset release -DAEVUM_WEB=ON && cmake --build --preset release\n\n"
    "The API answers as ever, for example at /api/v1/status/buildinfo.\n";

struct ComponentPages {
  std::string_view name;  // as the application knows it
  std::string_view root;  // where "/" leads with a prefix, and the prefix itself
  std::string_view home;  // the first page
  std::vector<std::string_view> pages;
  // Paths of older user interfaces, and their pages.
  std::vector<std::pair<std::string_view, std::string_view>> moved;
};

ComponentPages PagesOf(Component component) {
  switch (component) {
    case Component::kQuery:
      break;
    case Component::kStore:
      // It knows the blocks that it has loaded alone.
      return {"store",
              "/loaded",
              "/loaded",
              {"/loaded", "/status", "/flags"},
              {{"/blocks", "/loaded"}, {"/global", "/loaded"}}};
    case Component::kCompact:
      return {"compact",
              "/blocks",
              "/blocks",
              {"/blocks", "/loaded", "/status", "/flags"},
              {{"/global", "/blocks"}}};
    case Component::kBucketViewer:
      // It loads none.
      return {"bucket",
              "/",
              "/blocks",
              {"/blocks", "/status", "/flags"},
              {{"/loaded", "/blocks"}, {"/global", "/blocks"}}};
  }
  return {"query",
          "/graph",
          "/graph",
          {"/graph", "/explorer", "/stores", "/targets", "/alerts", "/rules", "/tsdb-status",
           "/status", "/flags"},
          {{"/query", "/graph"}}};
}

void SetSecurityHeaders(HttpResponse& response, std::string_view policy) {
  response.SetHeader("Content-Security-Policy", policy);
  response.SetHeader("X-Content-Type-Options", "nosniff");
  response.SetHeader("Referrer-Policy", "same-origin");
}

// The query of a request as it came, with its '?', or "".
std::string_view QueryOf(const HttpRequest& request) {
  const std::size_t at = request.target.find('?');
  return at == std::string::npos ? std::string_view() : std::string_view(request.target).substr(at);
}

void Redirect(HttpResponse& response, const HttpRequest& request, std::string to) {
  to += QueryOf(request);
  response.SetHeader("Location", to);
  response.SetHeader("Cache-Control", "no-cache");
  response.SetStatus(302);
}

// Whether the client has the content with this tag already: If-None-Match holds it, in whatever
// coding. Tags hold no comma, so a value that has one is none of ours.
bool ClientHas(const HttpRequest& request, std::string_view tag) {
  std::string_view rest = request.Header("If-None-Match");
  while (!rest.empty()) {
    const std::size_t comma = std::min(rest.find(','), rest.size());
    std::string_view entry = net::TrimBlanks(rest.substr(0, comma));
    rest.remove_prefix(std::min(comma + 1, rest.size()));
    if (entry == "*") return true;
    if (entry.starts_with("W/")) entry.remove_prefix(2);
    if (entry.size() < 2 || entry.front() != '"' || entry.back() != '"') continue;
    entry = entry.substr(1, entry.size() - 2);
    if (entry.ends_with("-gzip")) entry.remove_suffix(5);
    if (entry == tag) return true;
  }
  return false;
}

void ServeAsset(const Asset& asset, const HttpRequest& request, HttpResponse& connection) {
  net::TimedResponse response(connection, kAnswerTimeout);
  const bool gzip = asset.compressed && net::AcceptsGzip(request.Header("Accept-Encoding"));
  // Nothing of an asset runs when somebody opens it by itself.
  SetSecurityHeaders(response, "default-src 'none'; frame-ancestors 'none'");
  response.SetHeader("Content-Type", asset.content_type);
  response.SetHeader("Cache-Control", asset.immutable ? "max-age=31536000, immutable" : "no-cache");
  response.SetHeader("Vary", "Accept-Encoding");
  response.SetHeader("ETag", '"' + std::string(asset.tag) + (gzip ? "-gzip\"" : "\""));
  if (ClientHas(request, asset.tag)) {
    response.SetStatus(304);
    return;
  }
  if (gzip) {
    response.SetHeader("Content-Encoding", "gzip");
    response.Write(asset.bytes);
    return;
  }
  const StatusOr<std::string> content = asset.Content();
  if (!content.ok()) {
    response.Abort();
    return;
  }
  response.Write(*content);
}

void ServeNothing(HttpResponse& response, std::string_view text) {
  SetSecurityHeaders(response, "default-src 'none'; frame-ancestors 'none'");
  response.SetHeader("Content-Type", kPlainText);
  response.SetHeader("Cache-Control", "no-cache");
  response.SetStatus(404);
  response.Write(text);
}

// What the handlers share, for as long as the server lives.
class Site {
 public:
  Site(const PagesOptions& options, Pack pack)
      : options_(options), pages_(PagesOf(options.component)), pack_(std::move(pack)) {
    if (const Asset* index = pack_.Find(kIndex); index != nullptr) {
      if (auto html = index->Content(); html.ok()) index_.emplace(*html);
    }
  }

  const PagesOptions& options() const { return options_; }
  const ComponentPages& pages() const { return pages_; }
  const Pack& pack() const { return pack_; }
  bool has_index() const { return index_.has_value(); }

  std::string PrefixFor(const HttpRequest& request) const {
    return net::WebPrefixFor(options_.prefix, request);
  }

  void ServePage(const HttpRequest& request, HttpResponse& connection) const {
    net::TimedResponse response(connection, kAnswerTimeout);
    if (!index_) return ServeNothing(response, kLeftOut);
    PageValues values{.nonce = MakeNonce(), .prefix = PrefixFor(request), .config = {}};
    values.config = Config(values.prefix);
    SetSecurityHeaders(response, ContentSecurityPolicy(values.nonce));
    response.SetHeader("Content-Type", "text/html; charset=utf-8");
    // No tag either: with an answer from a cache the nonce of the header would not be the page's.
    response.SetHeader("Cache-Control", "no-cache");
    response.SetHeader("Vary", options_.prefix.header.empty()
                                   ? "Accept-Encoding"
                                   : "Accept-Encoding, " + options_.prefix.header);
    response.Write(index_->Fill(values));
  }

 private:
  std::string Config(std::string_view prefix) const {
    std::string json = "{\"prefix\":";
    net::AppendJsonString(json, prefix);
    json += ",\"component\":";
    net::AppendJsonString(json, pages_.name);
    json += ",\"adminOperations\":";
    json += options_.admin_operations ? "true}" : "false}";
    return json;
  }

  const PagesOptions options_;
  const ComponentPages pages_;
  const Pack pack_;
  std::optional<IndexPage> index_;
};

using SharedSite = std::shared_ptr<const Site>;

// Routes under the prefix of a server.
class SiteRoutes {
 public:
  SiteRoutes(net::HttpServer& server, SharedSite site) : server_(server), site_(std::move(site)) {}

  void AddAll() {
    const ComponentPages& pages = site_->pages();
    for (const std::string_view page : pages.pages) {
      AddPage(page);
      LeadOld(page, page);
    }
    for (const auto& [from, to] : pages.moved) {
      Lead(from, to);
      LeadOld(from, to);
    }
    for (const char* old : {"/new", "/new/", "/classic", "/classic/", "/"}) Lead(old, pages.home);
    if (!site_->options().prefix.route.empty()) AddRoots();
    AddFiles();
  }

 private:
  void Handle(std::string_view path, net::HttpHandler handler) {
    server_.Handle("GET", site_->options().prefix.route + std::string(path), "",
                   std::move(handler));
  }

  void AddPage(std::string_view page) {
    Handle(page, [site = site_](const Context&, const HttpRequest& request,
                                HttpResponse& response) { site->ServePage(request, response); });
  }

  // To another page, where the browser sees it.
  void Lead(std::string_view from, std::string_view to) {
    Handle(from, [site = site_, to = std::string(to)](const Context&, const HttpRequest& request,
                                                      HttpResponse& response) {
      Redirect(response, request, site->PrefixFor(request) + to);
    });
  }

  void LeadOld(std::string_view from, std::string_view to) {
    for (const char* old : {"/new", "/classic"}) Lead(old + std::string(from), to);
  }

  void AddRoots() {
    const std::string root(site_->pages().root);
    // Who asks at "/" has come past the proxy, so the paths are those of this server.
    server_.Handle(
        "GET", "/", "",
        [site = site_, root](const Context&, const HttpRequest& request, HttpResponse& response) {
          Redirect(response, request, site->options().prefix.route + root);
        });
    Lead("", root);
  }

  void AddFiles() {
    if (!site_->has_index()) return;
    for (const Asset& asset : site_->pack().assets()) {
      if (asset.path == kIndex || asset.path.starts_with(kAssets)) continue;
      Handle(
          '/' + std::string(asset.path),
          [site = site_, &asset](const Context&, const HttpRequest& request,
                                 HttpResponse& response) { ServeAsset(asset, request, response); });
    }
    Handle("/assets/{path...}",
           [site = site_](const Context&, const HttpRequest& request, HttpResponse& response) {
             const std::string path = std::string(kAssets) + std::string(request.PathParam("path"));
             const Asset* asset = site->pack().Find(path);
             if (asset == nullptr) return ServeNothing(response, "there is no such file\n");
             ServeAsset(*asset, request, response);
           });
  }

  net::HttpServer& server_;
  const SharedSite site_;
};

}  // namespace

Status AddPages(net::HttpServer& server, const PagesOptions& options, std::string_view pack) {
  ASSIGN_OR_RETURN(Pack parsed, Pack::Parse(pack));
  if (const Asset* index = parsed.Find(kIndex); index != nullptr)
    RETURN_IF_ERROR(index->Content().status());
  SiteRoutes(server, std::make_shared<const Site>(options, std::move(parsed))).AddAll();
  return OkStatus();
}

}  // namespace aevum::web
