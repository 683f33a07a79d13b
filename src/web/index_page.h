// The one HTML page of the web application, filled in for a request.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace aevum::web {

// What differs from answer to answer.
struct PageValues {
  std::string nonce;   // of the answer alone: letters and digits
  std::string prefix;  // "" or "/prefix": where the browser sees the pages
  // What the application reads in the element #aevum-config: a JSON object.
  std::string config;
};

// A random nonce of 128 bits, as hexadecimal digits.
std::string MakeNonce();

// The header Content-Security-Policy of a page with that nonce: everything from this server alone,
// no script in the page, styles in the page only with the nonce, in nobody's frame.
std::string ContentSecurityPolicy(std::string_view nonce);

// The template, cut at its placeholders: __AEVUM_NONCE__ and __AEVUM_BASE__ in attributes,
// __AEVUM_CONFIG__ as the text of a script element. Immutable, hence safe to share between threads.
class IndexPage {
 public:
  explicit IndexPage(std::string_view html);

  // Values are escaped for where they stand, so that none can end its attribute or element.
  std::string Fill(const PageValues& values) const;

 private:
  enum class Place : std::uint8_t { kText, kNonce, kBase, kConfig };
  struct Part {
    Place place;
    std::string text;  // of kText
  };
  std::vector<Part> parts_;
};

}  // namespace aevum::web
