// Writes metrics as Prometheus and OpenMetrics read them.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace prometheus {
class Collectable;
struct MetricFamily;
}  // namespace prometheus

namespace aevum::net {

enum class ExpositionFormat {
  kText,         // text format 0.0.4
  kOpenMetrics,  // OpenMetrics 1.0
};

// OpenMetrics only for those who name it and do not like text better.
ExpositionFormat NegotiateExposition(std::string_view accept);
std::string_view ExpositionContentType(ExpositionFormat format);

// Families of one name are joined, sorted by name, their metrics by labels; empty ones are left
// out.
std::string WriteExposition(
    const std::vector<std::shared_ptr<prometheus::Collectable>>& collectables,
    ExpositionFormat format);

// Appends a number as each format has it: the shortest digits that read back, with an exponent
// below 1e-4 and from 1e6 on in the manner of Go's %g ("1e+06"); OpenMetrics has ".0" on whole
// numbers.
void AppendMetricNumber(double value, ExpositionFormat format, std::string* out);

}  // namespace aevum::net
