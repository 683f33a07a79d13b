// Smaller expressions out of one, to find the smallest that still shows a difference.
#pragma once

#include <functional>
#include <string>

namespace aevum::promql::differential {

// Replaces parts of the expression by parts of theirs of the same type, and drops modifiers, as
// long as `differs` says so of what is left. `text` itself must parse and differ.
std::string Shrink(std::string text, const std::function<bool(const std::string&)>& differs);

}  // namespace aevum::promql::differential
