#include "query/testing/json_difference.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>
#include <utility>

#include <fmt/format.h>

namespace aevum::query::testing {
namespace {

using nlohmann::json;

std::optional<double> NumberOf(const json& value) {
  if (value.is_number()) return value.get<double>();
  if (!value.is_string()) return std::nullopt;
  std::string_view text = value.get_ref<const std::string&>();
  if (text.starts_with('+')) text.remove_prefix(1);
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

bool Near(double a, double b, double tolerance) {
  if (a == b || (std::isnan(a) && std::isnan(b))) return true;
  return std::abs(a - b) <= tolerance * std::max(std::abs(a), std::abs(b));
}

std::string Cut(const json& value) {
  std::string text = value.dump();
  constexpr std::size_t kLength = 200;
  return text.size() <= kLength ? text : text.substr(0, kLength) + "...";
}

class Comparer {
 public:
  explicit Comparer(double tolerance) : tolerance_(tolerance) {}

  std::string Compare(const std::string& path, const json& ours, const json& theirs) const {
    const auto differ = [&] {
      return fmt::format("{}: ours is {}, theirs {}", path.empty() ? "all of it" : path, Cut(ours),
                         Cut(theirs));
    };
    if (ours == theirs) return "";
    if (ours.is_object() && theirs.is_object()) return CompareObjects(path, ours, theirs);
    if (ours.is_array() && theirs.is_array()) {
      for (std::size_t i = 0; i < std::min(ours.size(), theirs.size()); ++i) {
        std::string difference = Compare(fmt::format("{}[{}]", path, i), ours[i], theirs[i]);
        if (!difference.empty()) return difference;
      }
      if (ours.size() == theirs.size()) return "";
      return fmt::format("{}: ours has {} items, theirs {}", path, ours.size(), theirs.size());
    }
    const auto a = NumberOf(ours);
    const auto b = NumberOf(theirs);
    if (ours.type() == theirs.type() && a && b && Near(*a, *b, tolerance_)) return "";
    return differ();
  }

 private:
  std::string CompareObjects(const std::string& path, const json& ours, const json& theirs) const {
    for (const auto& [key, value] : theirs.items()) {
      if (!ours.contains(key)) return fmt::format("{}.{}: ours has none", path, key);
      std::string difference = Compare(path + "." + key, ours.at(key), value);
      if (!difference.empty()) return difference;
    }
    for (const auto& [key, value] : ours.items()) {
      if (!theirs.contains(key))
        return fmt::format("{}.{}: only ours has it: {}", path, key, Cut(value));
    }
    return "";
  }

  const double tolerance_;
};

void SortItems(json* answer) {
  if (!answer->contains("data") || !(*answer)["data"].is_object()) return;
  json& data = (*answer)["data"];
  if (!data.contains("result") || !data["result"].is_array()) return;
  std::ranges::stable_sort(data["result"].get_ref<json::array_t&>(), [](const json& a,
                                                                        const json& b) {
    return a.is_object() && b.is_object() && a.value("metric", json()) < b.value("metric", json());
  });
}

}  // namespace

std::string JsonDifference(json ours, json theirs, const JsonComparison& comparison) {
  for (json* answer : {&ours, &theirs}) {
    if (comparison.any_order) SortItems(answer);
    if (answer->is_object() && answer->contains("warnings")) {
      json& warnings = (*answer)["warnings"];
      if (warnings.is_array()) std::ranges::sort(warnings.get_ref<json::array_t&>());
    }
  }
  return Comparer(comparison.tolerance).Compare("", ours, theirs);
}

}  // namespace aevum::query::testing
