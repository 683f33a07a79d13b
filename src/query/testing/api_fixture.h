// The querier's API on loopback, with stores behind real gRPC servers, for tests.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <prometheus/registry.h>
#include <nlohmann/json.hpp>

#include "base/clock.h"
#include "net/http/client.h"
#include "net/url.h"
#include "query/query.h"
#include "query/testing/store_server.h"

namespace aevum::query {

using nlohmann::json;

using testing::Minute;
using testing::StoreServer;
using testing::Up;

class ApiTest : public ::testing::Test {
 protected:
  ApiTest()
      : store_({Up({{"cluster", "a"}, {"job", "x"}, {"replica", "0"}}),
                Up({{"cluster", "a"}, {"job", "x"}, {"replica", "1"}}),
                Up({{"cluster", "a"}, {"job", "y"}, {"replica", "0"}})}),
        client_(net::HttpClientOptions{}) {
    options_.api.defaults.replica_labels = {"replica"};
    options_.endpoints.info_timeout = std::chrono::seconds(20);
    options_.endpoints.info_interval = std::chrono::milliseconds(100);
  }
  ~ApiTest() override {
    if (server_) server_->Stop(std::chrono::milliseconds(0));
  }

  void Start() {
    options_.endpoints.endpoints.push_back({.address = store_.address()});
    query_ =
        std::make_unique<Query>(options_, Logger(), metrics_, clock_ ? *clock_ : Clock::System());
    net::HttpServerOptions http;
    http.address = "127.0.0.1:0";
    server_ = std::make_unique<net::HttpServer>(http, Logger(), metrics_);
    query_->AddRoutes(*server_);
    ASSERT_TRUE(server_->Start().ok());
    std::atomic<bool> ready = false;
    ASSERT_TRUE(query_->Start([&] { ready = true; }).ok());
    while (!ready) std::this_thread::yield();
  }

  using Params = std::vector<std::pair<std::string, std::string>>;
  net::HttpClientResponse Get(const std::string& path, const Params& params = {},
                              const std::string& method = "GET", Params headers = {}) {
    std::string url = fmt::format("http://127.0.0.1:{}{}", server_->port(), path);
    char separator = '?';
    for (const auto& [name, value] : params) {
      url += separator + net::PercentEncode(name) + "=" + net::PercentEncode(value);
      separator = '&';
    }
    auto response = client_.Do(Context::Background(),
                               {.method = method, .url = url, .headers = std::move(headers)});
    EXPECT_TRUE(response.ok()) << response.status();
    return response.ok() ? *response : net::HttpClientResponse{};
  }
  json Data(const std::string& path, const Params& params = {}) {
    const net::HttpClientResponse response = Get(path, params);
    EXPECT_EQ(response.status, 200) << response.body;
    return json::parse(response.body)["data"];
  }

  QueryOptions options_;
  std::unique_ptr<FakeClock> clock_;  // null: the machine's
  StoreServer store_;
  std::shared_ptr<prometheus::Registry> metrics_ = std::make_shared<prometheus::Registry>();
  std::unique_ptr<Query> query_;
  std::unique_ptr<net::HttpServer> server_;
  net::HttpClient client_;
};

}  // namespace aevum::query
