#include "web/index_page.h"

#include <cerrno>
#include <utility>

#include <fmt/format.h>
#include <sys/random.h>

#include "base/check.h"

namespace aevum::web {
namespace {

std::string EscapeAttribute(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

// Outside of strings JSON has none of these characters, and inside they may be written so.
std::string EscapeScript(std::string_view json) {
  std::string out;
  for (const char c : json) {
    if (c == '<' || c == '>' || c == '&') {
      out += fmt::format("\\u{:04x}", static_cast<unsigned char>(c));
    } else {
      out += c;
    }
  }
  return out;
}

}  // namespace

std::string MakeNonce() {
  unsigned char random[16];
  ssize_t got = 0;
  do {
    got = ::getrandom(random, sizeof random, 0);
  } while (got < 0 && errno == EINTR);
  // Linux gives up to 256 bytes at once or none, and fails only where the call is forbidden.
  AEVUM_CHECK(got == static_cast<ssize_t>(sizeof random));
  std::string text;
  for (const unsigned char byte : random) text += fmt::format("{:02x}", byte);
  return text;
}

std::string ContentSecurityPolicy(std::string_view nonce) {
  return fmt::format(
      "default-src 'none'; script-src 'self'; style-src 'self' 'nonce-{}'; connect-src 'self'; "
      "img-src 'self' data:; font-src 'self'; manifest-src 'self'; base-uri 'self'; "
      "frame-ancestors 'none'; form-action 'none'",
      nonce);
}

IndexPage::IndexPage(std::string_view html) {
  static constexpr std::pair<std::string_view, Place> kPlaces[] = {
      {"__AEVUM_NONCE__", Place::kNonce},
      {"__AEVUM_BASE__", Place::kBase},
      {"__AEVUM_CONFIG__", Place::kConfig},
  };
  while (true) {
    std::size_t at = html.size();
    std::size_t skip = 0;
    Place place = Place::kText;
    for (const auto& [name, which] : kPlaces) {
      const std::size_t found = html.substr(0, at).find(name);
      if (found == std::string_view::npos) continue;
      at = found;
      skip = name.size();
      place = which;
    }
    parts_.push_back({Place::kText, std::string(html.substr(0, at))});
    if (place == Place::kText) return;
    parts_.push_back({place, {}});
    html.remove_prefix(at + skip);
  }
}

std::string IndexPage::Fill(const PageValues& values) const {
  std::string out;
  for (const Part& part : parts_) {
    switch (part.place) {
      case Place::kText:
        out += part.text;
        break;
      case Place::kNonce:
        out += EscapeAttribute(values.nonce);
        break;
      case Place::kBase:
        out += EscapeAttribute(values.prefix + "/");
        break;
      case Place::kConfig:
        out += EscapeScript(values.config);
        break;
    }
  }
  return out;
}

}  // namespace aevum::web
