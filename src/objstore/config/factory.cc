#include "objstore/config/factory.h"

#include <array>

#include <yaml-cpp/yaml.h>

#include "net/http/form.h"
#include "net/yaml_fields.h"
#include "objstore/config/providers.h"
#include "objstore/prefixed.h"
#include "objstore/providers/filesystem.h"

namespace aevum::objstore {
namespace {

struct ProviderType {
  std::string_view name;
  OpenProvider open;
};

constexpr std::array kTypes = {
    ProviderType{"ALIYUNOSS", OpenAliyunOss},
    ProviderType{"AZURE", OpenAzure},
    ProviderType{"BOS", OpenBos},
    ProviderType{"COS", OpenCos},
    ProviderType{"FILESYSTEM", OpenFilesystem},
    ProviderType{"GCS", OpenGcs},
    ProviderType{"OBS", OpenObs},
    ProviderType{"OCI", OpenOci},
    ProviderType{"S3", OpenS3},
    ProviderType{"SWIFT", OpenSwift},
};

std::string NamesOfTypes() {
  std::string names;
  for (const ProviderType& type : kTypes)
    names += (names.empty() ? "" : ", ") + std::string(type.name);
  return names;
}

StatusOr<ProviderType> FindType(std::string_view name) {
  if (name.empty()) return InvalidArgument("type is not given; it is one of {}", NamesOfTypes());
  for (const ProviderType& type : kTypes) {
    if (net::EqualsIgnoreCase(type.name, name)) return type;
  }
  return InvalidArgument("type {} is not known; it is one of {}", name, NamesOfTypes());
}

}  // namespace

StatusOr<std::unique_ptr<Bucket>> OpenFilesystem(const YAML::Node& config,
                                                 const ProviderEnvironment&) {
  std::string directory;
  RETURN_IF_ERROR(net::ReadYamlMap(config, "config", {{"directory", net::YamlString(&directory)}}));
  if (directory.empty()) return InvalidArgument("directory is not given");
  ASSIGN_OR_RETURN(std::unique_ptr<Bucket> bucket, FilesystemBucket::Open(directory));
  return bucket;
}

StatusOr<std::unique_ptr<Bucket>> OpenBucket(std::string_view yaml,
                                             const ProviderEnvironment& environment) {
  std::unique_ptr<Bucket> bucket;
  const Status status = net::WithYaml(yaml, [&](const YAML::Node& root) -> Status {
    std::string type;
    std::string prefix;
    YAML::Node config;
    const net::YamlReaders fields = {
        {"type", net::YamlString(&type)},
        {"prefix", net::YamlString(&prefix)},
        {"config",
         [&config](const YAML::Node& node) {
           config.reset(node);
           return OkStatus();
         }},
    };
    RETURN_IF_ERROR(net::ReadYamlMap(root, "the configuration", fields));
    ASSIGN_OR_RETURN(const ProviderType provider, FindType(type));
    StatusOr<std::unique_ptr<Bucket>> opened = provider.open(config, environment);
    RETURN_IF_ERROR(Annotate(opened.status(), type));
    bucket = WithPrefix(*std::move(opened), prefix);
    return OkStatus();
  });
  RETURN_IF_ERROR(Annotate(status, "object storage configuration"));
  return bucket;
}

}  // namespace aevum::objstore
