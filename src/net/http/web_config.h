// The web configuration of an HTTP server: TLS, users, security headers, a rate limit.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "base/logging.h"
#include "base/mutex.h"
#include "base/status.h"
#include "net/http/server.h"
#include "net/tls/context.h"

namespace aevum::net {

// Section 14 of the YAML contract.
struct WebConfig {
  bool has_tls = false;
  tls::ServerConfig tls;
  Fields headers;                            // put on every answer
  std::map<std::string, std::string> users;  // name to bcrypt hash; empty: no authentication
  std::int64_t rate_burst = 0;
  std::chrono::nanoseconds rate_interval{0};  // one request each; 0: no limit
};

// Paths are taken relative to `directory`. InvalidArgument names the field and its line.
StatusOr<WebConfig> ParseWebConfig(std::string_view yaml, const std::string& directory);

// A web configuration that follows its file. While the new file can't be used, the last good one
// holds, and the log says so once for each state of the file. Thread-safe.
class WebConfigFile {
 public:
  struct Loaded {
    WebConfig config;
    std::unique_ptr<tls::Context> tls;  // null without TLS
  };

  // `path` "" is the empty configuration. The error names the file.
  static StatusOr<std::unique_ptr<WebConfigFile>> Open(std::string path, Logger logger);

  // Looks at the file's time and size, which costs a system call. Never null.
  std::shared_ptr<const Loaded> Get();

 private:
  struct FileState {
    std::int64_t modified_ns = 0;
    std::uint64_t size = 0;
    std::uint64_t inode = 0;
    bool operator==(const FileState&) const = default;
  };

  WebConfigFile(std::string path, Logger logger)
      : path_(std::move(path)), logger_(std::move(logger)) {}
  FileState Look() const;
  StatusOr<std::shared_ptr<const Loaded>> Load() const;

  const std::string path_;
  const Logger logger_;
  Mutex mutex_;
  std::shared_ptr<const Loaded> current_ AEVUM_GUARDED_BY(mutex_);
  FileState seen_ AEVUM_GUARDED_BY(mutex_);
};

}  // namespace aevum::net
