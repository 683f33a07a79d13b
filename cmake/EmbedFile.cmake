# cmake -D INPUT=file -D OUTPUT=x.cc -D NAME=ns::kName -P EmbedFile.cmake
# Writes a source that defines `const std::string_view NAME`, the bytes of the file.
file(READ "${INPUT}" bytes HEX)
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "\\\\x\\1" bytes "${bytes}")
# One literal a line: an escape takes all hexadecimal digits that follow it.
string(REGEX REPLACE "((\\\\x[0-9a-f][0-9a-f])(\\\\x[0-9a-f][0-9a-f])?(\\\\x[0-9a-f][0-9a-f])?(\\\\x[0-9a-f][0-9a-f])?(\\\\x[0-9a-f][0-9a-f])?(\\\\x[0-9a-f][0-9a-f])?(\\\\x[0-9a-f][0-9a-f])?(\\\\x[0-9a-f][0-9a-f])?)" "    \"\\1\"\n" bytes "${bytes}")
string(REGEX REPLACE "::[^:]*$" "" namespace "${NAME}")
string(REGEX REPLACE "^.*::" "" constant "${NAME}")
file(SIZE "${INPUT}" size)
file(WRITE "${OUTPUT}" "#include <string_view>

namespace ${namespace} {

extern const std::string_view ${constant};
const std::string_view ${constant}(
${bytes}    , ${size});

}  // namespace ${namespace}
")
