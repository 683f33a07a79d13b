// Where two JSON answers differ, for tests that compare ours with those of another program.
#pragma once

#include <string>

#include <nlohmann/json.hpp>

namespace aevum::query::testing {

struct JsonComparison {
  // How far numbers may lie apart, as a part of the larger. Strings that are numbers count as such.
  double tolerance = 1e-12;
  bool any_order = false;  // of the items of `data.result`
};

// The first difference as "path: ours is X, theirs Y"; "" when there is none. Warnings are compared
// as sets.
std::string JsonDifference(nlohmann::json ours, nlohmann::json theirs,
                           const JsonComparison& comparison = {});

}  // namespace aevum::query::testing
