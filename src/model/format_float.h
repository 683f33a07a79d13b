// Numbers as Prometheus writes them in JSON answers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace aevum::model {

// The most bytes that FormatFloat and FormatTimestamp write, behind the end of the text included.
inline constexpr std::size_t kMaxFloatSize = 64;

// Writes the shortest digits that read back equal, as Go's 'f' form, or 'e' with at least two
// digits of exponent below 1e-6 and from 1e21 on; NaN, +Inf, -Inf. Returns the end. `out` must have
// room for kMaxFloatSize bytes.
char* FormatFloat(char* out, double value);
std::string FormatFloat(double value);

// Milliseconds as seconds with up to three decimals: 1700000000.123. As above.
char* FormatTimestamp(char* out, std::int64_t milliseconds);

}  // namespace aevum::model
