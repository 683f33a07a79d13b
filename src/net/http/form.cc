#include "net/http/form.h"

#include <algorithm>

#include "net/url.h"

namespace aevum::net {
namespace {

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

// RFC 9110: "0" to "1" with at most three decimals. -1 when it is not one.
int ParseWeight(std::string_view text) {
  if (text.empty() || (text[0] != '0' && text[0] != '1')) return -1;
  if (text.size() > 5 || (text.size() > 1 && text[1] != '.')) return -1;
  int weight = (text[0] - '0') * 1000;
  int unit = 100;
  for (std::size_t i = 2; i < text.size(); ++i, unit /= 10) {
    if (text[i] < '0' || text[i] > '9') return -1;
    weight += (text[i] - '0') * unit;
  }
  return weight <= 1000 ? weight : -1;
}

// 0: does not match; higher is more specific.
int Specificity(std::string_view range, std::string_view wanted) {
  if (EqualsIgnoreCase(range, wanted)) return 3;
  if (range == "*" || range == "*/*") return 1;
  if (range.ends_with("/*") && wanted.size() >= range.size() - 1 &&
      EqualsIgnoreCase(range.substr(0, range.size() - 1), wanted.substr(0, range.size() - 1))) {
    return 2;
  }
  return 0;
}

std::string_view NextPiece(std::string_view& rest, char separator) {
  const std::size_t end = std::min(rest.find(separator), rest.size());
  const std::string_view piece = TrimBlanks(rest.substr(0, end));
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return piece;
}

}  // namespace

bool EqualsIgnoreCase(std::string_view a, std::string_view b) {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(),
                                            [](char x, char y) { return Lower(x) == Lower(y); });
}

std::string ToLower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), Lower);
  return out;
}

std::string_view TrimBlanks(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

Status ParseForm(std::string_view text, std::size_t max_pairs,
                 std::vector<std::pair<std::string, std::string>>* out) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('&'), text.size());
    const std::string_view pair = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (pair.empty()) continue;
    if (out->size() >= max_pairs) return InvalidArgument("more than {} parameters", max_pairs);
    const std::size_t equals = pair.find('=');
    ASSIGN_OR_RETURN(std::string name, PercentDecode(pair.substr(0, equals), true));
    std::string value;
    if (equals != std::string_view::npos) {
      ASSIGN_OR_RETURN(value, PercentDecode(pair.substr(equals + 1), true));
    }
    out->emplace_back(std::move(name), std::move(value));
  }
  return OkStatus();
}

int AcceptWeight(std::string_view header, std::string_view wanted) {
  int best_specificity = 0;
  int best_weight = -1;
  while (!header.empty()) {
    std::string_view entry = NextPiece(header, ',');
    const std::string_view range = NextPiece(entry, ';');
    int weight = 1000;
    while (!entry.empty()) {
      const std::string_view parameter = NextPiece(entry, ';');
      if (parameter.size() >= 2 && Lower(parameter[0]) == 'q' && parameter[1] == '=') {
        weight = ParseWeight(parameter.substr(2));
      }
    }
    if (weight < 0) continue;
    const int specificity = Specificity(range, wanted);
    if (specificity == 0 || specificity < best_specificity) continue;
    best_weight = specificity > best_specificity ? weight : std::max(weight, best_weight);
    best_specificity = specificity;
  }
  return best_weight;
}

bool AcceptsGzip(std::string_view accept_encoding) {
  return AcceptWeight(accept_encoding, "gzip") > 0;
}

}  // namespace aevum::net
