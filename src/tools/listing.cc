#include "tools/listing.h"

#include <fmt/core.h>

#include "base/duration.h"
#include "tools/show.h"

namespace aevum::tools {

StatusOr<BlockForm> BlockForm::Parse(std::string_view output) {
  BlockForm form;
  if (output == "wide") {
    form.kind_ = Kind::kWide;
  } else if (output == "json") {
    form.kind_ = Kind::kJson;
  } else if (!output.empty()) {
    form.kind_ = Kind::kTemplate;
    StatusOr<MetaTemplate> parsed = MetaTemplate::Parse(output);
    if (!parsed.ok()) return Annotate(parsed.status(), "--output");
    form.template_ = *std::move(parsed);
  }
  return form;
}

std::string BlockForm::Show(const block::Meta& meta) const {
  switch (kind_) {
    case Kind::kId:
      break;
    case Kind::kWide:
      return fmt::format("{} -- {} - {} Diff: {}, Compaction: {}, Downsample: {}, Source: {}\n",
                         meta.ulid.ToString(), ShowSecond(meta.min_time), ShowSecond(meta.max_time),
                         FormatGoDuration(std::chrono::seconds(meta.max_time / 1000) -
                                          std::chrono::seconds(meta.min_time / 1000)),
                         meta.compaction.level, meta.resolution_ms, meta.source);
    case Kind::kJson:
      return meta.Write();
    case Kind::kTemplate:
      return template_->Show(meta) + "\n";
  }
  return meta.ulid.ToString() + "\n";
}

}  // namespace aevum::tools
