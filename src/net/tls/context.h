// TLS settings made from files: certificates, authorities, versions, cipher suites and curves.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/logging.h"
#include "base/mutex.h"
#include "base/status.h"

struct ssl_ctx_st;  // OpenSSL's SSL_CTX

namespace aevum::net::tls {

// What a server asks of its clients; names as in the web configuration's client_auth_type.
enum class ClientAuth : std::uint8_t {
  kNone,              // NoClientCert
  kRequest,           // RequestClientCert: asked for, not verified
  kRequireAny,        // RequireAnyClientCert: must be there, not verified
  kVerifyIfGiven,     // VerifyClientCertIfGiven
  kRequireAndVerify,  // RequireAndVerifyClientCert
};

// "" is kNone; "RequireClientCert" is the old spelling of RequireAnyClientCert.
StatusOr<ClientAuth> ParseClientAuth(std::string_view name);

// TLS versions, in order. Spelt "1.2" (flags) or "TLS12" (web configuration).
enum class Version : std::uint8_t { k10, k11, k12, k13 };
StatusOr<Version> ParseVersion(std::string_view name);

// A PEM file, or PEM text that stands in the configuration itself. Both empty: not given.
struct Pem {
  std::string file;
  std::string text;
  bool given() const { return !file.empty() || !text.empty(); }
};

struct ServerConfig {
  Pem cert = {};       // the certificate, then the rest of its chain
  Pem key = {};        // not encrypted
  Pem client_ca = {};  // one or more authorities; needed by the modes that verify
  ClientAuth client_auth = ClientAuth::kNone;
  std::vector<std::string> client_allowed_sans = {};  // not empty: one of them must match exactly
  Version min_version = Version::k12;
  Version max_version = Version::k13;
  std::vector<std::string> ciphers =
      {};  // as Go's crypto/tls names them; TLS 1.3 suites are always on
  std::vector<std::string> curves = {};  // CurveP256, CurveP384, CurveP521, X25519
  bool prefer_server_ciphers = true;
  std::vector<std::string> alpn = {};  // in our order; empty: the extension is ignored
};

struct ClientConfig {
  Pem cert = {};  // with key, or neither
  Pem key = {};
  Pem ca = {};  // not given: the system's authorities
  bool insecure_skip_verify = false;
  Version min_version = Version::k12;
  std::vector<std::string> alpn = {};
};

// An SSL_CTX that follows its files.
//
// Get() looks at the files' times and sizes and reads them again when they differ. While the new
// ones can't be used (a certificate whose key is not written yet), it keeps what it has, says so
// once in the log, and tries again at the next call. Connections keep the context they began with.
// Thread-safe.
class Context {
 public:
  // InvalidArgument names the file or the setting that can't be used.
  static StatusOr<std::unique_ptr<Context>> ForServer(ServerConfig config, Logger logger);
  static StatusOr<std::unique_ptr<Context>> ForClient(ClientConfig config, Logger logger);

  // Never null. For asio::ssl::context take a reference of its own with SSL_CTX_up_ref.
  std::shared_ptr<ssl_ctx_st> Get();

  // How often the files were read with success, the first time included.
  std::uint64_t loads() const;

 private:
  // Identifies the state of a file; all zero when it can't be read.
  struct FileState {
    std::uint64_t device = 0, inode = 0, size = 0;
    std::int64_t modified_ns = 0;
    bool operator==(const FileState&) const = default;
  };

  Context(bool is_server, ServerConfig server, ClientConfig client, Logger logger);
  StatusOr<std::shared_ptr<ssl_ctx_st>> Load() const;
  std::vector<FileState> LookAtFiles() const;

  const bool is_server_;
  const ServerConfig server_;
  const ClientConfig client_;
  const Logger logger_;

  mutable Mutex mutex_;
  std::shared_ptr<ssl_ctx_st> current_ AEVUM_GUARDED_BY(mutex_);
  std::vector<FileState> loaded_ AEVUM_GUARDED_BY(mutex_);      // the files of current_
  std::vector<FileState> complained_ AEVUM_GUARDED_BY(mutex_);  // the files of the last warning
  std::uint64_t loads_ AEVUM_GUARDED_BY(mutex_) = 0;
};

// The text of OpenSSL's error queue, which it empties; `fallback` when it is empty.
std::string TakeSslError(std::string_view fallback);

}  // namespace aevum::net::tls
