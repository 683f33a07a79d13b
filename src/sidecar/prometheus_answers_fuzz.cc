// Bodies of Prometheus's API: whatever comes, an answer or an error.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "encoding/gunzip.h"
#include "sidecar/metadata_answers.h"
#include "sidecar/prometheus_answers.h"
#include "sidecar/rules_answers.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace aevum::sidecar;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  ParseStringsAnswer(text).IgnoreError();
  ParseSeriesAnswer(text).IgnoreError();
  ParseFlagsAnswer(text).IgnoreError();
  ParseVersionAnswer(text).IgnoreError();
  ParseRuntimeInfoAnswer(text).IgnoreError();
  ParseRulesAnswer(text).IgnoreError();
  ParseTargetsAnswer(text).IgnoreError();
  ParseMetadataAnswer(text).IgnoreError();
  ParseExemplarsAnswer(text).IgnoreError();
  ParseTsdbStatusAnswer(text).IgnoreError();
  ParseExternalLabels(text).IgnoreError();
  if (const auto yaml = ParseConfigAnswer(text); yaml.ok())
    ParseExternalLabels(*yaml).IgnoreError();
  ParseLowestTimestamp(text);
  aevum::encoding::Gunzip(text, 1 << 20).IgnoreError();
  return ParseErrorText(text).size() > text.size() + 100 ? 1 : 0;
}
