// A set of endpoints with short intervals and files of its own, for tests.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <prometheus/registry.h>
#include <unistd.h>

#include "query/endpoint_set.h"
#include "query/testing/store_server.h"

namespace aevum::query {

class EndpointSetTest : public ::testing::Test {
 protected:
  EndpointSetTest() : directory_(::testing::TempDir() + "endpoints-" + std::to_string(::getpid())) {
    std::filesystem::create_directories(directory_);
    options_.info_timeout = std::chrono::seconds(20);
    options_.info_interval = std::chrono::milliseconds(50);
    options_.dns_interval = std::chrono::milliseconds(50);
    options_.sd_interval = std::chrono::milliseconds(50);
    options_.sd_config_interval = std::chrono::milliseconds(50);
    // Shorter than the test's patience, so that a server that is gone is noticed.
    options_.dns.timeout = std::chrono::seconds(1);
    options_.dns.tries = 2;
  }
  ~EndpointSetTest() override {
    set_.reset();
    std::filesystem::remove_all(directory_);
  }

  void Start() {
    set_ = std::make_unique<EndpointSet>(options_, runtime_, Logger(), metrics_);
    std::atomic<bool> ready = false;
    const Status status = set_->Start([&] { ready = true; });
    ASSERT_TRUE(status.ok()) << status;
    while (!ready) std::this_thread::yield();
  }

  std::vector<std::string> Used() const {
    std::vector<std::string> addresses;
    const auto clients = set_->Stores();
    for (const store::StoreClient& client : *clients)
      if (client.lost.empty()) addresses.push_back(client.address);
    return addresses;
  }

  // Waits until the endpoints in use are these.
  ::testing::AssertionResult Becomes(std::vector<std::string> wanted) const {
    std::sort(wanted.begin(), wanted.end());
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (Used() != wanted) {
      if (std::chrono::steady_clock::now() > end)
        return ::testing::AssertionFailure() << ::testing::PrintToString(Used());
      std::this_thread::yield();
    }
    return ::testing::AssertionSuccess();
  }

  void WriteFile(const std::string& name, const std::string& text) const {
    std::ofstream(directory_ + "/new") << text;
    std::filesystem::rename(directory_ + "/new", directory_ + "/" + name);
  }

  const std::string directory_;
  EndpointOptions options_;
  std::shared_ptr<prometheus::Registry> metrics_ = std::make_shared<prometheus::Registry>();
  net::grpc::ClientRuntime runtime_{1, metrics_};
  std::unique_ptr<EndpointSet> set_;
};

inline EndpointSpec At(const std::string& address, bool group = false) {
  EndpointSpec spec;
  spec.address = address;
  spec.group = group;
  return spec;
}

}  // namespace aevum::query
