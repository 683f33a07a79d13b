#include "net/http/web_config.h"

#include <sys/stat.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>

#include "base/duration.h"
#include "base/files.h"
#include "net/yaml_fields.h"

namespace aevum::net {
namespace {

constexpr std::size_t kFileLimitBytes = 1 << 20;

// "$2y$10$" and 53 characters of salt and hash.
bool IsBcryptHash(std::string_view hash) {
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  return hash.size() == 60 && hash.starts_with("$2") && hash[3] == '$' && is_digit(hash[4]) &&
         is_digit(hash[5]) && hash[6] == '$' &&
         std::string_view("aby").find(hash[2]) != std::string_view::npos;
}

Status ReadUsers(const YAML::Node& node, std::map<std::string, std::string>* users) {
  if (node.IsNull()) return OkStatus();
  if (!node.IsMap()) return YamlError(node, "not a map of users and hashes");
  for (const auto& entry : node) {
    if (!entry.first.IsScalar() || !entry.second.IsScalar() ||
        !IsBcryptHash(entry.second.Scalar())) {
      return YamlError(entry.second, "the value of a user is not a bcrypt hash");
    }
    if (!users->emplace(entry.first.Scalar(), entry.second.Scalar()).second) {
      return YamlError(entry.first, "a user is there twice: " + entry.first.Scalar());
    }
  }
  return OkStatus();
}

// The headers that the file may set, as the exporter toolkit has them.
Status ReadHeaders(const YAML::Node& node, Fields* headers) {
  static constexpr std::string_view kAllowed[] = {
      "Content-Security-Policy", "X-Frame-Options",           "X-Content-Type-Options",
      "X-XSS-Protection",        "Strict-Transport-Security",
  };
  if (node.IsNull()) return OkStatus();
  if (!node.IsMap()) return YamlError(node, "not a map of headers");
  for (const auto& entry : node) {
    if (!entry.first.IsScalar() || !entry.second.IsScalar()) {
      return YamlError(entry.first, "a header is no pair of strings");
    }
    const std::string& name = entry.first.Scalar();
    const std::string& value = entry.second.Scalar();
    if (std::find(std::begin(kAllowed), std::end(kAllowed), name) == std::end(kAllowed)) {
      return YamlError(entry.first, "a header that can't be set here: " + name);
    }
    if (value.find_first_of(std::string_view("\r\n\0", 3)) != std::string::npos) {
      return YamlError(entry.second, "a line break in the value of header " + name);
    }
    headers->emplace_back(name, value);
  }
  return OkStatus();
}

YamlReader ReadVersion(tls::Version* out) {
  return [out](const YAML::Node& node) -> Status {
    if (node.IsNull()) return OkStatus();
    const StatusOr<tls::Version> version = tls::ParseVersion(node.IsScalar() ? node.Scalar() : "");
    if (!version.ok()) return YamlError(node, std::string(version.status().message()));
    *out = *version;
    return OkStatus();
  };
}

YamlReader ReadClientAuth(tls::ClientAuth* out) {
  return [out](const YAML::Node& node) -> Status {
    if (node.IsNull()) return OkStatus();
    const StatusOr<tls::ClientAuth> auth =
        tls::ParseClientAuth(node.IsScalar() ? node.Scalar() : "?");
    if (!auth.ok()) return YamlError(node, std::string(auth.status().message()));
    *out = *auth;
    return OkStatus();
  };
}

Status FinishPem(std::string_view what, const std::string& directory, tls::Pem* pem) {
  if (!pem->file.empty() && !pem->text.empty()) {
    return InvalidArgument("tls_server_config: both {0} and {0}_file are set", what);
  }
  if (!pem->file.empty() && !pem->file.starts_with('/')) pem->file = directory + "/" + pem->file;
  return OkStatus();
}

Status FinishTls(const std::string& directory, WebConfig* config) {
  tls::ServerConfig& server = config->tls;
  RETURN_IF_ERROR(FinishPem("cert", directory, &server.cert));
  RETURN_IF_ERROR(FinishPem("key", directory, &server.key));
  RETURN_IF_ERROR(FinishPem("client_ca", directory, &server.client_ca));
  if (!server.cert.given() && !server.key.given() && !server.client_ca.given() &&
      server.client_auth == tls::ClientAuth::kNone) {
    return OkStatus();  // the section says nothing: no TLS
  }
  if (!server.cert.given()) return InvalidArgument("tls_server_config: missing cert or cert_file");
  if (!server.key.given()) return InvalidArgument("tls_server_config: missing key or key_file");
  config->has_tls = true;
  server.alpn = {"http/1.1"};
  return OkStatus();
}

Status ReadInterval(const YAML::Node& node, std::chrono::nanoseconds* out) {
  if (node.IsNull()) return OkStatus();
  const auto interval = ParseGoDuration(node.IsScalar() ? node.Scalar() : "");
  if (!interval.ok()) return YamlError(node, std::string(interval.status().message()));
  if (interval->count() < 0) return YamlError(node, "a negative interval");
  *out = *interval;
  return OkStatus();
}

}  // namespace

StatusOr<WebConfig> ParseWebConfig(std::string_view yaml, const std::string& directory) {
  WebConfig config;
  tls::ServerConfig& tls = config.tls;
  bool http2 = true;  // accepted; this server speaks HTTP/1.1 only
  const YamlReaders tls_fields = {
      {"cert", YamlString(&tls.cert.text)},
      {"key", YamlString(&tls.key.text)},
      {"client_ca", YamlString(&tls.client_ca.text)},
      {"cert_file", YamlString(&tls.cert.file)},
      {"key_file", YamlString(&tls.key.file)},
      {"client_ca_file", YamlString(&tls.client_ca.file)},
      {"client_auth_type", ReadClientAuth(&tls.client_auth)},
      {"client_allowed_sans", YamlStrings(&tls.client_allowed_sans)},
      {"cipher_suites", YamlStrings(&tls.ciphers)},
      {"curve_preferences", YamlStrings(&tls.curves)},
      {"min_version", ReadVersion(&tls.min_version)},
      {"max_version", ReadVersion(&tls.max_version)},
      {"prefer_server_cipher_suites", YamlBool(&tls.prefer_server_ciphers)},
  };
  const YamlReaders http_fields = {
      {"http2", YamlBool(&http2)},
      {"headers", [&](const YAML::Node& n) { return ReadHeaders(n, &config.headers); }},
  };
  const YamlReaders rate_fields = {
      {"burst", YamlInt(&config.rate_burst)},
      {"interval", [&](const YAML::Node& n) { return ReadInterval(n, &config.rate_interval); }},
  };
  const YamlReaders fields = {
      {"tls_server_config", YamlMap("tls_server_config", tls_fields)},
      {"http_server_config", YamlMap("http_server_config", http_fields)},
      {"rate_limit", YamlMap("rate_limit", rate_fields)},
      {"basic_auth_users", [&](const YAML::Node& n) { return ReadUsers(n, &config.users); }},
  };
  RETURN_IF_ERROR(WithYaml(yaml, YamlMap("the web configuration", fields)));
  if (config.rate_burst < 0) return InvalidArgument("rate_limit: a negative burst");
  RETURN_IF_ERROR(FinishTls(directory, &config));
  return config;
}

StatusOr<std::unique_ptr<WebConfigFile>> WebConfigFile::Open(std::string path, Logger logger) {
  std::unique_ptr<WebConfigFile> file(new WebConfigFile(std::move(path), std::move(logger)));
  MutexLock lock(file->mutex_);
  if (file->path_.empty()) {
    file->current_ = std::make_shared<const Loaded>();
    return file;
  }
  file->seen_ = file->Look();
  ASSIGN_OR_RETURN(file->current_, file->Load());
  return file;
}

WebConfigFile::FileState WebConfigFile::Look() const {
  struct stat found{};
  if (::stat(path_.c_str(), &found) != 0) return {};
  return {found.st_mtim.tv_sec * 1'000'000'000 + found.st_mtim.tv_nsec,
          static_cast<std::uint64_t>(found.st_size), found.st_ino};
}

StatusOr<std::shared_ptr<const WebConfigFile::Loaded>> WebConfigFile::Load() const {
  const std::string where = "web configuration " + path_;
  StatusOr<std::string> text = ReadFile(path_, kFileLimitBytes);
  if (!text.ok()) return Annotate(text.status(), where);
  const std::size_t slash = path_.rfind('/');
  const std::string directory = slash == std::string::npos ? "." : path_.substr(0, slash);
  StatusOr<WebConfig> config = ParseWebConfig(*text, directory);
  if (!config.ok()) return Annotate(config.status(), where);
  auto loaded = std::make_shared<Loaded>();
  loaded->config = *std::move(config);
  if (loaded->config.has_tls) {
    auto context = tls::Context::ForServer(loaded->config.tls, logger_);
    if (!context.ok()) return Annotate(context.status(), where);
    loaded->tls = *std::move(context);
  }
  return std::shared_ptr<const Loaded>(std::move(loaded));
}

std::shared_ptr<const WebConfigFile::Loaded> WebConfigFile::Get() {
  MutexLock lock(mutex_);
  if (path_.empty()) return current_;
  const FileState state = Look();
  if (state == seen_) return current_;
  seen_ = state;
  StatusOr<std::shared_ptr<const Loaded>> loaded = Load();
  if (loaded.ok()) {
    logger_.Info("read the web configuration again", {{"file", path_}});
    current_ = *std::move(loaded);
  } else {
    logger_.Error("can't use the changed web configuration, the last good one stays",
                  {{"err", loaded.status()}});
  }
  return current_;
}

}  // namespace aevum::net
