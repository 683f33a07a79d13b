#include "net/yaml_fields.h"

#include <set>

#include <yaml-cpp/yaml.h>

namespace aevum::net {

Status YamlError(const YAML::Node& node, std::string message) {
  return InvalidArgument("line {}: {}", node.Mark().line + 1, message);
}

Status WithYaml(std::string_view text, const YamlReader& read) {
  try {
    return read(YAML::Load(std::string(text)));
  } catch (const YAML::Exception& error) {
    return InvalidArgument("line {}: not YAML: {}", error.mark.line + 1, error.msg);
  }
}

Status ReadYamlMap(const YAML::Node& node, std::string_view where, const YamlReaders& readers) {
  if (!node.IsDefined() || node.IsNull()) return OkStatus();
  if (!node.IsMap()) return YamlError(node, fmt::format("{} is not a map", where));
  std::set<std::string> seen;
  for (const auto& entry : node) {
    if (!entry.first.IsScalar()) return YamlError(entry.first, "the name of a field is no scalar");
    const std::string& name = entry.first.Scalar();
    if (!seen.insert(name).second) {
      return YamlError(entry.first, fmt::format("field {} of {} is there twice", name, where));
    }
    const YamlReader* reader = nullptr;
    for (const auto& [known, read] : readers) {
      if (known == name) reader = &read;
    }
    if (!reader) {
      return YamlError(entry.first, fmt::format("unknown field in {}: {}", where, name));
    }
    RETURN_IF_ERROR(Annotate((*reader)(entry.second), name));
  }
  return OkStatus();
}

YamlReader YamlString(std::string* out) {
  return [out](const YAML::Node& node) {
    if (node.IsNull()) return OkStatus();
    if (!node.IsScalar()) return YamlError(node, "not a string");
    *out = node.Scalar();
    return OkStatus();
  };
}

YamlReader YamlBool(bool* out) {
  return [out](const YAML::Node& node) {
    if (node.IsNull()) return OkStatus();
    if (!node.IsScalar() || !YAML::convert<bool>::decode(node, *out)) {
      return YamlError(node, "neither true nor false");
    }
    return OkStatus();
  };
}

YamlReader YamlInt(std::int64_t* out) {
  return [out](const YAML::Node& node) {
    if (node.IsNull()) return OkStatus();
    if (!node.IsScalar() || !YAML::convert<std::int64_t>::decode(node, *out)) {
      return YamlError(node, "not a whole number");
    }
    return OkStatus();
  };
}

YamlReader YamlStrings(std::vector<std::string>* out) {
  return [out](const YAML::Node& node) {
    if (node.IsNull()) return OkStatus();
    if (!node.IsSequence()) return YamlError(node, "not a list");
    for (const YAML::Node& item : node) {
      if (!item.IsScalar()) return YamlError(item, "not a string");
      out->push_back(item.Scalar());
    }
    return OkStatus();
  };
}

YamlReader YamlMap(std::string_view where, YamlReaders readers) {
  return [where, readers = std::move(readers)](const YAML::Node& node) {
    return ReadYamlMap(node, where, readers);
  };
}

}  // namespace aevum::net
