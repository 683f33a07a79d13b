// Certificates made on the spot, for tests of TLS.
#pragma once

#include <memory>
#include <string>
#include <vector>

struct x509_st;
struct evp_pkey_st;

namespace aevum::net::tls {

struct TestPair {
  std::string cert_pem;
  std::string key_pem;
};

// An authority with a key of its own. Thread-compatible.
class TestAuthority {
 public:
  explicit TestAuthority(const std::string& name);

  const std::string& cert_pem() const { return cert_pem_; }
  // A pair valid for a day. `sans` as OpenSSL writes them: "DNS:localhost", "IP:127.0.0.1".
  TestPair Issue(const std::string& common_name, const std::vector<std::string>& sans);

 private:
  std::shared_ptr<evp_pkey_st> key_;
  std::shared_ptr<x509_st> cert_;
  std::string cert_pem_;
  long serial_ = 1;
};

}  // namespace aevum::net::tls
