// Well-typed PromQL made at random over the series of MakeTestData.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "promql/parser.h"

namespace aevum::promql::differential {

struct Query {
  std::string text;
  bool instant = false;
  TimestampMs start = 0;  // of an instant query its time
  TimestampMs end = 0;
  std::int64_t step = 1;

  std::string ToString() const;
};

// What the queries need of the parser.
inline constexpr ParseOptions kParseOptions = {.experimental_functions = true,
                                               .fill_modifiers = true};

// Knows every function, operator and modifier that both evaluators know. Depth is bounded, and most
// queries find series: operands of binary operators are made to match more often than not.
//
// Thread-compatible; the same queries for the same seed and compiler.
class QueryGenerator {
 public:
  explicit QueryGenerator(std::uint64_t seed) : random_(seed) {}

  Query Next();

 private:
  using Words = std::initializer_list<std::string_view>;

  double Uniform() { return static_cast<double>(random_() >> 11) * 0x1p-53; }
  bool Chance(double probability) { return Uniform() < probability; }
  int Below(int end) { return static_cast<int>(Uniform() * end); }
  std::string Pick(Words words);

  std::string Vector(int depth);
  std::string Leaf();
  std::string Selector(std::string_view metric);
  std::string Modifiers();
  std::string AnyMetric();
  std::string Matchers(std::string_view metric);

  std::string Range(std::string_view metric);
  std::string Matrix(int depth);
  std::string WindowFunction(const std::string& matrix, int depth);

  std::string Aggregation(int depth);
  std::string Grouping();
  std::string ValueCall(int depth);
  std::string LabelCall(int depth);
  std::string HistogramCall(int depth);
  std::string OtherCall(int depth);

  std::string Binary(int depth);
  std::string OneToOne(int depth);
  std::string ManyToOne(int depth);
  std::string AnyMatching(int depth);
  std::string SetOperation(int depth);
  std::string WithScalar(int depth);
  std::string Operator();
  std::string Fill();

  std::string Scalar(int depth);
  std::string Number();
  std::string Rank(int depth);
  std::string Limit(int depth);
  std::string Factor();

  std::mt19937_64 random_;
};

}  // namespace aevum::promql::differential
