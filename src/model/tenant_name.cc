#include "model/tenant_name.h"

#include "model/quote.h"

namespace aevum::model {
namespace {

// Names in errors are cut here: their senders choose how long they are.
constexpr std::size_t kShownBytes = 64;

// What is wrong with a name, or "".
std::string Fault(std::string_view text) {
  if (text.empty()) return "it is empty";
  if (text.size() > TenantName::kMaxBytes) return fmt::format("it has {} bytes", text.size());
  if (text == "." || text == "..") return "it stands for a directory";
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte == '/' || byte == '\\') return fmt::format("'{}' at byte {}", text[i], i);
    if (byte < 0x20 || byte == 0x7f)
      return fmt::format("control character 0x{:02x} at byte {}", byte, i);
    // U+0080 to U+009F are C2 80 to C2 9F.
    if (byte == 0xc2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xa0)
      return fmt::format("control character at byte {}", i);
  }
  return IsValidUtf8(text) ? "" : "it is not UTF-8";
}

}  // namespace

StatusOr<TenantName> TenantName::Parse(std::string_view text) {
  const std::string fault = Fault(text);
  if (fault.empty()) return TenantName(std::string(text));
  std::string shown;
  AppendGoQuoted(shown, text.substr(0, kShownBytes));
  return InvalidArgument(
      "tenant name not valid: {}; allowed are 1 to {} bytes of UTF-8 without '/', '\\' and control "
      "characters, but not \".\" and \"..\"; name: {}{}",
      fault, kMaxBytes, shown, text.size() > kShownBytes ? "..." : "");
}

}  // namespace aevum::model
