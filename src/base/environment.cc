#include "base/environment.h"

#include <cctype>
#include <cstdlib>

namespace aevum {
namespace {

// The name of a reference at the start of a text, or "" when there is none.
std::string_view ReferenceAt(std::string_view text) {
  if (!text.starts_with("$(")) return {};
  std::size_t end = 2;
  while (end < text.size() &&
         (std::isalnum(static_cast<unsigned char>(text[end])) != 0 || text[end] == '_')) {
    ++end;
  }
  if (end == 2 || end == text.size() || text[end] != ')') return {};
  return text.substr(2, end - 2);
}

}  // namespace

Environment ProcessEnvironment() {
  return [](const std::string& name) -> std::optional<std::string> {
    const char* value = std::getenv(name.c_str());
    if (value == nullptr) return std::nullopt;
    return value;
  };
}

StatusOr<std::string> ExpandEnvironment(std::string_view text, const Environment& environment,
                                        std::size_t* unset) {
  std::string expanded;
  expanded.reserve(text.size());
  std::string first_unset;
  *unset = 0;
  while (!text.empty()) {
    const std::string_view name = ReferenceAt(text);
    if (name.empty()) {
      const std::string_view plain = text.substr(0, text.find('$', 1));
      expanded += plain;
      text.remove_prefix(plain.size());
      continue;
    }
    text.remove_prefix(name.size() + 3);
    if (const std::optional<std::string> value = environment(std::string(name))) {
      expanded += *value;
    } else if ((*unset)++ == 0) {
      first_unset = name;
    }
  }
  if (*unset > 0) {
    return InvalidArgument("found reference to the environment variable {}, which is not set",
                           first_unset);
  }
  return expanded;
}

StatusOr<std::string> ExpandEnvironment(std::string_view text) {
  std::size_t unset = 0;
  return ExpandEnvironment(text, ProcessEnvironment(), &unset);
}

}  // namespace aevum
