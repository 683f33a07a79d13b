#include "web/pages.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <tuple>

#include "base/files.h"
#include "encoding/gunzip.h"
#include "net/http/test_client.h"
#include "web/index_page.h"

namespace aevum::web {
namespace {

using net::TestAnswer;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr const char* kScript = "assets/index-Aa1_-zZ9.js";

class PagesTest : public ::testing::Test {
 protected:
  PagesTest() {
    StatusOr<std::string> bytes = ReadFile(AEVUM_TEST_PACK);
    EXPECT_TRUE(bytes.ok()) << bytes.status();
    pack_ = bytes.ok() ? *std::move(bytes) : "";
  }
  ~PagesTest() override { Stop(); }

  void Start(const PagesOptions& options) { Start(options, pack_); }
  void Start(const PagesOptions& options, std::string_view pack) {
    Stop();
    net::HttpServerOptions http;
    http.address = "127.0.0.1:0";
    http.handler_threads = 2;
    server_ = std::make_unique<net::HttpServer>(http, Logger(), nullptr);
    const Status added = AddPages(*server_, options, pack);
    ASSERT_TRUE(added.ok()) << added;
    const Status started = server_->Start();
    ASSERT_TRUE(started.ok()) << started;
  }
  void Stop() {
    if (server_) server_->Stop(std::chrono::milliseconds(0));
    server_.reset();
  }

  // `headers` are lines that end with CR LF.
  TestAnswer Do(const std::string& method, const std::string& target,
                const std::string& headers = "") {
    net::TestClient client(server_->port());
    client.Send(method + " " + target + " HTTP/1.1\r\nHost: h\r\n" + headers + "\r\n");
    return client.Receive(/*head_only=*/method == "HEAD");
  }
  TestAnswer Get(const std::string& target, const std::string& headers = "") {
    return Do("GET", target, headers);
  }

  std::string Content(std::string_view path) {
    const StatusOr<Pack> pack = Pack::Parse(pack_);
    const Asset* asset = pack.ok() ? pack->Find(path) : nullptr;
    const StatusOr<std::string> content = asset ? asset->Content() : NotFound("no such asset");
    EXPECT_TRUE(content.ok()) << content.status();
    return content.ok() ? *content : "";
  }

  std::string pack_;
  std::unique_ptr<net::HttpServer> server_;
};

std::string Between(std::string_view text, std::string_view begin, std::string_view end) {
  const std::size_t from = text.find(begin);
  if (from == std::string_view::npos) return "";
  text.remove_prefix(from + begin.size());
  return std::string(text.substr(0, text.find(end)));
}

TEST_F(PagesTest, EachComponentShowsItsOwn) {
  struct Case {
    Component component;
    std::string name;
    std::vector<std::string> pages;
    std::vector<std::string> others;
    std::string home;
  };
  const Case cases[] = {
      {Component::kQuery,
       "query",
       {"/graph", "/explorer", "/stores", "/targets", "/alerts", "/rules", "/tsdb-status",
        "/status", "/flags"},
       {"/blocks", "/loaded", "/config", "/graph/x", "/graphs", "/index.html"},
       "/graph"},
      {Component::kStore,
       "store",
       {"/loaded", "/status", "/flags"},
       {"/graph", "/query"},
       "/loaded"},
      {Component::kCompact,
       "compact",
       {"/blocks", "/loaded", "/status", "/flags"},
       {"/graph"},
       "/blocks"},
      {Component::kBucketViewer, "bucket", {"/blocks", "/status", "/flags"}, {"/graph"}, "/blocks"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    Start({.component = c.component, .admin_operations = true});
    for (const std::string& page : c.pages) {
      SCOPED_TRACE(page);
      const TestAnswer answer = Get(page);
      EXPECT_EQ(answer.status, 200);
      EXPECT_EQ(answer.Header("Content-Type"), "text/html; charset=utf-8");
      EXPECT_EQ(Between(answer.body, "id=\"aevum-config\">", "</script>"),
                R"({"prefix":"","component":")" + c.name + R"(","adminOperations":true})");
      EXPECT_EQ(Do("POST", page).status, 405);
    }
    for (const std::string& page : c.others) EXPECT_EQ(Get(page).status, 404) << page;
    EXPECT_EQ(Get("/").Header("Location"), c.home);
  }
}

TEST_F(PagesTest, APageIsOfItsAnswerAlone) {
  Start({});
  std::set<std::string> nonces;
  for (int i = 0; i < 5; ++i) {
    const TestAnswer page = Get("/graph?g0.expr=up");
    const std::string nonce = Between(page.body, "name=\"nonce\" content=\"", "\"");
    EXPECT_EQ(nonce.size(), 32U);
    EXPECT_TRUE(nonces.insert(nonce).second);
    EXPECT_EQ(page.Header("Content-Security-Policy"), ContentSecurityPolicy(nonce));
    EXPECT_EQ(page.Header("X-Content-Type-Options"), "nosniff");
    EXPECT_EQ(page.Header("Referrer-Policy"), "same-origin");
    EXPECT_EQ(page.Header("Cache-Control"), "no-cache");
    EXPECT_EQ(page.Header("ETag"), "");
    EXPECT_EQ(page.Header("Access-Control-Allow-Origin"), "");
    EXPECT_EQ(Between(page.body, "adminOperations\":", "}"), "false");
  }
  // Neither does a client get one that it says it has.
  EXPECT_EQ(Get("/graph", "If-None-Match: *\r\n").status, 200);
}

TEST_F(PagesTest, FilesAreKeptByBrowsersAsTheirNamesAllow) {
  Start({});
  struct Case {
    std::string path;
    std::string type;
    std::string caching;
  };
  const Case cases[] = {
      {kScript, "text/javascript; charset=utf-8", "max-age=31536000, immutable"},
      {"assets/index-00000000.css", "text/css; charset=utf-8", "max-age=31536000, immutable"},
      {"icon.png", "image/png", "no-cache"},
      {"licenses.txt", "text/plain; charset=utf-8", "no-cache"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.path);
    const TestAnswer file = Get("/" + c.path);
    EXPECT_EQ(file.status, 200);
    EXPECT_EQ(file.body, Content(c.path));
    EXPECT_EQ(file.Header("Content-Type"), c.type);
    EXPECT_EQ(file.Header("Cache-Control"), c.caching);
    EXPECT_EQ(file.Header("Content-Encoding"), "");
    EXPECT_EQ(file.Header("X-Content-Type-Options"), "nosniff");
    EXPECT_THAT(file.Header("Content-Security-Policy"), StartsWith("default-src 'none'"));
    EXPECT_EQ(file.Header("Vary"), "Accept-Encoding");
  }
}

TEST_F(PagesTest, CompressesForWhoeverTakesIt) {
  Start({});
  struct Case {
    std::string accept;
    bool compressed;
  };
  const Case cases[] = {
      {"gzip", true},
      {"deflate, GZIP;q=0.1, br", true},
      {"*", true},
      {"br;q=1, *;q=0.5", true},
      {"identity;q=0, gzip", true},
      {"", false},
      {"br", false},
      {"gzip;q=0", false},
      {"gzip;q=0.000", false},
      {"*;q=0", false},
      {"gzip;q=0, *", false},
      {"gzipped", false},
      {"gzip;q=nonsense", false},
      {";;;,,,q=1,=,gzip q=1", false},
      {std::string(8000, ','), false},
      {std::string(8000, '*'), false},
  };
  const std::string content = Content(kScript);
  for (const Case& c : cases) {
    SCOPED_TRACE(c.accept.substr(0, 40));
    const TestAnswer file =
        Get(std::string("/") + kScript, "Accept-Encoding: " + c.accept + "\r\n");
    EXPECT_EQ(file.status, 200);
    EXPECT_EQ(file.Header("Content-Encoding"), c.compressed ? "gzip" : "");
    EXPECT_EQ(file.Header("ETag").ends_with("-gzip\""), c.compressed);
    if (c.compressed) {
      EXPECT_LT(file.body.size(), content.size());
      EXPECT_EQ(*encoding::Gunzip(file.body), content);
    } else {
      EXPECT_EQ(file.body, content);
    }
  }
}

TEST_F(PagesTest, SendsNothingThatTheClientHas) {
  Start({});
  const std::string path = std::string("/") + kScript;
  const std::string plain = Get(path).Header("ETag");
  const std::string gzip = Get(path, "Accept-Encoding: gzip\r\n").Header("ETag");
  ASSERT_EQ(plain.size(), 34U);
  EXPECT_NE(plain, gzip);
  struct Case {
    std::string value;
    int status;
  };
  const Case cases[] = {
      {plain, 304},
      {gzip, 304},
      {"W/" + plain, 304},
      {"*", 304},
      {"\"other\", " + plain, 304},
      {"\"a,b\",\t W/" + gzip + " , \"c\"", 304},
      {"\"other\"", 200},
      {plain.substr(1), 200},
      {plain.substr(0, 33), 200},
      {plain.substr(1, 32), 200},
      {"w/" + plain, 200},
      {"\"\"", 200},
      {"\"", 200},
      {"\"-gzip\"", 200},
      {"", 200},
      {std::string(9000, '"'), 200},
      {std::string(9000, ','), 200},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.value.substr(0, 60));
    net::TestClient client(server_->port());
    client.Send("GET " + path + " HTTP/1.1\r\nHost: h\r\nConnection: close\r\nIf-None-Match: " +
                c.value + "\r\n\r\n");
    const TestAnswer answer = client.Receive(/*head_only=*/true);
    EXPECT_EQ(answer.status, c.status);
    if (c.status != 304) continue;
    EXPECT_EQ(client.ReceiveSome(1), "");
    EXPECT_EQ(answer.Header("ETag"), plain);
    EXPECT_EQ(answer.Header("Cache-Control"), "max-age=31536000, immutable");
  }
}

TEST_F(PagesTest, HeadIsGetWithoutItsBody) {
  Start({});
  for (const std::string path : {"/graph", "/assets/index-Aa1_-zZ9.js", "/icon.png", "/"}) {
    SCOPED_TRACE(path);
    const TestAnswer get = Get(path);
    const TestAnswer head = Do("HEAD", path);
    EXPECT_EQ(head.status, get.status);
    EXPECT_EQ(head.body, "");
    for (const char* name : {"Content-Type", "Content-Length", "ETag", "Cache-Control", "Location"})
      EXPECT_EQ(head.Header(name), get.Header(name)) << name;
  }
}

TEST_F(PagesTest, NoPathLeadsOutOfThePack) {
  Start({.prefix = {.route = "/p"}});
  const std::string secret = Content("licenses.txt");
  for (const char* path :
       {"/assets/", "/assets", "/assets/index.html", "/assets/../licenses.txt",
        "/assets/%2e%2e/licenses.txt", "/assets/..%2flicenses.txt", "/assets/..%5clicenses.txt",
        "/assets/../../../../../../etc/passwd", "/assets//etc/passwd", "/assets/%2fetc%2fpasswd",
        "/assets/index-Aa1_-zZ9.js%00.css", "/assets/index-Aa1_-zZ9.js/",
        "/assets/INDEX-AA1_-ZZ9.JS", "/assets/./index-Aa1_-zZ9.js", "/assets/%", "/assets/%zz",
        "/index.html", "/licenses.txt/../index.html"}) {
    const TestAnswer answer = Get(std::string("/p") + path);
    EXPECT_THAT(answer.status, ::testing::AnyOf(400, 404)) << path;
    EXPECT_THAT(answer.body, Not(HasSubstr(secret))) << path;
    EXPECT_THAT(answer.body, Not(HasSubstr("aevum-config"))) << path;
  }
  EXPECT_EQ(Get("/p/assets/index-Aa1_-zZ9.js").status, 200);
  EXPECT_EQ(Get("/p/assets/index%2DAa1_-zZ9.js").status, 200);
  EXPECT_EQ(Get("/assets/index-Aa1_-zZ9.js").status, 404);
}

TEST_F(PagesTest, LeadsToTheFirstPageWhereBrowsersSeeIt) {
  struct Case {
    std::string name;
    net::WebPrefixOptions prefix;
    std::string path;
    std::string header;    // X-Forwarded-Prefix
    std::string location;  // "": not found
    std::string of_bucket_viewer;
  };
  const Case cases[] = {
      {"no prefix", {}, "/", "", "/graph", "/blocks"},
      {"a route", {.route = "/r"}, "/", "", "/r/graph", "/r/"},
      {"below the route", {.route = "/r"}, "/r", "", "/r/graph", "/r/"},
      {"the slash of the route", {.route = "/r"}, "/r/", "", "/r/graph", "/r/blocks"},
      {"elsewhere", {.route = "/r"}, "/x", "", "", ""},
      {"a prefix that a proxy takes away", {.external = "/e"}, "/", "", "/e/graph", "/e/blocks"},
      {"both", {.route = "/r", .external = "/e"}, "/r/", "", "/e/graph", "/e/blocks"},
      {"directly, without the proxy",
       {.route = "/r", .external = "/e"},
       "/",
       "",
       "/r/graph",
       "/r/"},
      {"of the proxy", {.header = "X-Forwarded-Prefix"}, "/", "/h/", "/h/graph", "/h/blocks"},
      {"not by the proxy", {.header = "X-Forwarded-Prefix"}, "/", "", "/graph", "/blocks"},
      {"no other server",
       {.header = "X-Forwarded-Prefix"},
       "/",
       "https://evil/h",
       "/h/graph",
       "/h/blocks"},
      {"no other server, short",
       {.header = "X-Forwarded-Prefix"},
       "/",
       "//evil",
       "/evil/graph",
       "/evil/blocks"},
      {"nobody asked for the header", {.route = "/r"}, "/r/", "/h", "/r/graph", "/r/blocks"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    const std::string header = c.header.empty() ? "" : "X-Forwarded-Prefix: " + c.header + "\r\n";
    for (const bool of_query : {true, false}) {
      Start({.component = of_query ? Component::kQuery : Component::kBucketViewer,
             .prefix = c.prefix});
      const TestAnswer answer = Get(c.path, header);
      EXPECT_EQ(answer.status, c.location.empty() ? 404 : 302);
      EXPECT_EQ(answer.Header("Location"), of_query ? c.location : c.of_bucket_viewer);
    }
  }
}

TEST_F(PagesTest, OldLinksLeadToWhatTheyMeant) {
  Start({.prefix = {.route = "/r", .external = "/e"}});
  struct Case {
    std::string from;
    std::string to;
  };
  const Case cases[] = {
      {"/query?g0.expr=up%7Ba%3D%22b%22%7D&g0.tab=0",
       "/e/graph?g0.expr=up%7Ba%3D%22b%22%7D&g0.tab=0"},
      {"/new/graph?g0.expr=up", "/e/graph?g0.expr=up"},
      {"/classic/stores", "/e/stores"},
      {"/new", "/e/graph"},
      {"/classic/?x", "/e/graph?x"},
      {"/?g0.expr=1?2", "/e/graph?g0.expr=1?2"},
      {"/new//evil.example", ""},
      {"/new/https://evil.example/graph", ""},
      {"/classic/%2fevil.example", ""},
      {"/new/new/graph", ""},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.from);
    const TestAnswer answer = Get("/r" + c.from);
    EXPECT_EQ(answer.status, c.to.empty() ? 404 : 302);
    EXPECT_EQ(answer.Header("Location"), c.to);
  }
  for (const auto& [component, from, to] :
       {std::tuple{Component::kCompact, "/global?a=b", "/blocks?a=b"},
        std::tuple{Component::kStore, "/blocks?a=b", "/loaded?a=b"},
        std::tuple{Component::kStore, "/new/global", "/loaded"},
        std::tuple{Component::kBucketViewer, "/loaded", "/blocks"},
        std::tuple{Component::kBucketViewer, "/classic/global?x", "/blocks?x"},
        std::tuple{Component::kQuery, "/new/query?x", "/graph?x"}}) {
    Start({.component = component});
    EXPECT_EQ(Get(from).Header("Location"), to);
  }
}

TEST_F(PagesTest, HostilePrefixesStayText) {
  struct Case {
    std::string header;
    std::string base;  // in the page, escaped
    std::string prefix;
  };
  const Case cases[] = {
      {"/thanos", "/thanos/", "/thanos"},
      {"thanos//x/../y/", "/thanos/y/", "/thanos/y"},
      {"https://evil.example/x", "/x/", "/x"},
      {"//evil.example", "/evil.example/", "/evil.example"},
      {"/a&b'c", "/a&amp;b&#39;c/", "/a\\u0026b'c"},
      {"/__AEVUM_CONFIG__", "/__AEVUM_CONFIG__/", "/__AEVUM_CONFIG__"},
      {"javascript:alert(1)", "/javascript:alert(1)/", "/javascript:alert(1)"},
      {"/\"><script>alert(1)</script>", "/", ""},
      {"/a b", "/", ""},
      {"/</script>", "/", ""},
      {"\\\\evil", "/", ""},
      {"/\xc3\xa9", "/", ""},
      {"/{{x}}", "/", ""},
      {"/../..", "/", ""},
  };
  Start({.prefix = {.header = "X-Forwarded-Prefix"}});
  for (const Case& c : cases) {
    SCOPED_TRACE(c.header);
    const TestAnswer page = Get("/graph", "X-Forwarded-Prefix: " + c.header + "\r\n");
    EXPECT_EQ(page.status, 200);
    EXPECT_EQ(Between(page.body, "<base href=\"", "\""), c.base);
    EXPECT_EQ(Between(page.body, "{\"prefix\":\"", "\""), c.prefix);
    EXPECT_EQ(page.Header("Vary"), "Accept-Encoding, X-Forwarded-Prefix");
  }
}

TEST_F(PagesTest, WithoutAPackPagesSayHowToHaveThem) {
  Start({.prefix = {.route = "/r"}}, "");
  for (const char* path : {"/r/graph", "/r/flags"}) {
    const TestAnswer answer = Get(path);
    EXPECT_EQ(answer.status, 404);
    EXPECT_EQ(answer.Header("Content-Type"), "text/plain; charset=utf-8");
    EXPECT_THAT(answer.body, HasSubstr("without its web pages"));
    EXPECT_THAT(answer.body, HasSubstr("AEVUM_WEB=ON"));
  }
  EXPECT_EQ(Get("/").Header("Location"), "/r/graph");
  EXPECT_EQ(Get("/r/assets/x.js").status, 404);
}

TEST_F(PagesTest, RefusesADamagedPack) {
  net::HttpServer server({.address = "127.0.0.1:0"}, Logger(), nullptr);
  EXPECT_EQ(AddPages(server, {}, "AEVUMWEX").code(), StatusCode::kDataLoss);
  std::string damaged = pack_;
  const std::size_t at = damaged.find("index.html");
  ASSERT_NE(at, std::string::npos);
  for (std::size_t i = at + 120; i < at + 160; ++i) damaged[i] = '\0';
  EXPECT_EQ(AddPages(server, {}, damaged).code(), StatusCode::kDataLoss);
}

TEST_F(PagesTest, WhatIsEmbeddedCanBeServed) {
  const StatusOr<Pack> pack = Pack::Parse(EmbeddedPack());
  ASSERT_TRUE(pack.ok()) << pack.status();
  if (pack->empty()) GTEST_SKIP() << "this build leaves the pages out";
  Start({}, EmbeddedPack());
  EXPECT_THAT(Get("/graph").body, HasSubstr("<base href=\"/\""));
  for (const Asset& asset : pack->assets()) {
    if (asset.path == "index.html") continue;
    const TestAnswer file = Get("/" + std::string(asset.path));
    EXPECT_EQ(file.status, 200) << asset.path;
    EXPECT_EQ(file.body.size(), asset.size_bytes) << asset.path;
  }
}

}  // namespace
}  // namespace aevum::web
