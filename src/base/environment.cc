#include "base/environment.h"

#include <cctype>
#include <cstdlib>

namespace aevum {

StatusOr<std::string> ExpandEnvironment(std::string_view text) {
  std::string out;
  while (true) {
    const std::size_t start = text.find("$(");
    if (start == std::string_view::npos) break;
    std::size_t end = start + 2;
    while (end < text.size() &&
           (std::isalnum(static_cast<unsigned char>(text[end])) != 0 || text[end] == '_'))
      ++end;
    if (end == start + 2 || end == text.size() || text[end] != ')') {
      out += text.substr(0, start + 2);
      text.remove_prefix(start + 2);
      continue;
    }
    const std::string name(text.substr(start + 2, end - start - 2));
    const char* value = std::getenv(name.c_str());
    if (value == nullptr) {
      return InvalidArgument("found reference to the environment variable {}, which is not set",
                             name);
    }
    out += text.substr(0, start);
    out += value;
    text.remove_prefix(end + 1);
  }
  return out.append(text);
}

}  // namespace aevum
