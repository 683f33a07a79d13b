// The environment's variables inside configuration texts.
#pragma once

#include <string>
#include <string_view>

#include "base/status.h"

namespace aevum {

// Replaces each $(NAME), NAME of letters, digits and '_', by the value of that variable.
// InvalidArgument for a name that is not set.
StatusOr<std::string> ExpandEnvironment(std::string_view text);

}  // namespace aevum
