#include "promql/engine/select_sharing.h"

#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/memory_budget.h"
#include "promql/memory_storage.h"

namespace aevum::promql {
namespace {

constexpr SelectHints kHints{.start_ms = 0, .end_ms = 1000, .step_ms = 0, .range_ms = 0};

// Counts what is read; series come without the label `replica`, whatever it selects.
class CountingSource final : public Queryable {
 public:
  CountingSource() {
    for (const char* name : {"a", "b"}) {
      for (const char* x : {"1", "2", "3"})
        storage_.Append(model::Labels::Of({{"__name__", name}, {"x", x}}), 10, 1);
    }
  }
  StatusOr<std::unique_ptr<SelectStream>> Select(const Context& context,
                                                 const model::Matchers& matchers,
                                                 const SelectHints& hints) override {
    selects.push_back(model::ToString(matchers));
    return storage_.Select(context, matchers, hints);
  }
  bool MatchesOnLabels(std::string_view label) const override { return label != "replica"; }

  std::vector<std::string> selects;

 private:
  MemoryStorage storage_{1};
};

model::Matchers Of(std::initializer_list<std::pair<const char*, const char*>> pairs) {
  model::Matchers matchers;
  for (const auto& [name, value] : pairs) matchers.push_back(model::Matcher::Equal(name, value));
  return matchers;
}

// The labels of all series of a ticket.
std::string Read(SelectSharing::Ticket& ticket, const Context& context = Context::Background()) {
  auto stream = ticket.Open(context);
  if (!stream.ok()) return stream.status().ToString();
  std::string text;
  while (true) {
    auto batch = (*stream)->Next();
    if (!batch.ok()) return batch.status().ToString();
    if (*batch == nullptr) return text;
    for (std::size_t i = 0; i < (*batch)->size(); ++i) {
      chunk::Columns columns;
      EXPECT_TRUE((*batch)->Decode(i, &columns).ok());
      EXPECT_EQ(columns.times.size(), 1U);
      text += (*batch)->labels(i).Get("__name__");
      text += (*batch)->labels(i).Get("x");
      text += " ";
    }
  }
}

TEST(SelectSharingTest, ReadsOnceWhatTwoWant) {
  CountingSource source;
  SelectSharing sharing(source);
  const auto first = sharing.Expect(Of({{"__name__", "a"}}), kHints);
  const auto second = sharing.Expect(Of({{"__name__", "a"}}), kHints);
  EXPECT_EQ(Read(*first), "a1 a2 a3 ");
  EXPECT_EQ(Read(*second), "a1 a2 a3 ");
  EXPECT_EQ(source.selects.size(), 1U);
}

TEST(SelectSharingTest, TheWiderServesTheNarrowerInAnyOrder) {
  for (const bool narrow_first : {false, true}) {
    CountingSource source;
    SelectSharing sharing(source);
    const auto wide = sharing.Expect(Of({{"__name__", "a"}}), kHints);
    const auto narrow = sharing.Expect(Of({{"x", "2"}, {"__name__", "a"}}), kHints);
    const auto narrower = sharing.Expect(Of({{"x", "7"}, {"__name__", "a"}}), kHints);
    EXPECT_EQ(Read(narrow_first ? *narrow : *wide), narrow_first ? "a2 " : "a1 a2 a3 ");
    EXPECT_EQ(Read(narrow_first ? *wide : *narrow), narrow_first ? "a1 a2 a3 " : "a2 ");
    EXPECT_EQ(Read(*narrower), "");
    EXPECT_EQ(source.selects.size(), 1U);
  }
}

TEST(SelectSharingTest, OthersReadForThemselves) {
  CountingSource source;
  SelectSharing sharing(source);
  SelectHints longer = kHints;
  longer.start_ms = -1000;
  SelectHints of_rate = kHints;
  of_rate.function = "rate";
  std::vector<std::unique_ptr<SelectSharing::Ticket>> tickets;
  tickets.push_back(sharing.Expect(Of({{"__name__", "a"}}), kHints));
  tickets.push_back(sharing.Expect(Of({{"__name__", "b"}}), kHints));
  tickets.push_back(sharing.Expect(Of({{"__name__", "a"}}), longer));
  // Downsampled data has other samples for other functions.
  tickets.push_back(sharing.Expect(Of({{"__name__", "a"}}), of_rate));
  // Which series are of a replica their labels do not tell.
  tickets.push_back(sharing.Expect(Of({{"replica", "1"}, {"__name__", "a"}}), kHints));
  for (const auto& ticket : tickets) Read(*ticket);
  EXPECT_EQ(source.selects.size(), 5U);
}

TEST(SelectSharingTest, WhoIsAloneKeepsNothing) {
  CountingSource source;
  SelectSharing sharing(source);
  auto second = sharing.Expect(Of({{"__name__", "a"}}), kHints);
  const auto first = sharing.Expect(Of({{"__name__", "a"}}), kHints);
  second.reset();
  auto budget = std::make_shared<MemoryBudget>("query", 1 << 20);
  EXPECT_EQ(Read(*first, Context::Background().WithBudget(budget)), "a1 a2 a3 ");
  EXPECT_EQ(budget->peak_bytes(), 0);
}

TEST(SelectSharingTest, IsChargedUntilTheLastHasRead) {
  CountingSource source;
  SelectSharing sharing(source);
  const auto first = sharing.Expect(Of({{"__name__", "a"}}), kHints);
  const auto second = sharing.Expect(Of({{"__name__", "a"}}), kHints);
  auto budget = std::make_shared<MemoryBudget>("query", 1 << 20);
  const Context context = Context::Background().WithBudget(budget);
  Read(*first, context);
  EXPECT_GT(budget->used_bytes(), 0);
  Read(*second, context);
  EXPECT_EQ(budget->used_bytes(), 0);
}

TEST(SelectSharingTest, WithoutMemoryEachReadsForItself) {
  CountingSource source;
  SelectSharing sharing(source);
  const auto first = sharing.Expect(Of({{"__name__", "a"}}), kHints);
  const auto second = sharing.Expect(Of({{"__name__", "a"}}), kHints);
  auto budget = std::make_shared<MemoryBudget>("query", 100);
  const Context context = Context::Background().WithBudget(budget);
  EXPECT_EQ(Read(*first, context), "a1 a2 a3 ");
  EXPECT_EQ(Read(*second, context), "a1 a2 a3 ");
  EXPECT_EQ(source.selects.size(), 2U);
  EXPECT_EQ(budget->used_bytes(), 0);
}

}  // namespace
}  // namespace aevum::promql
