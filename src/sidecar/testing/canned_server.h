// A server for answers that no real Prometheus gives: cut, of another type, or none at all.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace aevum::sidecar {

// Answers each request with the bytes for its path, then ends the connection; a path without bytes
// never gets an answer. One connection at a time. Thread-safe.
class CannedServer {
 public:
  CannedServer();
  ~CannedServer();
  CannedServer(const CannedServer&) = delete;
  CannedServer& operator=(const CannedServer&) = delete;

  // The answer for a path, as it goes over the wire.
  void SetRaw(const std::string& path, std::string bytes);
  // An answer with status 200.
  void SetBody(const std::string& path, std::string_view body,
               std::string_view content_type = "application/json");

  // The first lines of the requests that came, without the version.
  std::vector<std::string> requests() const;
  std::string url() const;

 private:
  void Run();
  void Serve(int connection);

  int listener_ = -1;
  int port_ = 0;
  int stop_ = -1;
  mutable std::mutex mutex_;
  std::map<std::string, std::string> answers_;
  std::vector<std::string> requests_;
  std::thread thread_;
};

}  // namespace aevum::sidecar
