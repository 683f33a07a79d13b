#include "net/tls/test_certificates.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "base/check.h"

namespace aevum::net::tls {
namespace {

std::shared_ptr<EVP_PKEY> NewKey() {
  std::shared_ptr<EVP_PKEY> key(EVP_EC_gen("P-256"), EVP_PKEY_free);
  AEVUM_CHECK(key != nullptr);
  return key;
}

std::string Drain(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  std::string text(data, static_cast<std::size_t>(size));
  BIO_free(bio);
  return text;
}

std::string CertPem(X509* cert) {
  BIO* bio = BIO_new(BIO_s_mem());
  AEVUM_CHECK(PEM_write_bio_X509(bio, cert) == 1);
  return Drain(bio);
}

void AddExtension(X509* cert, X509* issuer, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, cert, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
  AEVUM_CHECK(extension != nullptr);
  X509_add_ext(cert, extension, -1);
  X509_EXTENSION_free(extension);
}

std::shared_ptr<X509> NewCert(const std::string& name, EVP_PKEY* key, long serial) {
  std::shared_ptr<X509> cert(X509_new(), X509_free);
  X509_set_version(cert.get(), 2);
  ASN1_INTEGER_set(X509_get_serialNumber(cert.get()), serial);
  X509_gmtime_adj(X509_getm_notBefore(cert.get()), -3600);
  X509_gmtime_adj(X509_getm_notAfter(cert.get()), 86400);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(cert.get()), "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
  X509_set_pubkey(cert.get(), key);
  return cert;
}

}  // namespace

TestAuthority::TestAuthority(const std::string& name) : key_(NewKey()) {
  cert_ = NewCert(name, key_.get(), 1);
  X509_set_issuer_name(cert_.get(), X509_get_subject_name(cert_.get()));
  AddExtension(cert_.get(), cert_.get(), NID_basic_constraints, "critical,CA:TRUE");
  AEVUM_CHECK(X509_sign(cert_.get(), key_.get(), EVP_sha256()) > 0);
  cert_pem_ = CertPem(cert_.get());
}

TestPair TestAuthority::Issue(const std::string& common_name,
                              const std::vector<std::string>& sans) {
  const std::shared_ptr<EVP_PKEY> key = NewKey();
  const std::shared_ptr<X509> cert = NewCert(common_name, key.get(), ++serial_);
  X509_set_issuer_name(cert.get(), X509_get_subject_name(cert_.get()));
  std::string list;
  for (const std::string& san : sans) list += (list.empty() ? "" : ",") + san;
  if (!list.empty()) AddExtension(cert.get(), cert_.get(), NID_subject_alt_name, list);
  AEVUM_CHECK(X509_sign(cert.get(), key_.get(), EVP_sha256()) > 0);
  BIO* bio = BIO_new(BIO_s_mem());
  AEVUM_CHECK(PEM_write_bio_PrivateKey(bio, key.get(), nullptr, nullptr, 0, nullptr, nullptr) == 1);
  return {CertPem(cert.get()), Drain(bio)};
}

}  // namespace aevum::net::tls
