// Reading YAML blocks strictly: each field has a reader, and others are errors with their line.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/status.h"

namespace YAML {
class Node;
}

namespace aevum::net {

using YamlReader = std::function<Status(const YAML::Node&)>;
using YamlReaders = std::vector<std::pair<std::string_view, YamlReader>>;

// Calls `read` with the root of the document; null for an empty one. InvalidArgument with the line
// when the text is not YAML. Nothing thrown by the library leaves this function.
Status WithYaml(std::string_view text, const YamlReader& read);

// Runs the readers of the fields of a map. A null node is an empty map. InvalidArgument for a node
// that is no map, an unknown field, one that stands there twice.
Status ReadYamlMap(const YAML::Node& node, std::string_view where, const YamlReaders& readers);

// Readers of single values. A null leaves the default.
YamlReader YamlString(std::string* out);
YamlReader YamlBool(bool* out);
YamlReader YamlInt(std::int64_t* out);
YamlReader YamlStrings(std::vector<std::string>* out);
YamlReader YamlMap(std::string_view where, YamlReaders readers);

// InvalidArgument with "line N: " before the message.
Status YamlError(const YAML::Node& node, std::string message);

}  // namespace aevum::net
