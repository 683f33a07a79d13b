#include "net/discovery/file_sd.h"

#include <glob.h>
#include <sys/stat.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>

#include "base/files.h"
#include "net/yaml_fields.h"

namespace aevum::net {
namespace {

// Tens of thousands of targets fit into a tenth of it.
constexpr std::size_t kFileLimitBytes = 16 << 20;

Status ReadLabels(const YAML::Node& node) {
  if (node.IsNull()) return OkStatus();
  if (!node.IsMap()) return YamlError(node, "labels are not a map");
  for (const auto& label : node) {
    if (!label.first.IsScalar() || !label.second.IsScalar()) {
      return YamlError(label.first, "a label is no pair of strings");
    }
  }
  return OkStatus();
}

Status ReadGroups(const YAML::Node& root, std::vector<std::string>* targets) {
  if (!root.IsDefined() || root.IsNull()) return OkStatus();
  if (!root.IsSequence()) return YamlError(root, "not a list of target groups");
  for (const YAML::Node& group : root) {
    RETURN_IF_ERROR(ReadYamlMap(group, "a target group",
                                {{"targets", YamlStrings(targets)}, {"labels", ReadLabels}}));
  }
  return OkStatus();
}

}  // namespace

StatusOr<std::vector<std::string>> ParseTargetGroups(std::string_view text) {
  std::vector<std::string> targets;
  const Status status =
      WithYaml(text, [&](const YAML::Node& root) { return ReadGroups(root, &targets); });
  RETURN_IF_ERROR(status);
  return targets;
}

Status FileDiscovery::CheckPattern(std::string_view pattern) {
  for (const std::string_view end : {".yml", ".yaml", ".json"}) {
    if (pattern.ends_with(end)) return OkStatus();
  }
  return InvalidArgument("the name of a file with targets ends in .yml, .yaml or .json: {}",
                         pattern);
}

std::vector<std::string> FileDiscovery::Matches() const {
  std::vector<std::string> paths;
  for (const std::string& pattern : patterns_) {
    glob_t found{};
    if (::glob(pattern.c_str(), GLOB_NOSORT, nullptr, &found) == 0) {
      paths.insert(paths.end(), found.gl_pathv, found.gl_pathv + found.gl_pathc);
    }
    ::globfree(&found);
  }
  // Patterns may meet in one file.
  std::sort(paths.begin(), paths.end());
  paths.erase(std::unique(paths.begin(), paths.end()), paths.end());
  return paths;
}

bool FileDiscovery::Refresh() {
  MutexLock lock(mutex_);
  std::map<std::string, File> files;
  for (const std::string& path : Matches()) {
    struct stat found{};
    if (::stat(path.c_str(), &found) != 0 || !S_ISREG(found.st_mode)) continue;
    const State state{found.st_mtim.tv_sec * 1'000'000'000 + found.st_mtim.tv_nsec,
                      static_cast<std::uint64_t>(found.st_size), found.st_ino};
    const auto known = files_.find(path);
    File file;
    if (known != files_.end()) file = std::move(known->second);
    if (known == files_.end() || file.state != state) {
      file.state = state;
      const StatusOr<std::string> text = ReadFile(path, kFileLimitBytes);
      StatusOr<std::vector<std::string>> targets =
          text.ok() ? ParseTargetGroups(*text) : StatusOr<std::vector<std::string>>(text.status());
      if (targets.ok()) {
        file.targets = *std::move(targets);
      } else {
        logger_.Error("can't use a file with targets, its last ones stay",
                      {{"file", path}, {"err", targets.status()}});
      }
    }
    files[path] = std::move(file);
  }
  files_ = std::move(files);
  std::vector<std::string> addresses;
  for (const auto& [path, file] : files_) {
    addresses.insert(addresses.end(), file.targets.begin(), file.targets.end());
  }
  std::sort(addresses.begin(), addresses.end());
  addresses.erase(std::unique(addresses.begin(), addresses.end()), addresses.end());
  if (addresses == addresses_) return false;
  addresses_ = std::move(addresses);
  return true;
}

std::vector<std::string> FileDiscovery::Addresses() const {
  MutexLock lock(mutex_);
  return addresses_;
}

}  // namespace aevum::net
