#include <cstddef>
#include <cstdint>
#include <string>

#include "base/check.h"
#include "wire/rules_api.h"
#include "wire/targets_api.h"

namespace {

using namespace aevum;

// What was understood survives the way back.
template <typename Decode, typename EncodeAgain>
void Check(std::string_view bytes, Decode decode, EncodeAgain encode) {
  const auto message = decode(bytes);
  if (!message.ok()) return;
  const std::string again = encode(*message);
  const auto copy = decode(again);
  AEVUM_CHECK(copy.ok());
  AEVUM_CHECK(encode(*copy) == again);
}

std::string RulesAgain(const wire::RulesResponse& response) {
  return response.group ? wire::EncodeRuleGroupResponse(*response.group)
                        : wire::EncodeRulesWarning(response.warning);
}

std::string TargetsAgain(const wire::TargetsResponse& response) {
  return response.targets ? wire::EncodeTargetsResponse(*response.targets)
                          : wire::EncodeTargetsWarning(response.warning);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto again = [](const auto& request) { return wire::Encode(request); };
  switch (data[0] % 4) {
    case 0:
      Check(bytes, wire::DecodeRulesResponse, RulesAgain);
      break;
    case 1:
      Check(bytes, wire::DecodeTargetsResponse, TargetsAgain);
      break;
    case 2:
      Check(bytes, wire::DecodeRulesRequest, again);
      break;
    default:
      Check(bytes, wire::DecodeTargetsRequest, again);
  }
  return 0;
}
