// Where an identity of Oracle's cloud comes from: keys of a user, or what a machine or a pod is.
#pragma once

#include <string>

#include "base/environment.h"
#include "net/http/client.h"
#include "objstore/signing/oci_signer.h"

namespace aevum::objstore {

struct OciIdentityOptions {
  Environment variables;
  net::HttpClientOptions http;
  const Clock& clock;
};

// The profile DEFAULT of ~/.oci/config (of OCI_CONFIG_FILE, where that does not exist), what it
// lacks out of ~/.obmcs/config, and what both lack out of TF_VAR_tenancy_ocid, _user_ocid,
// _fingerprint, _private_key_path and _region; the region else out of OCI_REGION. Files are read
// each time. Unauthenticated, naming it, when something is missing.
KeptOciIdentity::Ask OciProfile(OciIdentityOptions options);

// What the machine is: its certificate, out of the metadata service at OCI_METADATA_BASE_URL or
// http://169.254.169.254/opc/v2, is exchanged for a token at the authentication service of its
// region, or at OCI_SDK_AUTH_CLIENT_REGION_URL.
KeptOciIdentity::Ask OciInstancePrincipal(OciIdentityOptions options);

struct OciWorkload {
  std::string region;
  // Of the pod: holds "token" and "ca.crt".
  std::string account_folder = "/var/run/secrets/kubernetes.io/serviceaccount";
  // Of the cluster's service that gives tokens; "" for https://KUBERNETES_SERVICE_HOST:12250.
  std::string url = {};
};

// What the pod is: the token of its service account is exchanged for one of the cloud. The
// certificate of the service is checked against OCI_KUBERNETES_SERVICE_ACCOUNT_CERT_PATH, or the
// file of the pod.
KeptOciIdentity::Ask OciWorkloadIdentity(OciIdentityOptions options, OciWorkload workload);

// When a token (JWT, its signature not checked) ends to be good. Internal when it does not tell.
StatusOr<TimestampMs> ExpiryOfToken(std::string_view token);

}  // namespace aevum::objstore
