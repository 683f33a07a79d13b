#include "promql/engine/extension.h"

#include <fmt/core.h>

namespace aevum::promql {

Extension ExtensionOf(const VectorSelector& selector, std::int64_t lookback_ms) {
  using enum Extension::Kind;
  return {.kind = selector.anchored   ? kAnchored
                  : selector.smoothed ? kSmoothed
                                      : kNone,
          .lookback_ms = lookback_ms};
}

Status CheckExtension(const Extension& extension, std::string_view function) {
  const bool gains = function == "rate" || function == "increase" || function == "delta";
  const bool counts = function == "resets" || function == "changes";
  if (extension.kind == Extension::Kind::kAnchored && !gains && !counts) {
    return MakeError(
        StatusCode::kFailedPrecondition,
        fmt::format(
            "anchored modifier can only be used with: changes, delta, increase, rate, resets - not "
            "with {}",
            function));
  }
  if (extension.kind == Extension::Kind::kSmoothed && !gains) {
    return MakeError(
        StatusCode::kFailedPrecondition,
        fmt::format("smoothed modifier can only be used with: delta, increase, rate - not with {}",
                    function));
  }
  return OkStatus();
}

Status RefuseHistograms(const Extension& extension) {
  if (extension.kind == Extension::Kind::kNone) return OkStatus();
  return MakeError(
      StatusCode::kFailedPrecondition,
      fmt::format("{} modifier is not supported with histograms",
                  extension.kind == Extension::Kind::kAnchored ? "anchored" : "smoothed"));
}

}  // namespace aevum::promql
