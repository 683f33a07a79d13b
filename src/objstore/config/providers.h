// The provider of each type, out of the map under `config`.
#pragma once

#include <memory>

#include "objstore/config/factory.h"

namespace aevum::objstore {

using OpenProvider = StatusOr<std::unique_ptr<Bucket>> (*)(const YAML::Node& config,
                                                           const ProviderEnvironment& environment);

StatusOr<std::unique_ptr<Bucket>> OpenAliyunOss(const YAML::Node& config,
                                                const ProviderEnvironment& environment);
StatusOr<std::unique_ptr<Bucket>> OpenAzure(const YAML::Node& config,
                                            const ProviderEnvironment& environment);
StatusOr<std::unique_ptr<Bucket>> OpenBos(const YAML::Node& config,
                                          const ProviderEnvironment& environment);
StatusOr<std::unique_ptr<Bucket>> OpenCos(const YAML::Node& config,
                                          const ProviderEnvironment& environment);
StatusOr<std::unique_ptr<Bucket>> OpenFilesystem(const YAML::Node& config,
                                                 const ProviderEnvironment& environment);
StatusOr<std::unique_ptr<Bucket>> OpenGcs(const YAML::Node& config,
                                          const ProviderEnvironment& environment);
StatusOr<std::unique_ptr<Bucket>> OpenObs(const YAML::Node& config,
                                          const ProviderEnvironment& environment);
StatusOr<std::unique_ptr<Bucket>> OpenOci(const YAML::Node& config,
                                          const ProviderEnvironment& environment);
StatusOr<std::unique_ptr<Bucket>> OpenS3(const YAML::Node& config,
                                         const ProviderEnvironment& environment);
StatusOr<std::unique_ptr<Bucket>> OpenSwift(const YAML::Node& config,
                                            const ProviderEnvironment& environment);

}  // namespace aevum::objstore
