// A stand-in for the object storage of five clouds, for tests: a program beside the test.
#pragma once

#include <cstdio>
#include <map>
#include <memory>
#include <string>

#include "base/files.h"
#include "base/status.h"

namespace aevum::objstore {

// Runs testing/cloud_server.py, which checks all signatures by rules of its own. It ends with this
// object or the test program, however that ends. Buckets "bucket-…" are there and empty at first.
class CloudServer {
 public:
  // The one server for all tests of a program. Unimplemented when there is no Python.
  static const StatusOr<std::unique_ptr<CloudServer>>& Shared();
  ~CloudServer();
  CloudServer(const CloudServer&) = delete;
  CloudServer& operator=(const CloudServer&) = delete;

  // The port of a provider, by its name in the configuration. The provider must be one of the five.
  int port(const std::string& provider) const { return ports_.at(provider); }

  static constexpr const char* kKeyId = "test-key";
  static constexpr const char* kSecret = "test-secret";
  // Of the user of OCI; its key is testdata/oci/key.pem.
  static constexpr const char* kOciTenancy = "ocid1.tenancy.oc1..test";
  static constexpr const char* kOciUser = "ocid1.user.oc1..test";
  static constexpr const char* kOciFingerprint = "20:3b:97:13:55:1c:5b:0d:d3:37:d8:50:4e:c5:3a:34";
  // The path of a file in testdata/oci.
  static std::string OciFile(const std::string& name);

 private:
  explicit CloudServer(TemporaryDirectory directory) : directory_(std::move(directory)) {}
  static StatusOr<std::unique_ptr<CloudServer>> Start();
  Status WaitForPorts(const std::string& path);

  const TemporaryDirectory directory_;
  std::map<std::string, int> ports_;
  std::FILE* program_ = nullptr;  // its input, whose end tells it to stop
};

}  // namespace aevum::objstore
