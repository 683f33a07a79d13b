#include "objstore/signing/oci_signer.h"

#include "net/http/form.h"
#include "net/url.h"
#include "objstore/rest/answers.h"
#include "objstore/signing/digest.h"

namespace aevum::objstore {

Status SignOci(const OciIdentity& identity, OciHost host, RestRequest& request) {
  std::string names = "date (request-target)";
  std::string text = fmt::format("date: {}\n(request-target): {} {}", request.Header("Date"),
                                 net::ToLower(request.method), request.Target());
  if (host == OciHost::kSigned) {
    names += " host";
    text += "\nhost: " + request.host;
  }
  if ((request.method == "POST" || request.method == "PUT") && request.source == nullptr) {
    const std::string hash = Base64(Digest(DigestKind::kSha256, request.body));
    request.SetHeader("X-Content-SHA256", hash);
    names += " content-length content-type x-content-sha256";
    text += fmt::format("\ncontent-length: {}\ncontent-type: {}\nx-content-sha256: {}",
                        request.body.size(), request.Header("Content-Type"), hash);
  }
  ASSIGN_OR_RETURN(const std::string signature, identity.key->SignSha256(text));
  request.SetHeader(
      "Authorization",
      fmt::format("Signature version=\"1\",headers=\"{}\",keyId=\"{}\",algorithm=\"rsa-sha256\","
                  "signature=\"{}\"",
                  names, identity.key_id, Base64(signature)));
  return OkStatus();
}

Status OciSigner::Sign(const Context& context, RestRequest& request) {
  ASSIGN_OR_RETURN(const OciIdentity identity, identity_->Get(context));
  if (request.host.empty()) request.host = "objectstorage." + identity.region_domain;
  request.SetHeader("Date", FormatHttpDate(clock_.NowMs()));
  return SignOci(identity, OciHost::kSigned, request);
}

bool OciSigner::Forget() {
  identity_->Forget();
  return true;
}

OciNamespaceSigner::OciNamespaceSigner(std::shared_ptr<OciSigner> signer,
                                       std::unique_ptr<RestClient> client, const Clock& clock)
    : signer_(std::move(signer)),
      client_(std::move(client)),
      namespace_([this](const Context& context) { return Ask(context); }, clock) {}

Status OciNamespaceSigner::Sign(const Context& context, RestRequest& request) {
  ASSIGN_OR_RETURN(const Namespace found, namespace_.Get(context));
  request.path = "/n/" + net::PercentEncode(found.name) + request.path;
  return signer_->Sign(context, request);
}

StatusOr<OciNamespaceSigner::Namespace> OciNamespaceSigner::Ask(const Context& context) {
  RestRequest request;
  request.path = "/n";
  ASSIGN_OR_RETURN(const net::HttpClientResponse response,
                   client_->Do(context, request, "OCI namespace"));
  Namespace found;
  ASSIGN_OR_RETURN(found.name, ReadJsonText(response.body));
  if (found.name.empty()) return Internal("OCI tells no namespace of the tenancy");
  return found;
}

}  // namespace aevum::objstore
