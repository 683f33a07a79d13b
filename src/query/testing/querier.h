// A querier with its HTTP API on loopback, for tests.
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

#include "net/http/client.h"
#include "net/url.h"
#include "query/query.h"

namespace aevum::query::testing {

class Querier {
 public:
  using Params = std::vector<std::pair<std::string, std::string>>;

  // Ready when all endpoints were asked what they are.
  explicit Querier(const QueryOptions& options) : query_(options, Logger(), metrics_) {
    net::HttpServerOptions http;
    http.address = "127.0.0.1:0";
    server_ = std::make_unique<net::HttpServer>(http, Logger(), metrics_);
    query_.AddRoutes(*server_);
    EXPECT_TRUE(server_->Start().ok());
    std::atomic<bool> ready = false;
    EXPECT_TRUE(query_.Start([&] { ready = true; }).ok());
    while (!ready) std::this_thread::yield();
  }
  ~Querier() { server_->Stop(std::chrono::milliseconds(0)); }

  // The parameters are the form of a POST, else part of the URL.
  net::HttpClientResponse Send(const std::string& method, const std::string& path,
                               const Params& params) {
    std::string form;
    for (const auto& [name, value] : params) {
      if (!form.empty()) form += '&';
      form += net::PercentEncode(name) + "=" + net::PercentEncode(value);
    }
    net::HttpClientRequest request{
        .method = method,
        .url = fmt::format("http://127.0.0.1:{}{}", server_->port(), path),
        .headers = {},
        .body = {}};
    if (method == "POST") {
      request.headers.emplace_back("Content-Type", "application/x-www-form-urlencoded");
      request.body = std::move(form);
    } else if (!form.empty()) {
      request.url += "?" + form;
    }
    auto response = client_.Do(Context::Background(), request);
    EXPECT_TRUE(response.ok()) << response.status();
    return response.ok() ? *response : net::HttpClientResponse{};
  }
  net::HttpClientResponse Get(const std::string& path, const Params& params) {
    return Send("GET", path, params);
  }
  nlohmann::json Ask(const std::string& path, const Params& params) {
    return nlohmann::json::parse(Get(path, params).body);
  }

 private:
  const std::shared_ptr<prometheus::Registry> metrics_ = std::make_shared<prometheus::Registry>();
  Query query_;
  std::unique_ptr<net::HttpServer> server_;
  net::HttpClient client_{net::HttpClientOptions{}};
};

}  // namespace aevum::query::testing
