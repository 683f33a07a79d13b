// Debian's dnsmasq as the DNS server of a test, on a free port of the loopback.
#pragma once

#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <string>
#include <vector>

extern char** environ;

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
    std::vector<char*> argv;
    for (std::string& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    posix_spawn_file_actions_t quiet;
    ::posix_spawn_file_actions_init(&quiet);
    ::posix_spawn_file_actions_addopen(&quiet, 2, "/dev/null", O_WRONLY, 0);
    if (::posix_spawn(&pid_, kPath, &quiet, nullptr, argv.data(), environ) != 0) pid_ = -1;
    ::posix_spawn_file_actions_destroy(&quiet);
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
      const std::uint16_t port = Bound(SOCK_STREAM, 0);
      if (Bound(SOCK_DGRAM, port) == port) return port;
    }
  }
  // The port that a socket can be bound to, any one for 0; 0 when it is taken.
  static std::uint16_t Bound(int kind, std::uint16_t port) {
    const int fd = ::socket(AF_INET, kind | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    const bool bound = ::bind(fd, reinterpret_cast<sockaddr*>(&address), size) == 0 &&
                       ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0;
    ::close(fd);
    return bound ? ntohs(address.sin_port) : std::uint16_t{0};
  }

  const std::uint16_t port_;
  pid_t pid_ = -1;
};

}  // namespace aevum::query::testing
