#include "model/escaped_name.h"

#include <gtest/gtest.h>

namespace aevum::model {
namespace {

TEST(UnescapeNameTest, ReadsWhatPrometheusWrites) {
  struct Case {
    const char* escaped;
    const char* name;
  };
  const Case cases[] = {
      {"job", "job"},
      {"U__", ""},
      {"U__zone_2e_code", "zone.code"},
      {"U___433__43e__440__43e__434_", "город"},
      {"U__a__b", "a_b"},
      {"U___1F642_", "🙂"},
      // Not written so: as they are.
      {"U_", "U_"},
      {"U__a_", "U__a_"},
      {"U__a_2", "U__a_2"},
      {"U__a_zz_", "U__a_zz_"},
      {"U__a_-2_", "U__a_-2_"},
      {"U__a_d800_", "U__a_d800_"},
      {"U__a_110000_", "U__a_110000_"},
      {"U__a_0000041_", "U__a_0000041_"},
  };
  for (const Case& c : cases) EXPECT_EQ(UnescapeName(c.escaped), c.name) << c.escaped;
}

}  // namespace
}  // namespace aevum::model
