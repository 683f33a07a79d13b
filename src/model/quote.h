// Strings in quotes, as Go's %q writes them and as PromQL reads them.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace aevum::model {

// Appends text in double quotes with the escapes of Go's strconv.Quote: printable Unicode stays,
// bytes that are not UTF-8 become \xNN.
void AppendGoQuoted(std::string& out, std::string_view text);

// True for [a-zA-Z_][a-zA-Z0-9_]*: names that need no quotes in PromQL.
bool IsLegacyLabelName(std::string_view name);
// As above, with ':' allowed: names of metrics.
bool IsLegacyMetricName(std::string_view name);

// True when the bytes are well-formed UTF-8.
bool IsValidUtf8(std::string_view text);
// The text with each byte that is not part of well-formed UTF-8 replaced by U+FFFD, as Go decodes
// it.
std::string ReplaceInvalidUtf8(std::string_view text);
// Calls `visit` with each code point; U+FFFD for a byte that is not part of well-formed UTF-8.
void ForEachCodePoint(std::string_view text, const std::function<void(std::uint32_t)>& visit);
void AppendUtf8(std::string& out, std::uint32_t code);

}  // namespace aevum::model
