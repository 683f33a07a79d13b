// Label names of any UTF-8 that were written with the letters of the old charset.
#pragma once

#include <string>
#include <string_view>

namespace aevum::model {

// Undoes the escaping "values" of Prometheus 3, in which clients write names where only letters,
// digits and underscores may stand: after "U__" a double underscore is one, and _3f_ is the
// character with that hexadecimal code. A name that is not written so is given back as it is.
std::string UnescapeName(std::string_view name);

}  // namespace aevum::model
