#include "model/relabel.h"

#include <array>
#include <fstream>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace aevum::model {
namespace {

using nlohmann::json;

Labels ReadLabels(const json& pairs) {
  std::vector<std::pair<std::string, std::string>> strings;
  for (const json& pair : pairs) strings.emplace_back(pair[0], pair[1]);
  std::vector<Label> labels;
  for (const auto& [name, value] : strings) labels.push_back({name, value});
  return Labels::FromUnsorted(std::move(labels));
}

int CheckVectors(std::istream& file) {
  int checked = 0;
  for (std::string line; std::getline(file, line);) {
    const json vector = json::parse(line);
    const std::string config = vector["config"];
    SCOPED_TRACE(config);
    const StatusOr<Relabeler> relabeler = Relabeler::Parse(config);
    const bool refused = vector.contains("error") && !vector["error"].is_null();
    EXPECT_EQ(relabeler.ok(), !refused) << relabeler.status();
    if (!relabeler.ok() || refused) continue;
    const std::array selector = {RelabelAction::kKeep, RelabelAction::kDrop,
                                 RelabelAction::kHashMod};
    EXPECT_EQ(relabeler->RestrictTo(selector).ok(), vector["selector_accepts"].get<bool>());
    for (const json& c : vector["cases"]) {
      const std::optional<Labels> got = relabeler->Process(ReadLabels(c["in"]));
      EXPECT_EQ(got.has_value(), c["keep"].get<bool>()) << c;
      if (got.has_value() && c["keep"].get<bool>()) {
        EXPECT_EQ(*got, ReadLabels(c["out"])) << c << got->ToString();
      }
      ++checked;
    }
  }
  return checked;
}

TEST(RelabelerTest, ChangesLabelsAsPrometheus) {
  std::ifstream file(std::string(AEVUM_SOURCE_DIR) + "/src/model/testdata/relabel.jsonl");
  EXPECT_GT(CheckVectors(file), 100);
}

TEST(RelabelerTest, ChangesAllLabelsAsPrometheus) {
  std::ifstream file(std::string(AEVUM_SHARED_DIR) + "/golden/vectors/relabel/relabel.jsonl");
  if (!file) GTEST_SKIP() << "the large set of vectors is not here";
  EXPECT_GT(CheckVectors(file), 500);
}

TEST(RelabelerTest, NamesTheRuleThatIsWrong) {
  const Status status =
      Relabeler::Parse("- action: keep\n- action: hashmod\n  target_label: x\n").status();
  EXPECT_EQ(status.message(),
            "relabel rule 2 (line 2): relabel configuration for hashmod requires non-zero modulus");
  EXPECT_FALSE(Relabeler::Parse("- [").ok());
}

}  // namespace
}  // namespace aevum::model
