// What hostile and broken clients do to the HTTP server.
#include <sys/resource.h>

#include <atomic>
#include <ctime>
#include <future>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "net/http/server.h"
#include "net/http/test_client.h"

namespace aevum::net {
namespace {

using std::chrono::milliseconds;

class HttpServerAttackTest : public ::testing::Test {
 protected:
  HttpServerAttackTest() {
    options_.address = "127.0.0.1:0";
    options_.handler_threads = 4;
  }
  void Start() {
    server_ = std::make_unique<HttpServer>(options_, Logger(), nullptr);
    server_->Handle("", "/", "root",
                    [](const Context&, const HttpRequest& request, HttpResponse& response) {
                      response.Write("body: " + request.body);
                    });
    server_->Handle("GET", "/endless", "endless",
                    [this](const Context&, const HttpRequest&, HttpResponse& response) {
                      const std::string piece(64 << 10, 'x');
                      while (response.Write(piece)) {
                      }
                      endless_ended_.set_value();
                    });
    const Status status = server_->Start();
    ASSERT_TRUE(status.ok()) << status;
  }
  bool Serves() {
    TestClient client(server_->port());
    return client.Do("GET / HTTP/1.1\r\nHost: h\r\n\r\n").body == "body: ";
  }

  HttpServerOptions options_;
  std::promise<void> endless_ended_;
  std::unique_ptr<HttpServer> server_;
};

TEST_F(HttpServerAttackTest, RefusesRequestsThatCanBeReadInTwoWays) {
  Start();
  struct Case {
    std::string name;
    std::string request;
    int status;
  };
  const std::string post = "POST / HTTP/1.1\r\nHost: h\r\n";
  const Case cases[] = {
      {"length beside coding",
       post + "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
      {"coding beside length",
       post + "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n", 400},
      {"two lengths", post + "Content-Length: 4\r\nContent-Length: 5\r\n\r\nabcd", 400},
      {"the same length twice", post + "Content-Length: 4\r\nContent-Length: 4\r\n\r\nabcd", 400},
      {"a list of lengths", post + "Content-Length: 4, 4\r\n\r\nabcd", 400},
      {"a signed length", post + "Content-Length: +4\r\n\r\nabcd", 400},
      {"a negative length", post + "Content-Length: -4\r\n\r\nabcd", 400},
      {"a hexadecimal length", post + "Content-Length: 0x4\r\n\r\nabcd", 400},
      {"a length beyond 64 bits", post + "Content-Length: 99999999999999999999\r\n\r\n", 400},
      {"an empty length", post + "Content-Length: \r\n\r\n", 400},
      {"chunked is not last", post + "Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n", 400},
      {"only another coding", post + "Transfer-Encoding: gzip\r\n\r\nabcd", 400},
      {"another coding first", post + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501},
      {"codings in two fields",
       post + "Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 501},
      {"chunked twice",
       post + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
      {"an odd coding", post + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", 501},
      {"an empty coding", post + "Transfer-Encoding: \r\n\r\n0\r\n\r\n", 400},
      {"coding in HTTP/1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
      {"no Host", "GET / HTTP/1.1\r\n\r\n", 400},
      {"two Hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400},
      {"a space before the colon", "GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400},
      {"a version that ends with a line feed", "GET / HTTP/1.1\nHost: a\n\n", 505},
      {"a bare line feed in a field", "GET / HTTP/1.1\r\nHost: a\nX: y\r\n\r\n", 400},
      {"a NUL in a value", std::string("GET / HTTP/1.1\r\nHost: a\0b\r\n\r\n", 30), 400},
      {"a bad chunk size", post + "Transfer-Encoding: chunked\r\n\r\nxyz\r\n", 400},
      {"a chunk size beyond 64 bits",
       post + "Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n", 400},
      {"a chunk without its end", post + "Transfer-Encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n",
       400},
      {"HTTP/2 over this port", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
      {"HTTP/1.2", "GET / HTTP/1.2\r\nHost: h\r\n\r\n", 505},
      {"a TLS greeting", std::string("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11), 400},
      {"another expectation", post + "Expect: magic\r\nContent-Length: 1\r\n\r\n", 417},
      {"a bad escape", "GET /%zz HTTP/1.1\r\nHost: h\r\n\r\n", 400},
      {"a bad escape in the query", "GET /?a=%z HTTP/1.1\r\nHost: h\r\n\r\n", 400},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    TestClient client(server_->port());
    const TestAnswer answer = client.Do(c.request);
    EXPECT_EQ(answer.status, c.status) << answer.body;
    EXPECT_EQ(answer.Header("Connection"), "close");
    if (c.name == "no Host") {
      EXPECT_EQ(answer.body, "missing Host\n");
    }
    client.HalfClose();
    EXPECT_TRUE(client.WaitForEnd());
  }
  EXPECT_TRUE(Serves());
}

TEST_F(HttpServerAttackTest, HeaderBombs) {
  options_.max_header_bytes = 16 << 10;
  Start();
  const std::string head = "GET / HTTP/1.1\r\nHost: h\r\n";
  std::string many = head;
  for (int i = 0; i < 1000; ++i) many += "a: b\r\n";
  const std::string bombs[] = {
      head + "X: " + std::string(1 << 20, 'x') + "\r\n\r\n",
      "GET /" + std::string(1 << 20, 'x') + " HTTP/1.1\r\n\r\n",
      std::string(1 << 20, 'x'),
      many + "\r\n",
  };
  for (const std::string& bomb : bombs) {
    TestClient client(server_->port());
    client.Send(bomb);
    const int status = client.Receive().status;
    EXPECT_TRUE(status == 431 || status == 400) << status;
  }
  // Field by field, so that no single read passes the limit.
  TestClient client(server_->port());
  client.Send(head);
  std::string field = "X: " + std::string(500, 'x') + "\r\n";
  for (int i = 0; i < 100; ++i) client.Send(field);
  EXPECT_EQ(client.Receive().status, 431);
  EXPECT_TRUE(Serves());
}

TEST_F(HttpServerAttackTest, BodiesBeyondTheLimit) {
  options_.max_body_bytes = 1 << 20;
  options_.max_body_bytes_in_flight = 1 << 20;
  Start();
  const std::string post = "POST / HTTP/1.1\r\nHost: h\r\n";
  {
    // The client goes on sending; the answer must reach it all the same.
    TestClient client(server_->port());
    client.Send(post + "Content-Length: 2000000\r\n\r\n");
    client.Send(std::string(500'000, 'x'));
    EXPECT_EQ(client.Receive().status, 413);
  }
  {
    TestClient client(server_->port());
    client.Send(post + "Transfer-Encoding: chunked\r\n\r\n");
    for (int i = 0; i < 20; ++i) client.Send("10000\r\n" + std::string(0x10000, 'x') + "\r\n");
    EXPECT_EQ(client.Receive().status, 413);
  }
  {
    TestClient client(server_->port());
    client.Send(post + "Transfer-Encoding: chunked\r\n\r\n1;" + std::string(300'000, 'x'));
    EXPECT_EQ(client.Receive().status, 400);
  }
  {
    // Two that together hold more than all may.
    TestClient first(server_->port());
    first.Send(post + "Content-Length: 1000000\r\n\r\n" + std::string(900'000, 'x'));
    TestClient second(server_->port());
    second.Send(post + "Content-Length: 1000000\r\n\r\n" + std::string(900'000, 'x'));
    first.Send(std::string(100'000, 'x'));
    second.Send(std::string(100'000, 'x'));
    const int sum = first.Receive().status + second.Receive().status;
    EXPECT_EQ(sum, 200 + 503);
  }
  EXPECT_TRUE(Serves());
}

TEST_F(HttpServerAttackTest, MoreParametersThanTheLimit) {
  Start();
  std::string form;
  for (int i = 0; i < 20'000; ++i) form += "a&";
  TestClient client(server_->port());
  client.Send(
      "POST / HTTP/1.1\r\nHost: h\r\nContent-Type: application/x-www-form-urlencoded\r\n"
      "Content-Length: " +
      std::to_string(form.size()) + "\r\n\r\n" + form);
  EXPECT_EQ(client.Receive().status, 400);
}

TEST_F(HttpServerAttackTest, SlowHeadersAndBodiesEnd) {
  options_.header_timeout = milliseconds(100);
  options_.body_timeout = milliseconds(100);
  options_.idle_timeout = milliseconds(100);
  Start();
  TestClient silent(server_->port());
  TestClient header(server_->port());
  TestClient body(server_->port());
  TestClient idle(server_->port());
  header.Send("GET / HTTP/1.1\r\nHos");
  body.Send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nabc");
  EXPECT_EQ(idle.Do("GET / HTTP/1.1\r\nHost: h\r\n\r\n").status, 200);
  EXPECT_TRUE(silent.WaitForEnd());
  EXPECT_EQ(header.Receive().status, 408);
  EXPECT_EQ(body.Receive().status, 408);
  EXPECT_TRUE(idle.WaitForEnd());
}

TEST_F(HttpServerAttackTest, AByteAtATimeDoesNotExtendTheDeadline) {
  options_.header_timeout = milliseconds(200);
  Start();
  TestClient client(server_->port());
  client.Send("GET / HTTP/1.1\r\nHost: h\r\n");
  std::atomic<bool> over = false;
  std::thread dripper([&] {
    while (!over && client.Send("X")) std::this_thread::yield();
  });
  // Dripping as fast as it can, it meets the limit of bytes or the deadline, never neither.
  const int status = client.Receive().status;
  EXPECT_TRUE(status == 408 || status == 431) << status;
  over = true;
  dripper.join();
}

TEST_F(HttpServerAttackTest, WhoNeverReadsLosesTheHandlerAndTheConnection) {
  options_.write_timeout = milliseconds(100);
  Start();
  TestClient client(server_->port(), 4096);
  client.Send("GET /endless HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(endless_ended_.get_future().wait_for(std::chrono::seconds(10)),
            std::future_status::ready);
  EXPECT_TRUE(client.WaitForEnd());
  EXPECT_TRUE(Serves());
}

TEST_F(HttpServerAttackTest, AResetEndsTheHandler) {
  Start();
  TestClient client(server_->port());
  client.Send("GET /endless HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_NE(client.ReceiveSome(10), "");
  client.Reset();
  EXPECT_EQ(endless_ended_.get_future().wait_for(std::chrono::seconds(10)),
            std::future_status::ready);
}

TEST_F(HttpServerAttackTest, IdleAndDrippingConnectionsDoNotKeepOthersOut) {
  options_.max_connections = 50;
  Start();
  std::vector<std::unique_ptr<TestClient>> crowd;
  for (int i = 0; i < 300; ++i) {
    crowd.push_back(std::make_unique<TestClient>(server_->port()));
    if (i % 2 == 0) crowd.back()->Send("GET / HTTP/1.1\r\nHost: ");
    if (i % 50 == 0) {
      EXPECT_TRUE(Serves()) << i;
    }
  }
  EXPECT_TRUE(Serves());
}

TEST_F(HttpServerAttackTest, AHalfClosedClientGetsItsAnswer) {
  Start();
  TestClient client(server_->port());
  client.Send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  client.HalfClose();
  EXPECT_EQ(client.Receive().body, "body: ");
  EXPECT_TRUE(client.WaitForEnd());
}

TEST_F(HttpServerAttackTest, OutOfDescriptorsItWaitsAndRecovers) {
  Start();
  ASSERT_TRUE(Serves());
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  rlimit tight = before;
  tight.rlim_cur = 64;
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &tight), 0);
  std::vector<std::unique_ptr<TestClient>> crowd;
  // Both ends are in this process: at some point accept() fails while connections wait.
  for (int i = 0; i < 64; ++i) crowd.push_back(std::make_unique<TestClient>(server_->port()));
  const std::clock_t cpu_before = std::clock();
  const auto until = std::chrono::steady_clock::now() + milliseconds(300);
  std::promise<void> never;
  never.get_future().wait_until(until);
  const double cpu_ms = 1000.0 * static_cast<double>(std::clock() - cpu_before) / CLOCKS_PER_SEC;
  EXPECT_LT(cpu_ms, 150) << "the server spins";
  crowd.clear();
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_TRUE(Serves());
}

}  // namespace
}  // namespace aevum::net
