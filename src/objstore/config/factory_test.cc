#include "objstore/config/factory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/files.h"

namespace aevum::objstore {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

std::string MessageOf(const std::string& yaml) {
  const StatusOr<std::unique_ptr<Bucket>> bucket = OpenBucket(yaml);
  return bucket.ok() ? "OK" : std::string(bucket.status().message());
}

TEST(OpenBucketTest, OpensADirectoryUnderAPrefix) {
  const StatusOr<TemporaryDirectory> directory = TemporaryDirectory::Create();
  ASSERT_TRUE(directory.ok());
  const StatusOr<std::unique_ptr<Bucket>> bucket = OpenBucket(
      "type: filesystem\nprefix: /team-a/\nconfig:\n  directory: " + directory->path() + "\n");
  ASSERT_TRUE(bucket.ok()) << bucket.status();
  const Context context = Context::Background();
  ASSERT_TRUE((*bucket)->Upload(context, "x", BytesSource("1"), {}).ok());
  EXPECT_EQ(*ReadFile(directory->File("team-a/x")), "1");
  EXPECT_EQ((*bucket)->Provider(), "FILESYSTEM");
}

TEST(OpenBucketTest, ReadsJsonToo) {
  EXPECT_EQ(MessageOf(R"({"type": "FILESYSTEM", "config": {"directory": "/tmp/x"}})"), "OK");
}

TEST(OpenBucketTest, NamesTheWrongFieldAndItsLine) {
  struct Case {
    std::string yaml;
    std::vector<std::string> parts;
  };
  const Case cases[] = {
      {"", {"type is not given", "FILESYSTEM"}},
      {"config: {}", {"type is not given"}},
      {"type: FTP", {"type FTP is not known", "S3", "FILESYSTEM"}},
      {"type: FILESYSTEM\nhedging_config: {}", {"line 2", "hedging_config"}},
      {"type: FILESYSTEM\nconfig:\n  directory: /x\n  dir: y", {"line 4", "dir"}},
      {"type: FILESYSTEM", {"FILESYSTEM", "directory is not given"}},
      {"type: FILESYSTEM\nconfig: [1]", {"line 2", "not a map"}},
      {"type: [", {"not YAML"}},
      {"type: S3\nconfig: {bucket: b}", {"S3", "endpoint is not given"}},
      {"type: S3\nconfig: {endpoint: e}", {"bucket is not given"}},
      {"type: S3\nconfig: {bucket: b, endpoint: 'https://e'}", {"endpoint is a host"}},
      {"type: S3\nconfig: {bucket: b, endpoint: e, access_key: a}",
       {"access_key and secret_key go together"}},
      {"type: S3\nconfig:\n  bucket: b\n  endpoint: e\n  part_size: 64MiB",
       {"line 5", "part_size", "not a whole number"}},
      {"type: S3\nconfig: {bucket: b, endpoint: e, part_size: 1}", {"part_size is from"}},
      {"type: S3\nconfig: {bucket: b, endpoint: e, list_objects_version: v3}", {"v3"}},
      {"type: S3\nconfig: {bucket: b, endpoint: e, bucket_lookup_type: dns}", {"dns"}},
      {"type: S3\nconfig: {bucket: b, endpoint: e, sse_config: {type: SSE-X}}", {"SSE-X"}},
      {"type: S3\nconfig: {bucket: b, endpoint: e, sse_config: {type: SSE-KMS}}", {"kms_key_id"}},
      {"type: S3\nconfig: {bucket: b, endpoint: e, sse_config: {type: SSE-C}}", {"encryption_key"}},
      {"type: S3\nconfig: {bucket: b, endpoint: e, aws_sdk_auth: true, access_key: a, secret_key: "
       "s}",
       {"aws_sdk_auth and access_key exclude each other"}},
      {"type: S3\nconfig:\n  bucket: b\n  http_config:\n    idle_conn_timeout: soon",
       {"line 5", "idle_conn_timeout"}},
      {"type: S3\nconfig:\n  bucket: b\n  endpoint: e\n  http_config:\n    tls_config: {cert_file: "
       "c}",
       {"cert_file and key_file go together"}},
      {"type: AZURE\nconfig: {container: c}", {"storage_account is not given"}},
      {"type: AZURE\nconfig: {storage_account: a}", {"container is not given"}},
      {"type: AZURE\nconfig: {storage_account: a, container: c, client_id: i}",
       {"az_tenant_id, client_id and client_secret go together"}},
      {"type: AZURE\nconfig: {storage_account: a, container: c, storage_account_key: aw==, "
       "storage_connection_string: s}",
       {"storage_account_key and storage_connection_string exclude each other"}},
      {"type: AZURE\nconfig: {storage_account: a, container: c, storage_account_key: aw==, "
       "user_assigned_id: u}",
       {"user_assigned_id excludes"}},
      {"type: AZURE\nconfig: {storage_account: a, container: c, storage_account_key: no}",
       {"the key of the storage account", "not Base64"}},
      {"type: AZURE\nconfig: {storage_account: a, container: c, storage_connection_string: "
       "AccountName=a}",
       {"AccountKey in storage_connection_string is not given"}},
      {"type: AZURE\nconfig: {storage_account: a, container: c, storage_connection_string: "
       "BlobEndpoint=ftp://x}",
       {"storage_connection_string", "neither http nor https"}},
      {"type: AZURE\nconfig:\n  storage_account: a\n  container: c\n  pipeline_config:\n"
       "    max_tries: -1",
       {"line 6", "a negative number"}},
      {"type: GCS\nconfig: {}", {"bucket is not given"}},
      {"type: GCS\nconfig: {bucket: b, use_grpc: true}", {"use_grpc is not supported"}},
      {"type: GCS\nconfig: {bucket: b, grpc_conn_pool_size: 2}", {"grpc_conn_pool_size"}},
      {"type: GCS\nconfig: {bucket: b, chunk_size_bytes: 2000000000000}", {"chunk_size_bytes"}},
      {"type: GCS\nconfig: {bucket: b, service_account: '{}'}", {"type '' is not supported"}},
      {"type: SWIFT\nconfig: {container_name: c}", {"auth_url is not given"}},
      {"type: SWIFT\nconfig: {auth_url: u, container_name: c, auth_version: 4}", {"auth_version"}},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.yaml);
    const std::string message = MessageOf(c.yaml);
    EXPECT_THAT(message, HasSubstr("object storage configuration"));
    for (const std::string& part : c.parts) EXPECT_THAT(message, HasSubstr(part));
  }
}

TEST(OpenBucketTest, NamesWhatTheCloudsLack) {
  struct Case {
    std::string yaml;
    std::string part;
  };
  const Case cases[] = {
      {"type: COS\nconfig: {secret_id: a}", "COS: secret_key is not given"},
      {"type: COS\nconfig: {secret_id: a, secret_key: s, bucket: b, region: r}",
       "app_id is not given"},
      {"type: COS\nconfig: {secret_id: a, secret_key: s, endpoint: 'https://h/path'}",
       "endpoint is a host, or http(s)://host, and nothing more"},
      {"type: COS\nconfig: {secret_id: a, secret_key: s, endpoint: 'ftp://h'}", "endpoint: "},
      {"type: ALIYUNOSS\nconfig: {bucket: b}", "endpoint is not given"},
      {"type: ALIYUNOSS\nconfig: {bucket: b, endpoint: e, access_key_id: a}",
       "access_key_secret is not given"},
      {"type: ALIYUNOSS\nconfig:\n  http_config: {}", "line 3"},
      {"type: BOS\nconfig: {endpoint: e}", "bucket is not given"},
      {"type: BOS\nconfig: {bucket: b, endpoint: e, access_key: a}", "secret_key is not given"},
      {"type: OBS\nconfig: {bucket: b, endpoint: e, secret_key: s}", "access_key is not given"},
      {"type: OBS\nconfig: {bucket: b, endpoint: e, max_retries: -1}", "a negative number"},
      {"type: OCI\nconfig: {bucket: b}", "compartment_ocid is not given"},
      {"type: OCI\nconfig: {bucket: b, compartment_ocid: c, provider: user}",
       "provider is default, instance-principal, raw or oke-workload-identity, not user"},
      {"type: OCI\nconfig: {bucket: b, compartment_ocid: c, provider: raw, tenancy_ocid: t}",
       "user_ocid is not given"},
      {"type: OCI\nconfig: {bucket: b, compartment_ocid: c, provider: raw, tenancy_ocid: t, "
       "user_ocid: u, region: r, fingerprint: f, privatekey: secret}",
       "privatekey: the private key is not PEM, or its passphrase is wrong"},
      {"type: OCI\nconfig: {bucket: b, compartment_ocid: c, provider: oke-workload-identity}",
       "region is not given"},
      {"type: OCI\nconfig:\n  http_config:\n    client_timeout: soon", "line 4"},
      {"type: OCI\nconfig:\n  http_config:\n    client_timeout: -1s", "a negative duration"},
      {"type: OCI\nconfig:\n  http_config:\n    tls_config: {}", "tls_config"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.yaml);
    EXPECT_THAT(MessageOf(c.yaml), HasSubstr(c.part));
  }
}

TEST(OpenBucketTest, TakesAllFieldsOfTheContract) {
  EXPECT_EQ(MessageOf(R"(
type: S3
config:
  bucket: b
  endpoint: s3.eu-west-1.amazonaws.com
  region: eu-west-1
  disable_dualstack: true
  aws_sdk_auth: false
  access_key: a
  secret_key: s
  session_token: t
  insecure: false
  signature_version2: false
  put_user_metadata: {X-Amz-Storage-Class: STANDARD_IA, team: a}
  http_config:
    idle_conn_timeout: 1m30s
    response_header_timeout: 2m
    insecure_skip_verify: false
    tls_handshake_timeout: 10s
    expect_continue_timeout: 1s
    max_idle_conns: 100
    max_idle_conns_per_host: 100
    max_conns_per_host: 10
    tls_config: {ca_file: "", cert_file: "", key_file: "", server_name: "", insecure_skip_verify: false}
    disable_compression: false
  trace: {enable: false}
  list_objects_version: ""
  bucket_lookup_type: auto
  send_content_md5: true
  disable_multipart: false
  part_size: 67108864
  sse_config: {type: SSE-KMS, kms_key_id: k, kms_encryption_context: {a: b}, encryption_key: ""}
  sts_endpoint: ""
  max_retries: 0
prefix: ""
)"),
            "OK");
  EXPECT_EQ(MessageOf(R"(
type: AZURE
config:
  storage_account: a
  storage_account_key: a2V5
  storage_connection_string: ""
  storage_create_container: false
  container: c
  endpoint: blob.core.windows.net
  user_assigned_id: ""
  az_tenant_id: ""
  client_id: ""
  client_secret: ""
  max_retries: 3
  reader_config: {max_retry_requests: 5}
  pipeline_config: {max_tries: 2, try_timeout: 30s, retry_delay: 1s, max_retry_delay: 1m}
  http_config: {}
  msi_resource: ""
)"),
            "OK");
  EXPECT_EQ(MessageOf(R"(
type: GCS
config:
  bucket: b
  service_account: ""
  use_grpc: false
  grpc_conn_pool_size: 0
  http_config: {}
  chunk_size_bytes: 1000000
  max_retries: 1
)"),
            "OK");
  EXPECT_EQ(MessageOf(R"(
type: SWIFT
config:
  auth_version: 0
  auth_url: http://127.0.0.1:1/v3
  username: u
  user_domain_name: d
  user_domain_id: ""
  user_id: ""
  password: p
  domain_id: ""
  domain_name: ""
  application_credential_id: ""
  application_credential_name: ""
  application_credential_secret: ""
  project_id: ""
  project_name: p
  project_domain_id: ""
  project_domain_name: d
  region_name: r
  container_name: c
  large_object_chunk_size: 1073741824
  large_object_segments_container_name: s
  retries: 3
  connect_timeout: 10s
  timeout: 5m
  use_dynamic_large_objects: false
  http_config: {}
)"),
            "OK");
}

TEST(OpenBucketTest, TakesAllFieldsOfTheClouds) {
  constexpr const char* kHttp =
      "{idle_conn_timeout: 1m30s, response_header_timeout: 2m, insecure_skip_verify: false, "
      "tls_handshake_timeout: 10s, expect_continue_timeout: 1s, max_idle_conns: 100, "
      "max_idle_conns_per_host: 100, max_conns_per_host: 0, disable_compression: false";
  const std::string http = std::string(kHttp) + ", tls_config: {server_name: h}}";
  const std::string oci_http = std::string(kHttp) + ", client_timeout: 1m30.5s}";
  for (const std::string& yaml : {
           "type: cos\nconfig: {bucket: b, region: ap-guangzhou, app_id: '1250000000', endpoint: "
           "'', secret_id: a, secret_key: s, max_retries: 3, http_config: " +
               http + "}",
           std::string("type: COS\nconfig: {endpoint: 'https://b-1.cos.r.myqcloud.com/', "
                       "secret_id: a, secret_key: s}"),
           std::string("type: aliyunoss\nconfig: {endpoint: oss-cn-hangzhou.aliyuncs.com, bucket: "
                       "b, access_key_id: a, access_key_secret: s}"),
           std::string("type: bos\nconfig: {bucket: b, endpoint: bj.bcebos.com, access_key: a, "
                       "secret_key: s}"),
           "type: obs\nconfig: {bucket: b, endpoint: obs.cn-north-4.myhuaweicloud.com, access_key: "
           "a, secret_key: s, max_retries: 3, http_config: " +
               http + "}",
           "type: oci\nconfig: {provider: Instance-Principal, bucket: b, compartment_ocid: c, "
           "tenancy_ocid: '', user_ocid: '', region: '', fingerprint: '', privatekey: '', "
           "passphrase: '', part_size: 1048576, max_request_retries: 3, request_retry_interval: "
           "10, http_config: " +
               oci_http + "}",
       }) {
    EXPECT_EQ(MessageOf(yaml), "OK") << yaml;
  }
}

}  // namespace
}  // namespace aevum::objstore
