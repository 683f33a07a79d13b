#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <algorithm>
#include <charconv>
#include <chrono>

#include <nlohmann/json.hpp>

#include "net/http/transfer.h"
#include "objstore/rest/answers.h"
#include "objstore/signing/digest.h"
#include "objstore/signing/oauth.h"
#include "objstore/signing/oci_identity.h"
#include "objstore/signing/oci_regions.h"

namespace aevum::objstore {
namespace {

// For all that is asked of the metadata service.
constexpr std::chrono::seconds kMetadataTime{5};
constexpr std::string_view kIssuer = "OCI";
constexpr std::string_view kTenantPrefix = "opc-tenant:";

struct Certificate {
  std::string der;
  std::string fingerprint;  // "ab:cd:…", of SHA-256
  std::string tenancy;      // "" where the subject has none
};

std::string TenancyOf(const X509* certificate) {
  X509_NAME* subject = X509_get_subject_name(certificate);
  for (int i = 0; i < X509_NAME_entry_count(subject); ++i) {
    const ASN1_STRING* value = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, i));
    const std::string_view text(reinterpret_cast<const char*>(ASN1_STRING_get0_data(value)),
                                static_cast<std::size_t>(ASN1_STRING_length(value)));
    if (text.starts_with(kTenantPrefix)) return std::string(text.substr(kTenantPrefix.size()));
  }
  return {};
}

StatusOr<Certificate> ReadCertificate(std::string_view pem) {
  const std::unique_ptr<BIO, decltype(&BIO_free)> text(
      BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), BIO_free);
  const std::unique_ptr<X509, decltype(&X509_free)> read(
      PEM_read_bio_X509(text.get(), nullptr, nullptr, nullptr), X509_free);
  if (!read) return Internal("the metadata of OCI has a certificate that is not PEM");
  Certificate certificate;
  unsigned char* bytes = nullptr;
  const int size = i2d_X509(read.get(), &bytes);
  if (size < 0) return Internal("the metadata of OCI has a certificate that can't be written");
  certificate.der.assign(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size));
  OPENSSL_free(bytes);
  const std::string hex = Hex(Digest(DigestKind::kSha256, certificate.der));
  for (std::size_t i = 0; i < hex.size(); i += 2) {
    certificate.fingerprint += (i == 0 ? "" : ":") + hex.substr(i, 2);
  }
  certificate.tenancy = TenancyOf(read.get());
  return certificate;
}

// What both kinds of principal come to: a new key, and the token that was given for it.
StatusOr<OciIdentity> WithToken(std::string_view token, std::shared_ptr<const RsaKey> key,
                                std::string region_domain) {
  if (token.starts_with("ST$")) token.remove_prefix(3);
  OciIdentity identity;
  identity.key_id = fmt::format("ST${}", token);
  identity.key = std::move(key);
  identity.region_domain = std::move(region_domain);
  ASSIGN_OR_RETURN(identity.expires_ms, ExpiryOfToken(token));
  return identity;
}

class InstancePrincipal {
 public:
  explicit InstancePrincipal(OciIdentityOptions options)
      : options_(std::move(options)), http_(options_.http), local_http_(LocalHttpOptions()) {}

  StatusOr<OciIdentity> Ask(const Context& context) {
    const Context near = context.WithTimeout(kMetadataTime);
    ASSIGN_OR_RETURN(const std::string info, Metadata(near, "/instance/regionInfo"));
    ASSIGN_OR_RETURN(const std::string region, ReadJsonField(info, "regionIdentifier"));
    ASSIGN_OR_RETURN(const std::string realm, ReadJsonField(info, "realmDomainComponent"));
    ASSIGN_OR_RETURN(const std::string leaf_pem, Metadata(near, "/identity/cert.pem"));
    ASSIGN_OR_RETURN(const std::string key_pem, Metadata(near, "/identity/key.pem"));
    ASSIGN_OR_RETURN(const std::string middle_pem, Metadata(near, "/identity/intermediate.pem"));
    ASSIGN_OR_RETURN(const Certificate leaf, ReadCertificate(leaf_pem));
    ASSIGN_OR_RETURN(const Certificate middle, ReadCertificate(middle_pem));
    const std::string domain = region + "." + realm;
    ASSIGN_OR_RETURN(const std::shared_ptr<const RsaKey> key, RsaKey::Generate());
    ASSIGN_OR_RETURN(const std::string public_key, key->PublicKeyDer());
    RestRequest request;
    request.method = "POST";
    request.path = "/v1/x509";
    request.SetHeader("Content-Type", "application/json");
    request.SetHeader("Date", FormatHttpDate(options_.clock.NowMs()));
    request.body = nlohmann::json{{"certificate", Base64(leaf.der)},
                                  {"publicKey", Base64(public_key)},
                                  {"intermediateCertificates", {Base64(middle.der)}},
                                  {"fingerprintAlgorithm", "SHA256"}}
                       .dump();
    OciIdentity machine;
    machine.key_id = fmt::format("{}/fed-x509-sha256/{}", leaf.tenancy, leaf.fingerprint);
    ASSIGN_OR_RETURN(machine.key, RsaKey::Parse(key_pem, ""));
    RETURN_IF_ERROR(SignOci(machine, OciHost::kUnsigned, request));
    net::HttpClientRequest http;
    http.method = request.method;
    http.url = UrlOfService(domain) + request.path;
    http.headers = request.headers;
    http.body = request.body;
    ASSIGN_OR_RETURN(const std::string answer, AskIssuer(context, http_, http, kIssuer));
    ASSIGN_OR_RETURN(const std::string token, ReadJsonField(answer, "token"));
    return WithToken(token, key, domain);
  }

 private:
  StatusOr<std::string> Metadata(const Context& context, std::string_view path) {
    std::string base = options_.variables("OCI_METADATA_BASE_URL").value_or("");
    if (base.empty()) base = "http://169.254.169.254/opc/v2";
    net::HttpClientRequest request;
    request.url = base + std::string(path);
    request.headers = {{"Authorization", "Bearer Oracle"}};
    return AskIssuer(context, local_http_, request, kIssuer, kMetadataRetry);
  }

  std::string UrlOfService(const std::string& domain) const {
    std::string url = options_.variables("OCI_SDK_AUTH_CLIENT_REGION_URL").value_or("");
    if (url.empty()) return "https://auth." + domain;
    while (url.ends_with('/')) url.pop_back();
    return url.find("://") == std::string::npos ? "https://" + url : url;
  }

  const OciIdentityOptions options_;
  net::HttpClient http_;
  net::HttpClient local_http_;
};

class WorkloadIdentity {
 public:
  WorkloadIdentity(OciIdentityOptions options, OciWorkload workload)
      : options_(std::move(options)), workload_(std::move(workload)), http_(HttpOptions()) {}

  StatusOr<OciIdentity> Ask(const Context& context) {
    ASSIGN_OR_RETURN(const std::string account,
                     net::ReadSecret(workload_.account_folder + "/token"));
    ASSIGN_OR_RETURN(const std::string url, Url());
    ASSIGN_OR_RETURN(const std::shared_ptr<const RsaKey> key, RsaKey::Generate());
    ASSIGN_OR_RETURN(const std::string public_key, key->PublicKeyDer());
    net::HttpClientRequest request;
    request.method = "POST";
    request.url = url + "/resourcePrincipalSessionTokens";
    request.headers = {{"Authorization", "Bearer " + account},
                       {"Content-Type", "application/json"}};
    request.body = nlohmann::json{{"podKey", Base64(public_key)}}.dump();
    ASSIGN_OR_RETURN(std::string answer, AskIssuer(context, http_, request, kIssuer));
    // JSON within Base64 within a text of JSON.
    ASSIGN_OR_RETURN(answer, ReadJsonText(answer));
    ASSIGN_OR_RETURN(answer, DecodeBase64(answer));
    ASSIGN_OR_RETURN(const std::string token, ReadJsonField(answer, "token"));
    return WithToken(token, key, OciRegionDomain(workload_.region, options_.variables));
  }

 private:
  net::HttpClientOptions HttpOptions() const {
    net::HttpClientOptions options;
    options.follow_redirects = false;
    options.tls_ca_file =
        options_.variables("OCI_KUBERNETES_SERVICE_ACCOUNT_CERT_PATH").value_or("");
    if (options.tls_ca_file.empty()) options.tls_ca_file = workload_.account_folder + "/ca.crt";
    return options;
  }

  StatusOr<std::string> Url() const {
    if (!workload_.url.empty()) return workload_.url;
    const std::string host = options_.variables("KUBERNETES_SERVICE_HOST").value_or("");
    if (host.empty()) {
      return MakeError(StatusCode::kUnauthenticated,
                       "KUBERNETES_SERVICE_HOST is not set: oke-workload-identity is for pods of "
                       "OCI's Kubernetes");
    }
    return host.find(':') == std::string::npos ? fmt::format("https://{}:12250", host)
                                               : fmt::format("https://[{}]:12250", host);
  }

  const OciIdentityOptions options_;
  const OciWorkload workload_;
  net::HttpClient http_;
};

}  // namespace

StatusOr<TimestampMs> ExpiryOfToken(std::string_view token) {
  const std::size_t first = token.find('.');
  const std::size_t second = first == std::string_view::npos ? first : token.find('.', first + 1);
  if (second == std::string_view::npos) return Internal("the token of OCI is no JWT");
  std::string claims(token.substr(first + 1, second - first - 1));
  std::replace(claims.begin(), claims.end(), '-', '+');
  std::replace(claims.begin(), claims.end(), '_', '/');
  while (claims.size() % 4 != 0) claims += '=';
  const StatusOr<std::string> json = DecodeBase64(claims);
  if (!json.ok()) return Internal("the token of OCI is no JWT");
  ASSIGN_OR_RETURN(const std::string text, ReadJsonField(*json, "exp"));
  std::int64_t seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error != std::errc() || end != text.data() + text.size() || seconds < 0 ||
      seconds > kMaxTime / 1000) {
    return Internal("the token of OCI tells no time of its end");
  }
  return seconds * 1000;
}

KeptOciIdentity::Ask OciInstancePrincipal(OciIdentityOptions options) {
  return [principal = std::make_shared<InstancePrincipal>(std::move(options))](
             const Context& context) { return principal->Ask(context); };
}

KeptOciIdentity::Ask OciWorkloadIdentity(OciIdentityOptions options, OciWorkload workload) {
  return [principal = std::make_shared<WorkloadIdentity>(std::move(options), std::move(workload))](
             const Context& context) { return principal->Ask(context); };
}

}  // namespace aevum::objstore
