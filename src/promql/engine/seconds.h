// Times as PromQL shows and compares them.
#pragma once

#include <cstdint>

namespace aevum::promql {

inline double Seconds(std::int64_t milliseconds) {
  return static_cast<double>(milliseconds) / 1000;
}

}  // namespace aevum::promql
