// Waiting that ends with the context.
#pragma once

#include <chrono>

#include "base/context.h"
#include "base/status.h"

namespace aevum {

// Waits, and returns early with the context's status when that ends; OK when the time has passed.
Status Pause(const Context& context, std::chrono::nanoseconds time);

}  // namespace aevum
