#include "promql/functions/natural_order.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>

namespace aevum::promql::functions {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// Takes the longest run that is all digits or has none.
std::string_view TakeRun(std::string_view* text) {
  const bool digits = IsDigit(text->front());
  const auto end =
      std::find_if(text->begin(), text->end(), [digits](char c) { return IsDigit(c) != digits; });
  const std::string_view run = text->substr(0, static_cast<std::size_t>(end - text->begin()));
  text->remove_prefix(run.size());
  return run;
}

std::optional<std::int64_t> Number(std::string_view run) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(run.data(), run.data() + run.size(), number);
  if (error != std::errc() || end != run.data() + run.size()) return std::nullopt;
  return number;
}

}  // namespace

int CompareNaturally(std::string_view a, std::string_view b) {
  const std::string_view whole_a = a;
  const std::string_view whole_b = b;
  while (!a.empty() && !b.empty()) {
    const std::string_view run_a = TakeRun(&a);
    const std::string_view run_b = TakeRun(&b);
    const std::optional<std::int64_t> number_a = Number(run_a);
    const std::optional<std::int64_t> number_b = Number(run_b);
    if (number_a && number_b) {
      if (*number_a != *number_b) return *number_a < *number_b ? -1 : 1;
    } else if (const int order = run_a.compare(run_b); order != 0) {
      return order;
    }
  }
  if (a.empty() != b.empty()) return a.empty() ? -1 : 1;
  // Only leading zeros differ; the bytes make the order complete.
  return whole_a.compare(whole_b);
}

}  // namespace aevum::promql::functions
