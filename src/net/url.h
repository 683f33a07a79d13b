// Percent-encoding and the parts of URLs.
#pragma once

#include <string>
#include <string_view>

#include "base/status.h"

namespace aevum::net {

// Encodes all but unreserved characters (RFC 3986).
std::string PercentEncode(std::string_view text);
// InvalidArgument for a '%' without two hex digits. `plus_is_space` for queries and forms.
StatusOr<std::string> PercentDecode(std::string_view text, bool plus_is_space);

struct Url {
  std::string scheme;    // "http" or "https"
  std::string userinfo;  // before '@', as it came
  std::string host;      // without brackets
  std::string port;      // "" when absent
  std::string path;      // from the first '/', as it came, may be ""
  std::string query;     // without '?'

  static StatusOr<Url> Parse(std::string_view text);
  // Host and port, as in a Host header.
  std::string Authority() const;
  // Without userinfo: for messages and logs.
  std::string ToString() const;
};

}  // namespace aevum::net
