// A DNS server of a test, on a free UDP port of the loopback.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "base/mutex.h"

namespace aevum::net {

class TestDnsServer {
 public:
  enum class Mode { kAnswer, kServerFailure, kSilent };
  struct Service {
    std::string target;
    std::uint16_t port;
  };

  TestDnsServer();
  ~TestDnsServer();

  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
  void Set(Mode mode) { mode_ = mode; }
  // IPv4 and IPv6 addresses as text.
  void SetAddresses(const std::string& name, std::vector<std::string> addresses);
  void SetServices(const std::string& name, std::vector<Service> services);

 private:
  void Serve();
  std::string Answer(std::string_view question);

  int socket_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<Mode> mode_ = Mode::kAnswer;
  Mutex mutex_;
  std::map<std::string, std::vector<std::string>> addresses_ AEVUM_GUARDED_BY(mutex_);
  std::map<std::string, std::vector<Service>> services_ AEVUM_GUARDED_BY(mutex_);
  std::thread thread_;
};

}  // namespace aevum::net
