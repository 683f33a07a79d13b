// Debian's dnsmasq as the DNS server of a test, on a free port of the loopback.
#pragma once

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <string>
#include <vector>

#include "base/testing/programs.h"

namespace aevum::query::testing {

// Ends with the object, by its process id.
class Dnsmasq {
 public:
  static constexpr const char* kPath = "/usr/sbin/dnsmasq";
  static bool IsInstalled() { return ::access(kPath, X_OK) == 0; }

  // Each record is an option, as "--host-record=a.test,127.0.0.1".
  explicit Dnsmasq(std::vector<std::string> records, std::uint16_t port = FreePort())
      : port_(port) {
    std::vector<std::string> arguments = {kPath,
                                          "--keep-in-foreground",
                                          "--conf-file=/dev/null",
                                          "--no-resolv",
                                          "--no-hosts",
                                          "--pid-file=",
                                          "--user=",
                                          "--bind-interfaces",
                                          "--listen-address=127.0.0.1",
                                          "--local=/test/",
                                          "--local-ttl=0",
                                          "--port=" + std::to_string(port_)};
    arguments.insert(arguments.end(), records.begin(), records.end());
    const int null = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
    pid_ = aevum::testing::Spawn(arguments, null);
    ::close(null);
  }
  ~Dnsmasq() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  Dnsmasq(const Dnsmasq&) = delete;
  Dnsmasq& operator=(const Dnsmasq&) = delete;

  std::uint16_t port() const { return port_; }
  // For DnsOptions::servers, which c-ares takes with a port.
  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }

 private:
  // It listens for both kinds: a port that only one of them has free would end it at once.
  static std::uint16_t FreePort() {
    while (true) {
      const std::uint16_t port = aevum::testing::BindablePort(0);
      if (aevum::testing::BindablePort(port, SOCK_DGRAM) == port) return port;
    }
  }

  const std::uint16_t port_;
  pid_t pid_ = 0;
};

}  // namespace aevum::query::testing
