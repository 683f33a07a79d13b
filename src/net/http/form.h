// What a request carries as text: query strings and forms, and the preferences of Accept headers.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/status.h"

namespace aevum::net {

// Appends the pairs of a query string or a form, decoded, in order. Empty pairs are skipped, a name
// without '=' has the value "". InvalidArgument for a '%' without two hex digits, and when `out`
// would hold more than `max_pairs`.
Status ParseForm(std::string_view text, std::size_t max_pairs,
                 std::vector<std::pair<std::string, std::string>>* out);

// The weight, 0 to 1000, that an Accept or Accept-Encoding header gives to `wanted`, which must be
// lower case: of its own entry, else of '*' (or '*/*', 'type/*'). -1 when nothing speaks of it.
// Parameters but q are ignored; an entry with a bad q counts as absent.
int AcceptWeight(std::string_view header, std::string_view wanted);

// Whether an answer may be compressed with gzip: named or matched by '*', with a weight above 0.
bool AcceptsGzip(std::string_view accept_encoding);

// ASCII comparison without regard to case.
bool EqualsIgnoreCase(std::string_view a, std::string_view b);
std::string ToLower(std::string_view text);
// Without spaces and tabs at the ends.
std::string_view TrimBlanks(std::string_view text);

}  // namespace aevum::net
