#include "net/tls/context.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>

#include "base/files.h"
#include "net/tls/names.h"

namespace aevum::net::tls {
namespace {

// Certificates and keys are a few KiB; bundles of all public authorities about 250 KiB.
constexpr std::size_t kPemLimitBytes = 4 << 20;

template <auto Free>
struct Deleter {
  template <typename T>
  void operator()(T* pointer) const {
    Free(pointer);
  }
};
using BioPtr = std::unique_ptr<BIO, Deleter<BIO_free_all>>;
using X509Ptr = std::unique_ptr<X509, Deleter<X509_free>>;
using KeyPtr = std::unique_ptr<EVP_PKEY, Deleter<EVP_PKEY_free>>;

// What the callbacks of a context need; freed with the context.
struct Extra {
  std::string alpn;  // wire form: each name after its length
  std::vector<std::string> allowed_sans;
  bool verify = false;
};

void FreeExtra(void* /*parent*/, void* pointer, CRYPTO_EX_DATA* /*data*/, int /*index*/,
               long /*argument*/, void* /*argument*/) {
  delete static_cast<Extra*>(pointer);
}

int ExtraIndex() {
  static const int index = SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, FreeExtra);
  return index;
}

Extra& ExtraOf(SSL_CTX* context) {
  return *static_cast<Extra*>(SSL_CTX_get_ex_data(context, ExtraIndex()));
}

std::string Describe(const Pem& pem, std::string_view what) {
  return pem.file.empty() ? fmt::format("{} given in the configuration", what)
                          : fmt::format("{} file {}", what, pem.file);
}

StatusOr<std::string> ReadPem(const Pem& pem, std::string_view what) {
  if (pem.file.empty()) return pem.text;
  StatusOr<std::string> text = ReadFile(pem.file, kPemLimitBytes);
  if (!text.ok()) {
    return InvalidArgument("can't read the {} file: {}", what, text.status().message());
  }
  return text;
}

BioPtr MemoryBio(const std::string& text) {
  return BioPtr(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

// Encrypted keys would make OpenSSL ask on the terminal.
int NoPassword(char* /*buffer*/, int /*size*/, int /*writing*/, void* /*user*/) { return -1; }

StatusOr<std::vector<X509Ptr>> ReadCertificates(const Pem& pem, std::string_view what) {
  ASSIGN_OR_RETURN(const std::string text, ReadPem(pem, what));
  const BioPtr bio = MemoryBio(text);
  std::vector<X509Ptr> certificates;
  ERR_clear_error();
  while (X509* certificate = PEM_read_bio_X509(bio.get(), nullptr, NoPassword, nullptr)) {
    certificates.emplace_back(certificate);
  }
  const unsigned long error = ERR_peek_last_error();
  const bool ended =
      ERR_GET_LIB(error) == ERR_LIB_PEM && ERR_GET_REASON(error) == PEM_R_NO_START_LINE;
  if (certificates.empty() && ended) {
    ERR_clear_error();
    return InvalidArgument("no certificate in the {}", Describe(pem, what));
  }
  if (!ended) {
    return InvalidArgument("bad certificate in the {}: {}", Describe(pem, what),
                           TakeSslError("not PEM"));
  }
  ERR_clear_error();
  return certificates;
}

Status UsePair(SSL_CTX* context, const Pem& cert, const Pem& key) {
  if (!key.given()) {
    return InvalidArgument("no key for the {}: give both", Describe(cert, "certificate"));
  }
  ASSIGN_OR_RETURN(const std::vector<X509Ptr> chain, ReadCertificates(cert, "certificate"));
  ASSIGN_OR_RETURN(const std::string key_text, ReadPem(key, "key"));
  const BioPtr bio = MemoryBio(key_text);
  const KeyPtr private_key(PEM_read_bio_PrivateKey(bio.get(), nullptr, NoPassword, nullptr));
  if (!private_key) {
    return InvalidArgument("no usable private key in the {}: {}", Describe(key, "key"),
                           TakeSslError("not PEM"));
  }
  if (SSL_CTX_use_certificate(context, chain.front().get()) != 1) {
    return InvalidArgument("can't use the {}: {}", Describe(cert, "certificate"),
                           TakeSslError("refused"));
  }
  for (std::size_t i = 1; i < chain.size(); ++i) {
    if (SSL_CTX_add1_chain_cert(context, chain[i].get()) != 1) {
      return InvalidArgument("can't use the chain in the {}: {}", Describe(cert, "certificate"),
                             TakeSslError("refused"));
    }
  }
  if (SSL_CTX_use_PrivateKey(context, private_key.get()) != 1 ||
      SSL_CTX_check_private_key(context) != 1) {
    return InvalidArgument("the key does not belong to the certificate: {}, {}: {}",
                           Describe(cert, "certificate"), Describe(key, "key"),
                           TakeSslError("no match"));
  }
  return OkStatus();
}

Status UseAuthorities(SSL_CTX* context, const Pem& ca, bool announce) {
  ASSIGN_OR_RETURN(const std::vector<X509Ptr> authorities, ReadCertificates(ca, "CA"));
  X509_STORE* store = SSL_CTX_get_cert_store(context);
  for (const X509Ptr& authority : authorities) {
    if (X509_STORE_add_cert(store, authority.get()) != 1 ||
        (announce && SSL_CTX_add_client_CA(context, authority.get()) != 1)) {
      return InvalidArgument("can't use the {}: {}", Describe(ca, "CA"), TakeSslError("refused"));
    }
  }
  return OkStatus();
}

int VersionNumber(Version version) {
  constexpr std::array kNumbers = {TLS1_VERSION, TLS1_1_VERSION, TLS1_2_VERSION, TLS1_3_VERSION};
  return kNumbers[static_cast<std::size_t>(version)];
}

Status UseVersions(SSL_CTX* context, Version minimum, Version maximum) {
  if (minimum > maximum) {
    return InvalidArgument("the minimum TLS version is above the maximum");
  }
  // OpenSSL's default level forbids the SHA-1 signatures that TLS 1.0 and 1.1 consist of.
  if (minimum < Version::k12) SSL_CTX_set_security_level(context, 0);
  if (SSL_CTX_set_min_proto_version(context, VersionNumber(minimum)) != 1 ||
      SSL_CTX_set_max_proto_version(context, VersionNumber(maximum)) != 1) {
    return InvalidArgument("can't set the TLS versions: {}", TakeSslError("refused"));
  }
  return OkStatus();
}

Status UseCiphersAndCurves(SSL_CTX* context, const ServerConfig& config) {
  if (!config.ciphers.empty()) {
    ASSIGN_OR_RETURN(const CipherList ciphers, ParseCiphers(config.ciphers));
    if (ciphers.list.empty()) {
      // Only suites of TLS 1.3 are named, so no older version can be spoken.
      RETURN_IF_ERROR(UseVersions(context, Version::k13, config.max_version));
    } else if (SSL_CTX_set_cipher_list(context, ciphers.list.c_str()) != 1) {
      return InvalidArgument("none of the TLS cipher suites is available: {}",
                             TakeSslError(ciphers.list));
    }
  }
  if (!config.curves.empty()) {
    ASSIGN_OR_RETURN(const std::string curves, ParseCurves(config.curves));
    if (SSL_CTX_set1_groups_list(context, curves.c_str()) != 1) {
      return InvalidArgument("can't use the TLS curves: {}", TakeSslError(curves));
    }
  }
  return OkStatus();
}

StatusOr<std::string> AlpnWireForm(const std::vector<std::string>& names) {
  std::string wire;
  for (const std::string& name : names) {
    if (name.empty() || name.size() > 255) {
      return InvalidArgument("bad ALPN protocol name: \"{}\"", name);
    }
    wire += static_cast<char>(name.size());
    wire += name;
  }
  return wire;
}

int SelectAlpn(SSL* ssl, const unsigned char** out, unsigned char* out_size,
               const unsigned char* in, unsigned in_size, void* /*argument*/) {
  const Extra& extra = ExtraOf(SSL_get_SSL_CTX(ssl));
  unsigned char* selected = nullptr;
  const int result = SSL_select_next_proto(
      &selected, out_size, reinterpret_cast<const unsigned char*>(extra.alpn.data()),
      static_cast<unsigned>(extra.alpn.size()), in, in_size);
  if (result != OPENSSL_NPN_NEGOTIATED) return SSL_TLSEXT_ERR_ALERT_FATAL;
  *out = selected;
  return SSL_TLSEXT_ERR_OK;
}

std::string SanText(const GENERAL_NAME& name) {
  int type = 0;
  const void* value = GENERAL_NAME_get0_value(&name, &type);
  const auto* text = static_cast<const ASN1_STRING*>(value);
  if (type == GEN_DNS || type == GEN_EMAIL || type == GEN_URI) {
    return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
            static_cast<std::size_t>(ASN1_STRING_length(text))};
  }
  if (type == GEN_IPADD) {
    const char* family = ASN1_STRING_length(text) == 4 ? "v4" : "v6";
    const unsigned char* bytes = ASN1_STRING_get0_data(text);
    if (std::string_view(family) == "v4") {
      return fmt::format("{}.{}.{}.{}", bytes[0], bytes[1], bytes[2], bytes[3]);
    }
    std::unique_ptr<char, decltype([](char* p) { OPENSSL_free(p); })> printed(
        i2s_ASN1_OCTET_STRING(nullptr, text));
    return printed ? printed.get() : "";
  }
  return "";
}

bool HasAllowedSan(X509* certificate, const std::vector<std::string>& allowed) {
  const std::unique_ptr<GENERAL_NAMES, Deleter<GENERAL_NAMES_free>> names(
      static_cast<GENERAL_NAMES*>(
          X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  if (!names) return false;
  for (int i = 0; i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const std::string san = SanText(*sk_GENERAL_NAME_value(names.get(), i));
    if (!san.empty() && std::find(allowed.begin(), allowed.end(), san) != allowed.end())
      return true;
  }
  return false;
}

// Called for each certificate of the client's chain, the leaf (depth 0) last.
int VerifyClient(int valid, X509_STORE_CTX* store) {
  const auto* ssl = static_cast<const SSL*>(
      X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
  const Extra& extra = ExtraOf(SSL_get_SSL_CTX(ssl));
  if (extra.verify && valid != 1) return 0;
  if (X509_STORE_CTX_get_error_depth(store) == 0 && !extra.allowed_sans.empty() &&
      !HasAllowedSan(X509_STORE_CTX_get_current_cert(store), extra.allowed_sans)) {
    X509_STORE_CTX_set_error(store, X509_V_ERR_APPLICATION_VERIFICATION);
    return 0;
  }
  return 1;
}

int VerifyMode(ClientAuth auth) {
  switch (auth) {
    case ClientAuth::kNone:
      return SSL_VERIFY_NONE;
    case ClientAuth::kRequest:
    case ClientAuth::kVerifyIfGiven:
      return SSL_VERIFY_PEER;
    case ClientAuth::kRequireAny:
    case ClientAuth::kRequireAndVerify:
      return SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
  }
  return SSL_VERIFY_NONE;
}

StatusOr<std::shared_ptr<SSL_CTX>> NewContext(const SSL_METHOD* method) {
  std::shared_ptr<SSL_CTX> context(SSL_CTX_new(method), SSL_CTX_free);
  if (!context) return Internal("can't make a TLS context: {}", TakeSslError("out of memory"));
  SSL_CTX_set_ex_data(context.get(), ExtraIndex(), new Extra);
  SSL_CTX_set_mode(context.get(), SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                      SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_options(context.get(), SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                         SSL_OP_IGNORE_UNEXPECTED_EOF);
  return context;
}

StatusOr<std::shared_ptr<SSL_CTX>> MakeServer(const ServerConfig& config) {
  ASSIGN_OR_RETURN(std::shared_ptr<SSL_CTX> context, NewContext(TLS_server_method()));
  SSL_CTX* raw = context.get();
  RETURN_IF_ERROR(UseVersions(raw, config.min_version, config.max_version));
  RETURN_IF_ERROR(UseCiphersAndCurves(raw, config));
  if (config.prefer_server_ciphers) SSL_CTX_set_options(raw, SSL_OP_CIPHER_SERVER_PREFERENCE);
  // Without resumption every connection shows its certificate to the context of today.
  SSL_CTX_set_session_cache_mode(raw, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_options(raw, SSL_OP_NO_TICKET);
  SSL_CTX_set_num_tickets(raw, 0);
  RETURN_IF_ERROR(UsePair(raw, config.cert, config.key));

  Extra& extra = ExtraOf(raw);
  extra.verify = config.client_auth == ClientAuth::kVerifyIfGiven ||
                 config.client_auth == ClientAuth::kRequireAndVerify;
  extra.allowed_sans = config.client_allowed_sans;
  if (extra.verify && !config.client_ca.given()) {
    return InvalidArgument("client certificates are to be verified but no client CA is given");
  }
  if (config.client_ca.given()) RETURN_IF_ERROR(UseAuthorities(raw, config.client_ca, true));
  SSL_CTX_set_verify(raw, VerifyMode(config.client_auth), VerifyClient);

  ASSIGN_OR_RETURN(extra.alpn, AlpnWireForm(config.alpn));
  if (!extra.alpn.empty()) SSL_CTX_set_alpn_select_cb(raw, SelectAlpn, nullptr);
  return context;
}

StatusOr<std::shared_ptr<SSL_CTX>> MakeClient(const ClientConfig& config) {
  ASSIGN_OR_RETURN(std::shared_ptr<SSL_CTX> context, NewContext(TLS_client_method()));
  SSL_CTX* raw = context.get();
  RETURN_IF_ERROR(UseVersions(raw, config.min_version, Version::k13));
  if (config.cert.given()) {
    RETURN_IF_ERROR(UsePair(raw, config.cert, config.key));
  } else if (config.key.given()) {
    return InvalidArgument("no certificate for the {}: give both", Describe(config.key, "key"));
  }
  if (config.ca.given()) {
    RETURN_IF_ERROR(UseAuthorities(raw, config.ca, false));
  } else if (!config.insecure_skip_verify && SSL_CTX_set_default_verify_paths(raw) != 1) {
    return InvalidArgument("can't load the system's authorities: {}", TakeSslError("none found"));
  }
  SSL_CTX_set_verify(raw, config.insecure_skip_verify ? SSL_VERIFY_NONE : SSL_VERIFY_PEER, nullptr);
  ASSIGN_OR_RETURN(const std::string alpn, AlpnWireForm(config.alpn));
  if (!alpn.empty() &&
      SSL_CTX_set_alpn_protos(raw, reinterpret_cast<const unsigned char*>(alpn.data()),
                              static_cast<unsigned>(alpn.size())) != 0) {
    return Internal("can't set the ALPN protocols: {}", TakeSslError("refused"));
  }
  return context;
}

}  // namespace

std::string TakeSslError(std::string_view fallback) {
  const unsigned long code = ERR_peek_last_error();
  std::string text(fallback);
  if (const char* reason = code == 0 ? nullptr : ERR_reason_error_string(code)) text = reason;
  ERR_clear_error();
  return text;
}

StatusOr<ClientAuth> ParseClientAuth(std::string_view name) {
  constexpr std::pair<std::string_view, ClientAuth> kNames[] = {
      {"", ClientAuth::kNone},
      {"NoClientCert", ClientAuth::kNone},
      {"RequestClientCert", ClientAuth::kRequest},
      {"RequireAnyClientCert", ClientAuth::kRequireAny},
      {"RequireClientCert", ClientAuth::kRequireAny},
      {"VerifyClientCertIfGiven", ClientAuth::kVerifyIfGiven},
      {"RequireAndVerifyClientCert", ClientAuth::kRequireAndVerify},
  };
  for (const auto& [known, auth] : kNames) {
    if (known == name) return auth;
  }
  return InvalidArgument("unknown client_auth_type: {}", name);
}

StatusOr<Version> ParseVersion(std::string_view name) {
  constexpr std::pair<std::string_view, Version> kNames[] = {
      {"1.0", Version::k10},   {"1.1", Version::k11},   {"1.2", Version::k12},
      {"1.3", Version::k13},   {"TLS10", Version::k10}, {"TLS11", Version::k11},
      {"TLS12", Version::k12}, {"TLS13", Version::k13},
  };
  for (const auto& [known, version] : kNames) {
    if (known == name) return version;
  }
  return InvalidArgument("unknown TLS version: {}", name);
}

Context::Context(bool is_server, ServerConfig server, ClientConfig client, Logger logger)
    : is_server_(is_server),
      server_(std::move(server)),
      client_(std::move(client)),
      logger_(std::move(logger)) {}

StatusOr<std::unique_ptr<Context>> Context::ForServer(ServerConfig config, Logger logger) {
  std::unique_ptr<Context> context(new Context(true, std::move(config), {}, std::move(logger)));
  MutexLock lock(context->mutex_);
  context->loaded_ = context->LookAtFiles();
  ASSIGN_OR_RETURN(context->current_, context->Load());
  context->loads_ = 1;
  return context;
}

StatusOr<std::unique_ptr<Context>> Context::ForClient(ClientConfig config, Logger logger) {
  std::unique_ptr<Context> context(new Context(false, {}, std::move(config), std::move(logger)));
  MutexLock lock(context->mutex_);
  context->loaded_ = context->LookAtFiles();
  ASSIGN_OR_RETURN(context->current_, context->Load());
  context->loads_ = 1;
  return context;
}

StatusOr<std::shared_ptr<ssl_ctx_st>> Context::Load() const {
  return is_server_ ? MakeServer(server_) : MakeClient(client_);
}

std::vector<Context::FileState> Context::LookAtFiles() const {
  const Pem* const server_pems[] = {&server_.cert, &server_.key, &server_.client_ca};
  const Pem* const client_pems[] = {&client_.cert, &client_.key, &client_.ca};
  std::vector<FileState> states;
  for (const Pem* pem : is_server_ ? server_pems : client_pems) {
    if (pem->file.empty()) continue;
    FileState state;
    struct stat found{};
    if (::stat(pem->file.c_str(), &found) == 0) {
      state = {found.st_dev, found.st_ino, static_cast<std::uint64_t>(found.st_size),
               std::int64_t{found.st_mtim.tv_sec} * 1'000'000'000 + found.st_mtim.tv_nsec};
    }
    states.push_back(state);
  }
  return states;
}

std::shared_ptr<ssl_ctx_st> Context::Get() {
  // The times are taken before the bytes: a change in between is seen at the next call.
  std::vector<FileState> states = LookAtFiles();
  MutexLock lock(mutex_);
  if (states == loaded_) return current_;
  StatusOr<std::shared_ptr<ssl_ctx_st>> fresh = Load();
  if (fresh.ok()) {
    current_ = *std::move(fresh);
    loaded_ = std::move(states);
    ++loads_;
    logger_.Info("TLS files changed and were loaded again");
  } else if (states != complained_) {
    complained_ = std::move(states);
    logger_.Warn("TLS files changed but can't be used, keeping the old ones",
                 {{"err", fresh.status()}});
  }
  return current_;
}

std::uint64_t Context::loads() const {
  MutexLock lock(mutex_);
  return loads_;
}

}  // namespace aevum::net::tls
