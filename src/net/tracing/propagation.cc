#include "net/tracing/propagation.h"

#include <algorithm>
#include <charconv>

#include "net/url.h"

namespace aevum::net {
namespace {

// A list that is longer may be dropped, says the specification.
constexpr std::size_t kLongestState = 512;

// The length of "00-<32 digits>-<16 digits>-<2 digits>".
constexpr std::size_t kTraceparentSize = 55;

// A number of lower-case hex digits and nothing else.
template <typename T>
bool ReadHex(std::string_view text, T* value) {
  if (text.empty() || text.size() > 2 * sizeof(T)) return false;
  const bool digits = std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
  });
  if (!digits) return false;
  return std::from_chars(text.data(), text.data() + text.size(), *value, 16).ec == std::errc();
}

// What can be sent on as it came.
bool IsState(std::string_view text) {
  return text.size() <= kLongestState &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c <= 0x7e; });
}

// The part up to the next ':', which is taken off.
std::string_view TakePart(std::string_view* text) {
  const std::size_t end = std::min(text->find(':'), text->size());
  const std::string_view part = text->substr(0, end);
  text->remove_prefix(std::min(end + 1, text->size()));
  return part;
}

}  // namespace

std::optional<RemoteParent> ParseTraceparent(std::string_view text) {
  std::uint8_t version = 0;
  std::uint8_t flags = 0;
  RemoteParent parent;
  if (text.size() < kTraceparentSize || text[2] != '-' || text[35] != '-' || text[52] != '-' ||
      !ReadHex(text.substr(0, 2), &version) ||
      !ReadHex(text.substr(3, 16), &parent.trace_id.high) ||
      !ReadHex(text.substr(19, 16), &parent.trace_id.low) ||
      !ReadHex(text.substr(36, 16), &parent.span_id) || !ReadHex(text.substr(53, 2), &flags)) {
    return std::nullopt;
  }
  // Later versions may append fields; 255 is no version.
  const bool longer = text.size() > kTraceparentSize;
  if (version == 255 || (longer && (version == 0 || text[kTraceparentSize] != '-')))
    return std::nullopt;
  if (!parent.trace_id.valid() || parent.span_id == 0) return std::nullopt;
  parent.sampled = (flags & 1) != 0;
  return parent;
}

// "<trace id>:<span id>:<parent, unused>:<flags>", leading zeros may be left out.
std::optional<RemoteParent> ParseUberTraceId(std::string_view text) {
  const std::string_view trace = TakePart(&text);
  const std::string_view span = TakePart(&text);
  TakePart(&text);
  std::uint16_t flags = 0;
  RemoteParent parent;
  const std::size_t low = std::min<std::size_t>(trace.size(), 16);
  const std::string_view high = trace.substr(0, trace.size() - low);
  if ((!high.empty() && !ReadHex(high, &parent.trace_id.high)) ||
      !ReadHex(trace.substr(trace.size() - low), &parent.trace_id.low) ||
      !ReadHex(span, &parent.span_id) || !ReadHex(text, &flags)) {
    return std::nullopt;
  }
  if (!parent.trace_id.valid() || parent.span_id == 0) return std::nullopt;
  parent.sampled = (flags & 1) != 0;
  return parent;
}

std::optional<RemoteParent> ExtractTrace(const HeaderLookup& header) {
  if (std::optional<RemoteParent> parent = ParseTraceparent(header("traceparent"))) {
    if (const std::string_view state = header("tracestate"); IsState(state))
      parent->trace_state = state;
    return parent;
  }
  const std::string_view uber = header("uber-trace-id");
  if (uber.empty()) return std::nullopt;
  // Some clients escape the colons.
  const StatusOr<std::string> plain = PercentDecode(uber, /*plus_is_space=*/false);
  return plain.ok() ? ParseUberTraceId(*plain) : std::nullopt;
}

std::vector<std::pair<std::string, std::string>> TraceHeaders(const Context& context) {
  const TraceContext* trace = context.trace();
  if (trace == nullptr) return {};
  std::vector<std::pair<std::string, std::string>> headers;
  headers.emplace_back("traceparent", fmt::format("00-{}-{}-{:02x}", ToHex(trace->trace_id),
                                                  ToHex(trace->span_id), trace->sampled ? 1 : 0));
  if (!trace->trace_state.empty()) headers.emplace_back("tracestate", trace->trace_state);
  return headers;
}

}  // namespace aevum::net
