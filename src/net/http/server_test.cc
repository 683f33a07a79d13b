#include "net/http/server.h"

#include <atomic>
#include <future>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/mutex.h"
#include "net/http/test_client.h"
#include "net/http/test_gunzip.h"
#include "net/request_log.h"

namespace aevum::net {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;

class HttpServerTest : public ::testing::Test {
 protected:
  HttpServerTest() {
    options_.address = "127.0.0.1:0";
    options_.handler_threads = 4;
  }
  void Start() {
    server_ = std::make_unique<HttpServer>(options_, Logger(), nullptr);
    server_->Handle("GET", "/hello", "hello",
                    [](const Context&, const HttpRequest& request, HttpResponse& response) {
                      response.SetHeader("X-Seen", request.Param("a"));
                      response.Write("hello");
                    });
    server_->Handle("", "/echo", "echo",
                    [](const Context&, const HttpRequest& request, HttpResponse& response) {
                      std::string out = request.method + "\n";
                      for (const auto& [name, value] : request.params) {
                        out += name + "=" + value + "\n";
                      }
                      response.Write(out + request.body);
                    });
    server_->Handle("GET", "/large/{size}", "large",
                    [](const Context&, const HttpRequest& request, HttpResponse& response) {
                      response.SetHeader("Content-Type", "application/json");
                      std::size_t left = std::stoul(std::string(request.PathParam("size")));
                      const std::string line = "all lines of this answer are the same\n";
                      while (left > 0) {
                        const std::size_t size = std::min(left, line.size());
                        if (!response.Write(std::string_view(line).substr(0, size))) return;
                        left -= size;
                      }
                    });
    server_->Handle("GET", "/header", "header",
                    [](const Context&, const HttpRequest& request, HttpResponse& response) {
                      response.SetHeader(request.Param("name"), request.Param("value"));
                      response.Write("body");
                    });
    server_->Handle(
        "GET", "/throw", "throw",
        [](const Context&, const HttpRequest& request, HttpResponse& response) {
          response.Write(std::string(std::stoul(std::string(request.Param("size"))), 'x'));
          throw std::runtime_error("a reason for the log only");
        });
    server_->Handle("GET", "/empty", "empty",
                    [](const Context&, const HttpRequest&, HttpResponse& response) {
                      response.SetStatus(204);
                    });
    if (extra_) extra_(*server_);
    const Status status = server_->Start();
    ASSERT_TRUE(status.ok()) << status;
  }
  std::string Get(std::string_view target, std::string_view headers = "") {
    return "GET " + std::string(target) + " HTTP/1.1\r\nHost: h\r\n" + std::string(headers) +
           "\r\n";
  }

  HttpServerOptions options_;
  std::function<void(HttpServer&)> extra_;
  std::unique_ptr<HttpServer> server_;
};

TEST_F(HttpServerTest, AnswersAndKeepsTheConnection) {
  Start();
  TestClient client(server_->port());
  for (int i = 0; i < 3; ++i) {
    const TestAnswer answer = client.Do(Get("/hello?a=x%20y"));
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.body, "hello");
    EXPECT_EQ(answer.Header("X-Seen"), "x y");
    EXPECT_EQ(answer.Header("Content-Length"), "5");
    EXPECT_EQ(answer.Header("Content-Type"), "text/plain; charset=utf-8");
    EXPECT_EQ(answer.Header("Connection"), "");
    EXPECT_NE(answer.Header("Date"), "");
  }
  // Sent ahead, answered in order.
  client.Send(Get("/hello") + Get("/echo?n=2") + Get("/empty"));
  EXPECT_EQ(client.Receive().body, "hello");
  EXPECT_EQ(client.Receive().body, "GET\nn=2\n");
  EXPECT_EQ(client.Receive().status, 204);
}

TEST_F(HttpServerTest, EndsTheConnectionWhenAsked) {
  Start();
  struct Case {
    std::string request;
    std::string connection;
    bool ends;
  };
  const Case cases[] = {
      {Get("/hello", "Connection: close\r\n"), "close", true},
      {"GET /hello HTTP/1.0\r\n\r\n", "close", true},
      {"GET /hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", "keep-alive", false},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.request);
    TestClient client(server_->port());
    const TestAnswer answer = client.Do(c.request);
    EXPECT_EQ(answer.body, "hello");
    EXPECT_EQ(answer.Header("Connection"), c.connection);
    if (c.ends) {
      EXPECT_TRUE(client.WaitForEnd());
    } else {
      EXPECT_EQ(client.Do(c.request).body, "hello");
    }
  }
}

TEST_F(HttpServerTest, FormsComeBeforeTheQuery) {
  Start();
  TestClient client(server_->port());
  const TestAnswer answer = client.Do(
      "POST /echo?a=query HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n"
      "Content-Type: application/x-www-form-urlencoded; charset=utf-8\r\n\r\na=form&b=1");
  EXPECT_EQ(answer.body, "POST\na=form\nb=1\na=query\na=form&b=1");
  // Another type is no form; chunks are joined, trailers dropped.
  const TestAnswer chunked = client.Do(
      "POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
      "3;x=y\r\na=1\r\n4\r\n&b=2\r\n0\r\nX-Trailer: t\r\n\r\n");
  EXPECT_EQ(chunked.body, "POST\na=1&b=2");
}

TEST_F(HttpServerTest, ChunksComeAByteAtATime) {
  Start();
  for (const std::string body :
       {"0\r\n\r\n", "0\r\nT: u\r\n\r\n", "1\r\na\r\n0;e\r\nT: u\r\n\r\n"}) {
    TestClient client(server_->port());
    const std::string head = "POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
    for (const char c : head + body) client.Send(std::string_view(&c, 1));
    EXPECT_EQ(client.Receive().body, body[0] == '1' ? "POST\na" : "POST\n");
    EXPECT_EQ(client.Do(Get("/hello")).body, "hello");
  }
}

TEST_F(HttpServerTest, TakesAQueryOfEightMebibytes) {
  Start();
  TestClient client(server_->port());
  const std::string form = "query=" + std::string(8 << 20, 'a');
  client.Send(
      "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Type: application/x-www-form-urlencoded\r\n"
      "Content-Length: " +
      std::to_string(form.size()) + "\r\n\r\n");
  client.Send(form);
  EXPECT_EQ(client.Receive().body.size(), 5 + form.size() + 1 + form.size());
}

TEST_F(HttpServerTest, LargeAnswersAreChunked) {
  Start();
  TestClient client(server_->port());
  const TestAnswer small = client.Do(Get("/large/65535"));
  EXPECT_EQ(small.Header("Content-Length"), "65535");
  const TestAnswer large = client.Do(Get("/large/3000000"));
  EXPECT_EQ(large.Header("Transfer-Encoding"), "chunked");
  EXPECT_EQ(large.body.size(), 3'000'000u);
  // HTTP/1.0 knows no chunks.
  const TestAnswer old = client.Do("GET /large/3000000 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_EQ(old.Header("Connection"), "close");
  EXPECT_EQ(old.body, large.body);
}

TEST_F(HttpServerTest, CompressesWhatIsWorthIt) {
  Start();
  TestClient client(server_->port());
  struct Case {
    std::string accept;
    int size;
    bool gzip;
  };
  const Case cases[] = {
      {"gzip", 1000, false},  {"gzip", 2000, true},        {"gzip", 65536, true},
      {"gzip", 500000, true}, {"gzip;q=0", 500000, false}, {"br, *;q=0.1", 2000, true},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.accept + " " + std::to_string(c.size));
    const std::string target = "/large/" + std::to_string(c.size);
    const TestAnswer plain = client.Do(Get(target));
    EXPECT_EQ(plain.Header("Content-Encoding"), "");
    const TestAnswer answer = client.Do(Get(target, "Accept-Encoding: " + c.accept + "\r\n"));
    EXPECT_EQ(answer.Header("Vary"), "Accept-Encoding");
    if (c.gzip) {
      EXPECT_EQ(answer.Header("Content-Encoding"), "gzip");
      EXPECT_LT(answer.body.size(), plain.body.size() / 4);
      EXPECT_EQ(TestGunzip(answer.body), plain.body);
    } else {
      EXPECT_EQ(answer.Header("Content-Encoding"), "");
      EXPECT_EQ(answer.body, plain.body);
    }
  }
}

TEST_F(HttpServerTest, HeadHasNoBody) {
  Start();
  TestClient client(server_->port());
  for (const char* target : {"/hello", "/large/1000000", "/large/70000"}) {
    SCOPED_TRACE(target);
    client.Send("HEAD " + std::string(target) + " HTTP/1.1\r\nHost: h\r\n\r\n");
    EXPECT_EQ(client.Receive(true).status, 200);
  }
  EXPECT_EQ(client.Do(Get("/hello")).body, "hello");  // nothing stood between
}

TEST_F(HttpServerTest, UnknownPathsAndMethods) {
  Start();
  TestClient client(server_->port());
  const TestAnswer path = client.Do(Get("/nothing"));
  EXPECT_EQ(path.status, 404);
  EXPECT_EQ(path.body, "404 page not found\n");
  const TestAnswer method = client.Do("DELETE /hello HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(method.status, 405);
  EXPECT_EQ(method.Header("Allow"), "GET");
  const TestAnswer options = client.Do("OPTIONS /hello HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(options.status, 204);
  EXPECT_EQ(options.Header("Allow"), "GET");
  EXPECT_EQ(client.Do("BREW /echo HTTP/1.1\r\nHost: h\r\n\r\n").body, "BREW\n");
  EXPECT_EQ(client.Do(Get("http://h/hello")).body, "hello");
}

TEST_F(HttpServerTest, ContinuesBeforeTheBody) {
  Start();
  TestClient client(server_->port());
  client.Send(
      "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(client.Receive().status, 100);
  EXPECT_EQ(client.Do("abc").body, "POST\nabc");
}

TEST_F(HttpServerTest, NoHeaderCanBeSmuggledIntoAnAnswer) {
  Start();
  TestClient client(server_->port());
  for (const char* query :
       {"name=X&value=a%0d%0aSet-Cookie:%20b", "name=X&value=a%0ab", "name=X&value=a%00b",
        "name=X%0d%0aY&value=a", "name=&value=a", "name=a%20b&value=c"}) {
    SCOPED_TRACE(query);
    const TestAnswer answer = client.Do(Get("/header?" + std::string(query)));
    EXPECT_EQ(answer.status, 500);
    EXPECT_EQ(answer.head.find("Set-Cookie"), std::string::npos);
    EXPECT_EQ(answer.body.find("body"), std::string::npos);
  }
  // Framing is the server's.
  const TestAnswer framed = client.Do(Get("/header?name=content-length&value=1"));
  EXPECT_EQ(framed.body, "body");
  EXPECT_EQ(client.Do(Get("/header?name=X-Fine&value=y")).Header("X-Fine"), "y");
}

TEST_F(HttpServerTest, ExceptionsAreAnswered500OrCutTheAnswer) {
  Start();
  TestClient client(server_->port());
  const TestAnswer small = client.Do(Get("/throw?size=10"));
  EXPECT_EQ(small.status, 500);
  EXPECT_EQ(small.body, "internal server error\n");
  // Bytes are out: the client must see that the rest is missing.
  const TestAnswer large = client.Do(Get("/throw?size=200000"));
  EXPECT_EQ(large.status, 0);
  EXPECT_TRUE(client.WaitForEnd());
}

TEST_F(HttpServerTest, TheClientsEndCancelsTheHandler) {
  std::promise<void> running;
  std::promise<bool> cancelled;
  extra_ = [&](HttpServer& server) {
    server.Handle("GET", "/wait", "wait",
                  [&](const Context& context, const HttpRequest&, HttpResponse&) {
                    std::promise<void> stop;
                    std::stop_callback callback(context.stop_token(), [&] { stop.set_value(); });
                    running.set_value();
                    cancelled.set_value(stop.get_future().wait_for(std::chrono::seconds(10)) ==
                                        std::future_status::ready);
                  });
  };
  Start();
  TestClient client(server_->port());
  client.Send(Get("/wait"));
  running.get_future().wait();
  client.Close();
  EXPECT_TRUE(cancelled.get_future().get());
}

TEST_F(HttpServerTest, AFullQueueIsAnswered503ButProbesAreServed) {
  options_.handler_threads = 1;
  options_.handler_queue = 1;
  std::promise<void> running;
  std::promise<void> release;
  std::shared_future<void> released = release.get_future().share();
  std::atomic<int> entered = 0;
  extra_ = [&](HttpServer& server) {
    server.Handle("GET", "/wait", "wait",
                  [&, released](const Context&, const HttpRequest&, HttpResponse& response) {
                    if (entered.fetch_add(1) == 0) running.set_value();
                    released.wait();
                    response.Write("waited");
                  });
    server.HandleLight("GET", "/light",
                       [](const Context&, const HttpRequest&, HttpResponse& response) {
                         response.Write("light");
                       });
  };
  Start();
  TestClient first(server_->port());
  TestClient second(server_->port());
  TestClient third(server_->port());
  first.Send(Get("/wait"));
  running.get_future().wait();
  // Of these two one waits in the queue, the other finds it full.
  second.Send(Get("/wait"));
  third.Send(Get("/wait"));
  TestClient probe(server_->port());
  EXPECT_EQ(probe.Do(Get("/light")).body, "light");
  release.set_value();
  EXPECT_EQ(first.Receive().body, "waited");
  const int statuses = second.Receive().status + third.Receive().status;
  EXPECT_EQ(statuses, 200 + 503);
}

TEST_F(HttpServerTest, StopLetsRequestsEndWithinTheGrace) {
  std::promise<void> running;
  std::promise<void> release;
  extra_ = [&](HttpServer& server) {
    server.Handle("GET", "/wait", "wait",
                  [&](const Context&, const HttpRequest&, HttpResponse& response) {
                    running.set_value();
                    release.get_future().wait();
                    response.Write("done");
                  });
  };
  Start();
  TestClient idle(server_->port());
  TestClient client(server_->port());
  EXPECT_EQ(idle.Do(Get("/hello")).body, "hello");
  client.Send(Get("/wait"));
  running.get_future().wait();
  std::thread stopper([&] { server_->Stop(std::chrono::seconds(10)); });
  EXPECT_TRUE(idle.WaitForEnd());
  release.set_value();
  EXPECT_EQ(client.Receive().body, "done");
  stopper.join();
  EXPECT_FALSE(TestClient(server_->port()).connected());
  server_->Stop(std::chrono::seconds(10));  // again, without harm
}

TEST_F(HttpServerTest, StopCancelsWhatOutlivesTheGrace) {
  std::promise<void> running;
  extra_ = [&](HttpServer& server) {
    server.Handle("GET", "/wait", "wait",
                  [&](const Context& context, const HttpRequest&, HttpResponse& response) {
                    std::promise<void> stop;
                    std::stop_callback callback(context.stop_token(), [&] { stop.set_value(); });
                    running.set_value();
                    stop.get_future().wait();
                    response.SetStatus(503);
                    response.Write("stopped");
                  });
  };
  Start();
  TestClient client(server_->port());
  client.Send(Get("/wait"));
  running.get_future().wait();
  server_->Stop(milliseconds(1));
  EXPECT_EQ(client.Receive().body, "stopped");
}

// A log in memory. Thread-safe.
class MemorySink final : public LogSink {
 public:
  void Write(std::string_view line) override {
    MutexLock lock(mutex_);
    text_ += line;
  }
  std::string text() {
    MutexLock lock(mutex_);
    return text_;
  }

 private:
  Mutex mutex_;
  std::string text_ AEVUM_GUARDED_BY(mutex_);
};

TEST_F(HttpServerTest, LogsRequestsAsItIsTold) {
  const auto sink = std::make_shared<MemorySink>();
  auto log =
      RequestLog::Parse("options: {level: DEBUG, decision: {log_start: true, log_end: true}}",
                        Logger(sink, LogLevel::kError, LogFormat::kLogfmt));
  ASSERT_TRUE(log.ok()) << log.status();
  options_.request_log = *log;
  extra_ = [](HttpServer& server) {
    server.HandleLight("GET", "/probe", [](const Context&, const HttpRequest&, HttpResponse&) {});
  };
  Start();
  TestClient client(server_->port());
  EXPECT_EQ(client.Do(Get("/hello?a=b", "X-Request-ID: id-7\r\nUser-Agent: test\r\n")).status, 200);
  EXPECT_EQ(client.Do(Get("/throw?size=1")).status, 500);
  EXPECT_EQ(client.Do(Get("/probe")).status, 200);
  const std::string text = sink->text();
  EXPECT_THAT(text, HasSubstr("msg=\"started call\" protocol=http http.component=server "
                              "http.method=\"GET /hello?a=b\" http.request_id=id-7 "
                              "http.user_agent=test thanos.method_name=hello"));
  EXPECT_THAT(text, HasSubstr("http.status_code=200"));
  EXPECT_THAT(text, HasSubstr("http.remote_addr=127.0.0.1:"));
  EXPECT_THAT(text, HasSubstr("level=error"));
  EXPECT_THAT(text, HasSubstr("http.status_code=500"));
  EXPECT_THAT(text, ::testing::Not(HasSubstr("/probe")));
}

TEST_F(HttpServerTest, SaysWhyItCanNotListen) {
  Start();
  options_.address = "127.0.0.1:" + std::to_string(server_->port());
  struct Case {
    std::string address;
    std::string message;
  };
  const Case cases[] = {
      {options_.address, "Address already in use"},
      {"127.0.0.1", "no port"},
      {"::1:80", "needs brackets"},
      {"127.0.0.1:http", "the port must be a number"},
      {"127.0.0.1:99999", "the port must be a number"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.address);
    options_.address = c.address;
    HttpServer other(options_, Logger(), nullptr);
    const Status status = other.Start();
    EXPECT_THAT(std::string(status.message()), HasSubstr(c.message));
    EXPECT_THAT(std::string(status.message()), HasSubstr(c.address));
  }
}

}  // namespace
}  // namespace aevum::net
