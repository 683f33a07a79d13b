// Templates over meta.json, in the notation of Go's text/template: "{{ .ULID }} {{ .MinTime }}".
#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/status.h"
#include "block/meta.h"

namespace aevum::tools {

// Text with the fields of a block in it, by the names of Thanos's Go structs: .ULID, .MinTime,
// .MaxTime, .Version, .Stats.NumSeries, .Compaction.Level, .Thanos.Labels and so on; {{- and -}}
// take the white space beside them away, {{/* */}} is a comment. Values look as Go prints them:
// lists as [a b], maps as map[a:b]. Functions, variables, conditions and loops are not supported.
// Immutable.
class MetaTemplate {
 public:
  // InvalidArgument names what can't be read, or the field that there is not.
  static StatusOr<MetaTemplate> Parse(std::string_view text);

  std::string Show(const block::Meta& meta) const;

 private:
  using Getter = std::string (*)(const block::Meta& meta);
  struct LabelValue {
    std::string name;
  };
  using Piece = std::variant<std::string, Getter, LabelValue>;

  static StatusOr<Piece> ParseField(std::string_view path);

  std::vector<Piece> pieces_;
};

}  // namespace aevum::tools
