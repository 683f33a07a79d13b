// `tools bucket ls`: the blocks of a bucket, a line or an object each.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/status.h"
#include "block/meta.h"
#include "tools/meta_template.h"

namespace aevum::tools {

// How a block is shown: "" is its ULID, "wide" a line with times and origin, "json" its meta.json,
// anything else a template over it.
class BlockForm {
 public:
  // InvalidArgument when a template can't be read.
  static StatusOr<BlockForm> Parse(std::string_view output);

  // With a line break at the end.
  std::string Show(const block::Meta& meta) const;

 private:
  enum class Kind : std::uint8_t { kId, kWide, kJson, kTemplate };
  Kind kind_ = Kind::kId;
  std::optional<MetaTemplate> template_;
};

}  // namespace aevum::tools
