// A real memcached or Redis for tests, on a free loopback port.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/files.h"
#include "base/status.h"

namespace aevum::cache {

// Ends the process, by its id, at the end of its life.
class ServerProcess {
 public:
  // What a test says that skips.
  static constexpr const char* kSkip =
      "no memcached or no redis-server: scripts/install-deps --cache-servers installs both";
  static bool AreInstalled();

  // Returns when the server takes connections. `port` 0: a free one.
  static StatusOr<std::unique_ptr<ServerProcess>> Memcached(std::uint16_t port = 0);
  static StatusOr<std::unique_ptr<ServerProcess>> Redis(std::vector<std::string> arguments = {},
                                                        std::uint16_t port = 0);
  // That watches a master under the name "aevum".
  static StatusOr<std::unique_ptr<ServerProcess>> Sentinel(const ServerProcess& master);
  ~ServerProcess() { Kill(); }
  ServerProcess(const ServerProcess&) = delete;
  ServerProcess& operator=(const ServerProcess&) = delete;

  // At once. It can't be started again; another can take its port.
  void Kill();
  // Stops it where it is, so that it takes connections and answers nothing, and lets it go on.
  void Pause();
  void Resume();

  std::uint16_t port() const { return port_; }
  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
  const TemporaryDirectory& directory() const { return directory_; }

 private:
  ServerProcess(TemporaryDirectory directory, std::uint16_t port)
      : directory_(std::move(directory)), port_(port) {}
  static StatusOr<std::unique_ptr<ServerProcess>> Make(std::uint16_t port);
  Status Start(const std::vector<std::string>& command);

  TemporaryDirectory directory_;
  const std::uint16_t port_;
  int pid_ = 0;
};

}  // namespace aevum::cache
