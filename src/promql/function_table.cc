#include "promql/function_table.h"

#include <algorithm>
#include <array>

namespace aevum::promql {
namespace {

using enum ValueType;

constexpr std::array<ValueType, 0> kNothing = {};
constexpr std::array kV = {kVector};
constexpr std::array kM = {kMatrix};
constexpr std::array kS = {kScalar};
constexpr std::array kSS = {kScalar, kScalar};
constexpr std::array kSV = {kScalar, kVector};
constexpr std::array kSM = {kScalar, kMatrix};
constexpr std::array kSSV = {kScalar, kScalar, kVector};
constexpr std::array kVS = {kVector, kScalar};
constexpr std::array kVSS = {kVector, kScalar, kScalar};
constexpr std::array kVV = {kVector, kVector};
constexpr std::array kMS = {kMatrix, kScalar};
constexpr std::array kMSS = {kMatrix, kScalar, kScalar};
constexpr std::array kVText = {kVector, kString};
constexpr std::array kVText3 = {kVector, kString, kString, kString};
constexpr std::array kVText4 = {kVector, kString, kString, kString, kString};
constexpr std::array kVTextSS = {kVector, kString, kScalar, kScalar};

// Sorted by name.
constexpr Function kFunctions[] = {
    {"abs", kV},
    {"absent", kV},
    {"absent_over_time", kM},
    {"acos", kV},
    {"acosh", kV},
    {"asin", kV},
    {"asinh", kV},
    {"atan", kV},
    {"atanh", kV},
    {"avg_over_time", kM},
    {"ceil", kV},
    {"changes", kM},
    {"clamp", kVSS},
    {"clamp_max", kVS},
    {"clamp_min", kVS},
    {"cos", kV},
    {"cosh", kV},
    {"count_over_time", kM},
    {"day_of_month", kV, 1},
    {"day_of_week", kV, 1},
    {"day_of_year", kV, 1},
    {"days_in_month", kV, 1},
    {"deg", kV},
    {"delta", kM},
    {"deriv", kM},
    {"double_exponential_smoothing", kMSS, 0, kVector, true},
    {"end", kNothing, 0, kScalar, true},
    {"exp", kV},
    {"first_over_time", kM, 0, kVector, false},
    {"floor", kV},
    {"histogram_avg", kV},
    {"histogram_count", kV},
    {"histogram_fraction", kSSV},
    {"histogram_quantile", kSV},
    {"histogram_quantiles", kVTextSS, 9, kVector, true},
    {"histogram_stddev", kV},
    {"histogram_stdvar", kV},
    {"histogram_sum", kV},
    {"hour", kV, 1},
    {"idelta", kM},
    {"increase", kM},
    {"info", kVV, 1, kVector, true},
    {"irate", kM},
    {"label_join", kVText3, -1},
    {"label_replace", kVText4},
    {"last_over_time", kM},
    {"ln", kV},
    {"log10", kV},
    {"log2", kV},
    {"mad_over_time", kM, 0, kVector, true},
    {"max_of", kSS, 0, kScalar, true},
    {"max_over_time", kM},
    {"min_of", kSS, 0, kScalar, true},
    {"min_over_time", kM},
    {"minute", kV, 1},
    {"month", kV, 1},
    {"pi", kNothing, 0, kScalar},
    {"predict_linear", kMS},
    {"present_over_time", kM},
    {"quantile_over_time", kSM},
    {"rad", kV},
    {"range", kNothing, 0, kScalar, true},
    {"rate", kM},
    {"resets", kM},
    {"round", kVS, 1},
    {"scalar", kV, 0, kScalar},
    {"sgn", kV},
    {"sin", kV},
    {"sinh", kV},
    {"sort", kV},
    {"sort_by_label", kVText, -1, kVector, true},
    {"sort_by_label_desc", kVText, -1, kVector, true},
    {"sort_desc", kV},
    {"sqrt", kV},
    {"start", kNothing, 0, kScalar, true},
    {"start_timestamp", kV, 0, kVector, true},
    {"stddev_over_time", kM},
    {"stdvar_over_time", kM},
    {"step", kNothing, 0, kScalar, true},
    {"sum_over_time", kM},
    {"tan", kV},
    {"tanh", kV},
    {"time", kNothing, 0, kScalar},
    {"timestamp", kV},
    {"ts_of_first_over_time", kM, 0, kVector, true},
    {"ts_of_last_over_time", kM, 0, kVector, true},
    {"ts_of_max_over_time", kM, 0, kVector, true},
    {"ts_of_min_over_time", kM, 0, kVector, true},
    {"vector", kS},
    {"xdelta", kM, 0, kVector, false, true},
    {"xincrease", kM, 0, kVector, false, true},
    {"xrate", kM, 0, kVector, false, true},
    {"year", kV, 1},
};

}  // namespace

const Function* FindFunction(std::string_view name) {
  const auto it =
      std::lower_bound(std::begin(kFunctions), std::end(kFunctions), name,
                       [](const Function& f, std::string_view n) { return f.name < n; });
  return it != std::end(kFunctions) && it->name == name ? it : nullptr;
}

std::span<const Function> AllFunctions() { return kFunctions; }

}  // namespace aevum::promql
