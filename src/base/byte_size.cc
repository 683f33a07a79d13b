#include "base/byte_size.h"

#include <array>
#include <charconv>

namespace aevum {

StatusOr<std::uint64_t> ParseByteSize(std::string_view text) {
  struct Unit {
    std::string_view name;
    int shift;
  };
  static constexpr std::array<Unit, 13> kUnits = {{{"B", 0},
                                                   {"KB", 10},
                                                   {"KiB", 10},
                                                   {"MB", 20},
                                                   {"MiB", 20},
                                                   {"GB", 30},
                                                   {"GiB", 30},
                                                   {"TB", 40},
                                                   {"TiB", 40},
                                                   {"PB", 50},
                                                   {"PiB", 50},
                                                   {"EB", 60},
                                                   {"EiB", 60}}};
  if (text == "0") return std::uint64_t{0};
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const std::string_view name = text.substr(static_cast<std::size_t>(end - text.data()));
  for (const Unit& unit : kUnits) {
    if (error == std::errc() && unit.name == name && number <= (UINT64_MAX >> unit.shift)) {
      return number << unit.shift;
    }
  }
  return InvalidArgument(
      "not a size: \"{}\"; write a whole number and a unit, such as 512MB or 1GiB", text);
}

}  // namespace aevum
