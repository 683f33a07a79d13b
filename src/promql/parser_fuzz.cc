#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "promql/parser.h"
#include "promql/printer.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace aevum::promql;
  const ParseOptions everything{.experimental_functions = true,
                                .duration_expressions = true,
                                .extended_range_selectors = true,
                                .fill_modifiers = true,
                                .x_functions = true};
  const auto expr = Parse({reinterpret_cast<const char*>(data), size}, everything);
  if (!expr.ok()) return 0;
  // What is printed parses again, to the same text.
  const std::string printed = ToString(**expr);
  const auto again = Parse(printed, everything);
  AEVUM_CHECK(again.ok());
  AEVUM_CHECK(ToString(**again) == printed);
  return 0;
}
