// The environment's variables inside configuration texts.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/status.h"

namespace aevum {

// The value of a variable, or nullopt when it is not set.
using Environment = std::function<std::optional<std::string>(const std::string& name)>;

// The environment of this process.
Environment ProcessEnvironment();

// Replaces each $(NAME), NAME of letters, digits and '_', by the value of that variable; all else
// stays as it is, and values are not expanded again. InvalidArgument for a name that is not set.
StatusOr<std::string> ExpandEnvironment(std::string_view text);
// As above with the variables of `environment`; counts the references to variables that are not
// set in `unset`, and names the first.
StatusOr<std::string> ExpandEnvironment(std::string_view text, const Environment& environment,
                                        std::size_t* unset);

}  // namespace aevum
