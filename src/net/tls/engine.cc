#include "net/tls/engine.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <climits>

#include "net/tls/context.h"

namespace aevum::net::tls {
namespace {

// A record holds at most 16 KiB, so one read gives at most that.
constexpr std::size_t kRecordBytes = 16 << 10;

bool IsAddress(const std::string& name) {
  ASN1_OCTET_STRING* address = a2i_IPADDRESS(name.c_str());
  if (address == nullptr) ERR_clear_error();
  ASN1_OCTET_STRING_free(address);
  return address != nullptr;
}

}  // namespace

StatusOr<std::unique_ptr<Engine>> Engine::ForServer(std::shared_ptr<ssl_ctx_st> context) {
  std::unique_ptr<Engine> engine(new Engine(std::move(context)));
  RETURN_IF_ERROR(engine->Init());
  SSL_set_accept_state(engine->ssl_);
  return engine;
}

StatusOr<std::unique_ptr<Engine>> Engine::ForClient(std::shared_ptr<ssl_ctx_st> context,
                                                    const std::string& server_name) {
  std::unique_ptr<Engine> engine(new Engine(std::move(context)));
  RETURN_IF_ERROR(engine->Init());
  SSL* ssl = engine->ssl_;
  const bool named =
      IsAddress(server_name)
          ? X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), server_name.c_str()) == 1
          : SSL_set_tlsext_host_name(ssl, server_name.c_str()) == 1 &&
                SSL_set1_host(ssl, server_name.c_str()) == 1;
  if (!named) {
    return InvalidArgument("bad TLS server name: \"{}\": {}", server_name, TakeSslError("refused"));
  }
  SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  SSL_set_connect_state(ssl);
  RETURN_IF_ERROR(engine->Handshake());
  engine->TakeOutput();
  return engine;
}

Engine::~Engine() { SSL_free(ssl_); }

Status Engine::Init() {
  ssl_ = SSL_new(context_.get());
  in_ = BIO_new(BIO_s_mem());
  out_ = BIO_new(BIO_s_mem());
  if (ssl_ == nullptr || in_ == nullptr || out_ == nullptr) {
    BIO_free(in_);
    BIO_free(out_);
    return Internal("can't make a TLS connection: {}", TakeSslError("out of memory"));
  }
  // An empty buffer means "later", not the end.
  BIO_set_mem_eof_return(in_, -1);
  SSL_set_bio(ssl_, in_, out_);
  return OkStatus();
}

Status Engine::Failure(std::string_view what, int result) {
  switch (SSL_get_error(ssl_, result)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
      return OkStatus();
    case SSL_ERROR_ZERO_RETURN:
      peer_closed_ = true;
      return OkStatus();
    default:
      break;
  }
  const long verify = SSL_get_verify_result(ssl_);
  if (!established_ && verify != X509_V_OK && SSL_get_verify_mode(ssl_) != SSL_VERIFY_NONE) {
    ERR_clear_error();
    return Unavailable("TLS {} failed: the peer's certificate is refused: {}", what,
                       X509_verify_cert_error_string(verify));
  }
  return Unavailable("TLS {} failed: {}", what, TakeSslError("connection closed"));
}

Status Engine::Handshake() {
  ERR_clear_error();
  const int result = SSL_do_handshake(ssl_);
  if (result == 1) {
    established_ = true;
    return OkStatus();
  }
  return Failure("handshake", result);
}

Status Engine::Receive(std::string_view bytes, std::string& plain) {
  while (!bytes.empty()) {
    const auto piece = static_cast<int>(std::min<std::size_t>(bytes.size(), INT_MAX));
    const int written = BIO_write(in_, bytes.data(), piece);
    if (written <= 0) return Internal("TLS input buffer failed");
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  Status status = established_ ? OkStatus() : Handshake();
  while (status.ok() && established_) {
    const std::size_t old_size = plain.size();
    plain.resize(old_size + kRecordBytes);
    std::size_t read = 0;
    ERR_clear_error();
    const int result = SSL_read_ex(ssl_, plain.data() + old_size, kRecordBytes, &read);
    plain.resize(old_size + (result == 1 ? read : 0));
    if (result == 1) continue;
    status = Failure("read", result);
    break;
  }
  TakeOutput();
  return status;
}

Status Engine::Send(std::string_view plain) {
  while (!plain.empty()) {
    std::size_t written = 0;
    ERR_clear_error();
    const int result = SSL_write_ex(ssl_, plain.data(), plain.size(), &written);
    if (result != 1) return Unavailable("TLS write failed: {}", TakeSslError("connection closed"));
    plain.remove_prefix(written);
  }
  TakeOutput();
  return OkStatus();
}

void Engine::Shutdown() {
  if (!established_) return;
  ERR_clear_error();
  // A second call would wait for the peer's alert, which nobody needs.
  SSL_shutdown(ssl_);
  ERR_clear_error();
  TakeOutput();
}

void Engine::TakeOutput() {
  char* data = nullptr;
  const long size = BIO_get_mem_data(out_, &data);
  if (size <= 0) return;
  output_.append(data, static_cast<std::size_t>(size));
  BIO_reset(out_);
}

PeerName Engine::peer() const {
  const std::unique_ptr<X509, decltype([](X509* p) { X509_free(p); })> certificate(
      SSL_get1_peer_certificate(ssl_));
  if (!certificate) return {};
  X509_NAME* subject = X509_get_subject_name(certificate.get());
  const auto part = [&](int nid) -> std::string {
    const int index = X509_NAME_get_index_by_NID(subject, nid, -1);
    if (index < 0) return "";
    unsigned char* text = nullptr;
    const int size =
        ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, index)));
    if (size < 0) {
      ERR_clear_error();
      return "";
    }
    std::string out(reinterpret_cast<const char*>(text), static_cast<std::size_t>(size));
    OPENSSL_free(text);
    return out;
  };
  return {part(NID_commonName), part(NID_organizationName), part(NID_organizationalUnitName)};
}

std::string_view Engine::alpn() const {
  const unsigned char* name = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(ssl_, &name, &size);
  return {reinterpret_cast<const char*>(name), size};
}

}  // namespace aevum::net::tls
