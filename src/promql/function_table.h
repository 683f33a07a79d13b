// Every function of PromQL: its name, the types of its arguments and of its result.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "promql/ast.h"

namespace aevum::promql {

struct Function {
  std::string_view name;
  std::span<const ValueType> args;
  // 0: exactly `args`; n > 0: the last of `args` is optional and n of it may come; -1: any number
  // of the last.
  int variadic = 0;
  ValueType return_type = ValueType::kVector;
  bool experimental = false;
  bool x_function = false;  // xrate and its kin, which Prometheus does not know
};

// The function of that name, or null. Pointers stay valid for ever.
const Function* FindFunction(std::string_view name);
std::span<const Function> AllFunctions();

}  // namespace aevum::promql
