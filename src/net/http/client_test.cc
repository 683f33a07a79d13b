#include "net/http/client.h"

#include <atomic>
#include <future>
#include <mutex>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/files.h"
#include "net/http/server.h"
#include "net/http/test_client.h"
#include "net/tls/test_certificates.h"

namespace aevum::net {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;
using ::testing::Not;

class HttpClientTest : public ::testing::Test {
 protected:
  HttpClientTest() : directory_(*TemporaryDirectory::Create()) {}
  ~HttpClientTest() override { release_.set_value(); }

  void Start(const std::string& web_config = "") {
    HttpServerOptions options;
    options.address = "127.0.0.1:0";
    options.handler_threads = 8;
    options.web_config_file = web_config;
    server_ = std::make_unique<HttpServer>(options, Logger(), nullptr);
    server_->Handle("", "/echo", "echo",
                    [this](const Context&, const HttpRequest& request, HttpResponse& response) {
                      {
                        const std::lock_guard lock(mutex_);
                        peers_.insert(request.remote_address);
                      }
                      std::string out = request.method + "|";
                      for (const char* name : {"Authorization", "Content-Type", "X-A", "Expect",
                                               "Accept-Encoding", "Host"}) {
                        out += std::string(name) + "=" + std::string(request.Header(name)) + "|";
                      }
                      response.SetHeader("X-Back", "b");
                      response.Write(out + request.body);
                    });
    server_->Handle(
        "GET", "/large", "large",
        [](const Context&, const HttpRequest& request, HttpResponse& response) {
          if (request.HasParam("status")) {
            response.SetStatus(std::stoi(std::string(request.Param("status"))));
          }
          std::size_t left = std::stoul(std::string(request.Param("size")));
          const std::string piece(1 << 10, 'x');
          while (left > 0 && response.Write(piece.substr(0, std::min(left, piece.size())))) {
            left -= std::min(left, piece.size());
          }
        });
    server_->Handle("GET", "/moved", "moved",
                    [](const Context&, const HttpRequest&, HttpResponse& response) {
                      response.SetStatus(302);
                      response.SetHeader("Location", "/echo");
                    });
    server_->Handle("GET", "/wait", "wait",
                    [this](const Context&, const HttpRequest&, HttpResponse&) {
                      entered_.set_value();
                      released_.wait();
                    });
    server_->Handle("GET", "/broken", "broken",
                    [](const Context&, const HttpRequest&, HttpResponse& response) {
                      response.Write(std::string(100'000, 'x'));
                      response.Abort();
                    });
    const Status status = server_->Start();
    ASSERT_TRUE(status.ok()) << status;
    url_ = "http://127.0.0.1:" + std::to_string(server_->port());
  }
  HttpClientRequest To(const std::string& target) {
    HttpClientRequest request;
    request.url = url_ + target;
    return request;
  }

  TemporaryDirectory directory_;
  std::mutex mutex_;
  std::set<std::string> peers_;
  std::promise<void> entered_;
  std::promise<void> release_;
  std::shared_future<void> released_ = release_.get_future().share();
  std::string url_;
  std::unique_ptr<HttpServer> server_;
};

TEST_F(HttpClientTest, SendsAndReceives) {
  Start();
  HttpClient client({});
  HttpClientRequest request = To("/echo");
  request.method = "POST";
  request.headers = {{"Content-Type", "text/x"}, {"X-A", "1"}};
  request.body = std::string(2'000'000, 'b');
  const auto post = client.Do(Context::Background(), request);
  ASSERT_TRUE(post.ok()) << post.status();
  EXPECT_EQ(post->status, 200);
  EXPECT_EQ(post->Header("x-back"), "b");
  EXPECT_THAT(post->body, HasSubstr("POST|Authorization=|Content-Type=text/x|X-A=1|Expect=|"));
  EXPECT_GT(post->body.size(), request.body.size());

  request = To("/echo");
  for (const char* method : {"GET", "PUT", "DELETE", "OPTIONS"}) {
    request.method = method;
    const auto answer = client.Do(Context::Background(), request);
    ASSERT_TRUE(answer.ok()) << answer.status();
    EXPECT_THAT(answer->body, HasSubstr(std::string(method) + "|Authorization=|Content-Type=|"));
  }
  request.method = "HEAD";
  EXPECT_EQ(client.Do(Context::Background(), request)->body, "");
  request = To("/moved");
  EXPECT_THAT(client.Do(Context::Background(), request)->body, HasSubstr("GET|"));
  EXPECT_EQ(peers_.size(), 1u) << "connections are used again";
}

TEST_F(HttpClientTest, StreamsWithoutHoldingTheBody) {
  Start();
  HttpClient client({});
  std::size_t size = 0;
  const auto streamed =
      client.Stream(Context::Background(), To("/large?size=5000000"), [&](std::string_view piece) {
        size += piece.size();
        return OkStatus();
      });
  ASSERT_TRUE(streamed.ok()) << streamed.status();
  EXPECT_EQ(size, 5'000'000u);
  EXPECT_EQ(streamed->Header("Content-Encoding"), "gzip") << "it came compressed";
  EXPECT_EQ(streamed->body, "");

  const auto stopped =
      client.Stream(Context::Background(), To("/large?size=5000000"),
                    [](std::string_view) { return Corruption("not what it says"); });
  EXPECT_EQ(stopped.status().code(), StatusCode::kDataLoss);

  // The body of an error is for people, and cut.
  const auto failed =
      client.Stream(Context::Background(), To("/large?size=5000000&status=500"),
                    [](std::string_view) { return Internal("must not be called"); });
  ASSERT_TRUE(failed.ok()) << failed.status();
  EXPECT_EQ(failed->status, 500);
  EXPECT_EQ(failed->body.size(), 64u << 10);
}

TEST_F(HttpClientTest, ShowsTheHeadBeforeTheBody) {
  Start();
  HttpClient client{HttpClientOptions()};
  std::string order;
  const auto sink = [&](std::string_view) {
    order += order.ends_with("b") ? "" : "b";
    return OkStatus();
  };
  const auto on_head = [&](const HttpClientResponse& head) {
    order += std::string(head.Header("x-back")) + "h" + std::to_string(head.status);
    return OkStatus();
  };
  ASSERT_TRUE(client.Stream(Context::Background(), To("/echo"), sink, on_head).ok());
  EXPECT_EQ(order, "bh200b");
  order.clear();
  // Not for errors.
  ASSERT_TRUE(
      client.Stream(Context::Background(), To("/large?size=10&status=500"), sink, on_head).ok());
  EXPECT_EQ(order, "");
  const auto refuse = [](const HttpClientResponse&) { return Unavailable("not that"); };
  EXPECT_EQ(client.Stream(Context::Background(), To("/large?size=5000000"), sink, refuse)
                .status()
                .message(),
            "not that");
  EXPECT_EQ(order, "");
}

TEST_F(HttpClientTest, LimitsTheBody) {
  Start();
  HttpClient client({});
  EXPECT_TRUE(client.Do(Context::Background(), To("/large?size=100000"), 100'000).ok());
  // Compressed it is far below the limit.
  const Status status =
      client.Do(Context::Background(), To("/large?size=100001"), 100'000).status();
  EXPECT_EQ(status.code(), StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(status.message()), HasSubstr("/large"));
}

TEST_F(HttpClientTest, EndsAtTheDeadline) {
  Start();
  HttpClient client({});
  const auto begin = std::chrono::steady_clock::now();
  const Status status =
      client.Do(Context::Background().WithTimeout(milliseconds(100)), To("/wait")).status();
  EXPECT_EQ(status.code(), StatusCode::kDeadlineExceeded);
  EXPECT_THAT(std::string(status.message()), HasSubstr("GET " + url_ + "/wait: "));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(5));
  EXPECT_EQ(
      client.Do(Context::Background().WithTimeout(milliseconds(0)), To("/echo")).status().code(),
      StatusCode::kDeadlineExceeded);
}

TEST_F(HttpClientTest, EndsWhenCancelled) {
  Start();
  HttpClient client({});
  CancelScope scope(Context::Background());
  auto result = std::async(std::launch::async,
                           [&] { return client.Do(scope.context(), To("/wait")).status(); });
  entered_.get_future().wait();
  const auto begin = std::chrono::steady_clock::now();
  scope.Cancel();
  EXPECT_EQ(result.get().code(), StatusCode::kCancelled);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, milliseconds(900))
      << "woken, not found out by the poll of each second";
}

TEST_F(HttpClientTest, WaitsForTheHeaderOnlySoLong) {
  Start();
  HttpClientOptions options;
  options.response_header_timeout = milliseconds(50);
  HttpClient client(options);
  const Status status = client.Do(Context::Background(), To("/wait")).status();
  EXPECT_EQ(status.code(), StatusCode::kUnavailable);
  EXPECT_THAT(std::string(status.message()), HasSubstr("no answer within 50 ms"));
}

TEST_F(HttpClientTest, FailuresNameTheUrlWithoutSecrets) {
  Start();
  HttpClient client({});
  struct Case {
    std::string url;
    StatusCode code;
    std::string message;
  };
  const Case cases[] = {
      {"http://user:hush@127.0.0.1:1/x", StatusCode::kUnavailable, "http://127.0.0.1:1/x"},
      {url_ + "/broken", StatusCode::kUnavailable, "/broken"},
      {"file:///etc/passwd", StatusCode::kInvalidArgument, "neither http nor https"},
      {"http://127.0.0.1/a b", StatusCode::kInvalidArgument, "a space"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.url);
    HttpClientRequest request;
    request.url = c.url;
    const Status status = client.Do(Context::Background(), request).status();
    EXPECT_EQ(status.code(), c.code);
    EXPECT_THAT(std::string(status.message()), HasSubstr(c.message));
    EXPECT_THAT(std::string(status.message()), Not(HasSubstr("hush")));
  }
  HttpClientRequest request = To("/echo");
  request.headers = {{"X-A", "a\r\nX-B: c"}};
  EXPECT_EQ(client.Do(Context::Background(), request).status().code(),
            StatusCode::kInvalidArgument);
}

TEST_F(HttpClientTest, SendsCredentials) {
  Start();
  ASSERT_TRUE(WriteFileAtomically(directory_.File("password"), "from file\n").ok());
  ASSERT_TRUE(WriteFileAtomically(directory_.File("token"), "token 1\n").ok());
  const auto authorization = [&](const HttpClientOptions& options) {
    HttpClient client(options);
    return client.Do(Context::Background(), To("/echo"))->body;
  };
  HttpClientOptions basic;
  basic.basic_auth_username = "user";
  basic.basic_auth_password = "p:w";
  EXPECT_THAT(authorization(basic), HasSubstr("Authorization=Basic dXNlcjpwOnc=|"));
  basic.basic_auth_password.clear();
  basic.basic_auth_password_file = directory_.File("password");
  EXPECT_THAT(authorization(basic), HasSubstr("Authorization=Basic dXNlcjpmcm9tIGZpbGU=|"));
  HttpClientOptions bearer;
  bearer.bearer_token_file = directory_.File("token");
  EXPECT_THAT(authorization(bearer), HasSubstr("Authorization=Bearer token 1|"));
  ASSERT_TRUE(WriteFileAtomically(directory_.File("token"), "token 2\n").ok());
  HttpClient client(bearer);
  EXPECT_THAT(client.Do(Context::Background(), To("/echo"))->body, HasSubstr("Bearer token 2|"));
  bearer.bearer_token_file = directory_.File("absent");
  EXPECT_THAT(
      std::string(HttpClient(bearer).Do(Context::Background(), To("/echo")).status().message()),
      HasSubstr("absent"));
}

TEST_F(HttpClientTest, VerifiesTheServer) {
  tls::TestAuthority authority("ca");
  const tls::TestPair pair = authority.Issue("server", {"DNS:store.example"});
  for (const auto& [name, text] :
       {std::pair("cert.pem", pair.cert_pem), std::pair("key.pem", pair.key_pem),
        std::pair("ca.pem", authority.cert_pem())}) {
    ASSERT_TRUE(WriteFileAtomically(directory_.File(name), text).ok());
  }
  ASSERT_TRUE(WriteFileAtomically(directory_.File("web.yml"),
                                  "tls_server_config: {cert_file: cert.pem, key_file: key.pem}")
                  .ok());
  Start(directory_.File("web.yml"));
  url_ = "https" + url_.substr(4);
  HttpClientOptions options;
  EXPECT_FALSE(HttpClient(options).Do(Context::Background(), To("/echo")).ok());
  options.tls_ca_file = directory_.File("ca.pem");
  EXPECT_FALSE(HttpClient(options).Do(Context::Background(), To("/echo")).ok())
      << "the certificate is for another name";
  options.tls_server_name = "store.example";
  const auto named = HttpClient(options).Do(Context::Background(), To("/echo"));
  ASSERT_TRUE(named.ok()) << named.status();
  EXPECT_THAT(named->body, HasSubstr("Host=127.0.0.1:"));
  HttpClientOptions insecure;
  insecure.tls_insecure_skip_verify = true;
  EXPECT_TRUE(HttpClient(insecure).Do(Context::Background(), To("/echo")).ok());
}

TEST_F(HttpClientTest, ServesManyThreads) {
  Start();
  HttpClient client({});
  std::vector<std::thread> threads;
  std::atomic<int> good = 0;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      for (int j = 0; j < 20; ++j) {
        const auto answer = client.Do(Context::Background(), To("/echo"));
        if (answer.ok() && answer->status == 200) ++good;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(good, 160);
  EXPECT_LE(peers_.size(), 8u);
}

TEST(HttpClientConfigTest, ReadsEveryField) {
  const auto options = ParseHttpClientConfig(R"(
basic_auth:
  username: u
  password_file: /p
proxy_url: http://proxy:3128
tls_config:
  ca_file: ca
  cert_file: c
  key_file: k
  server_name: s
  insecure_skip_verify: true
transport_config:
  max_idle_conns: 7
  max_idle_conns_per_host: 3
  idle_conn_timeout: 60000000000
  response_header_timeout: 1000000000
  expect_continue_timeout: 1
  max_conns_per_host: 1
  disable_compression: true
  tls_handshake_timeout: 1
  dialer_timeout: 2000000000
)");
  ASSERT_TRUE(options.ok()) << options.status();
  EXPECT_EQ(options->basic_auth_username, "u");
  EXPECT_EQ(options->basic_auth_password_file, "/p");
  EXPECT_EQ(options->proxy_url, "http://proxy:3128");
  EXPECT_EQ(options->tls_server_name, "s");
  EXPECT_TRUE(options->tls_insecure_skip_verify);
  EXPECT_EQ(options->max_idle_connections, 7u);
  EXPECT_EQ(options->max_idle_connections_per_host, 3u);
  EXPECT_EQ(options->idle_timeout, std::chrono::minutes(1));
  EXPECT_EQ(options->response_header_timeout, std::chrono::seconds(1));
  EXPECT_EQ(options->connect_timeout, std::chrono::seconds(2));
  EXPECT_TRUE(options->disable_compression);
  EXPECT_EQ(ParseHttpClientConfig("")->max_idle_connections, 100u);
  EXPECT_EQ(ParseHttpClientConfig("{\"bearer_token\": \"t\"}")->bearer_token, "t");
}

TEST(HttpClientConfigTest, RefusesMistakes) {
  struct Case {
    std::string yaml;
    std::string message;
  };
  const Case cases[] = {
      {"basic_auth:\n  user: x\n", "line 2: unknown field in basic_auth: user"},
      {"basic_auth: {password: a, password_file: b}", "both password and password_file"},
      {"bearer_token: a\nbearer_token_file: b\n", "both bearer_token and"},
      {"bearer_token: a\nbasic_auth: {username: b}\n", "both basic_auth and a bearer token"},
      {"tls_config: {cert_file: a}", "go together"},
      {"transport_config: {idle_conn_timeout: 90s}", "not a whole number"},
      {"transport_config: {max_idle_conns: -1}", "a negative number"},
      {"[1]", "is not a map"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.yaml);
    EXPECT_THAT(std::string(ParseHttpClientConfig(c.yaml).status().message()),
                HasSubstr(c.message));
  }
}

}  // namespace
}  // namespace aevum::net
