#include "tools/listing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "block/testing/blocks.h"

namespace aevum::tools {
namespace {

using ::testing::HasSubstr;

block::Meta Example() {
  block::Meta meta = block::testing::MakeMeta(1);
  meta.min_time = 1'780'358'414'162;
  meta.max_time = 1'780'365'600'000;
  meta.stats.series = 163;
  meta.labels = {{"cluster", "us1"}, {"replica", "0"}};
  return meta;
}

std::string Show(std::string_view output) {
  const StatusOr<BlockForm> form = BlockForm::Parse(output);
  return form.ok() ? form->Show(Example()) : std::string(form.status().message());
}

TEST(BlockFormTest, ShowsBlocksInEachForm) {
  const std::string id = Example().ulid.ToString();
  EXPECT_EQ(Show(""), id + "\n");
  EXPECT_EQ(Show("wide"),
            id + " -- 2026-06-02T00:00:14Z - 2026-06-02T02:00:00Z Diff: 1h59m46s, Compaction: 1, "
                 "Downsample: 0, Source: sidecar\n");
  EXPECT_EQ(Show("json"), Example().Write());
}

TEST(BlockFormTest, FillsTemplates) {
  struct Case {
    std::string_view output;
    std::string_view shown;
  };
  const Case cases[] = {
      {"{{ .MinTime }} {{.Stats.NumSeries}} {{ .Thanos.Labels }}",
       "1780358414162 163 map[cluster:us1 replica:0]\n"},
      {"{{ .BlockMeta.MaxTime }}{{/* why */}}", "1780365600000\n"},
      {"a  {{- .Compaction.Level -}}  b", "a1b\n"},
      {"{{ .Compaction.Failed }} {{ .Thanos.Downsample.Resolution }} {{ .Version }}",
       "false 0 1\n"},
      {"{{ .Thanos.Labels.cluster }} {{ .Thanos.Labels.none }}", "us1 <no value>\n"},
      {"no field", "no field\n"},
  };
  for (const Case& c : cases) EXPECT_EQ(Show(c.output), c.shown) << c.output;
}

TEST(BlockFormTest, RefusesTemplatesThatItCanNotRead) {
  EXPECT_THAT(Show("{{ .ULID"), HasSubstr("--output: a template with {{ and no }}"));
  EXPECT_THAT(Show("{{ .Nothing }}"), HasSubstr("a block has no field .Nothing; it has .ULID"));
  EXPECT_THAT(Show("{{ range .Thanos.Files }}"), HasSubstr("not supported in a template"));
  EXPECT_THAT(Show("{{ .ULID | len }}"), HasSubstr("not supported in a template"));
}

}  // namespace
}  // namespace aevum::tools
