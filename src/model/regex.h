// Regular expressions of matchers: anchored, in RE2's syntax, reached only after cheaper paths.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace re2 {
class RE2;
}

namespace aevum::model {

// Compiles an expression anchored at both ends where '.' matches a line break, as Prometheus does.
// InvalidArgument with RE2's reason when it does not compile.
StatusOr<std::unique_ptr<re2::RE2>> CompileAnchored(std::string_view pattern);

// An expression anchored at both ends where '.' matches a line break, as Prometheus compiles it.
// Immutable, hence safe to share between threads.
class RegexMatcher {
 public:
  // InvalidArgument when it does not compile.
  static StatusOr<std::shared_ptr<const RegexMatcher>> Compile(std::string_view pattern);
  ~RegexMatcher();

  bool Matches(std::string_view value) const;
  // The values it matches when they are finitely many and few, sorted; else empty.
  const std::vector<std::string>& set_matches() const { return set_; }

 private:
  // What decides, cheapest first; kRe2 is the general case.
  enum class Path : std::uint8_t { kSet, kAnything, kNotEmpty, kPrefix, kSuffix, kContains, kRe2 };

  RegexMatcher() = default;
  void ChoosePath(std::string_view pattern);

  Path path_ = Path::kRe2;
  std::string literal_;           // of kPrefix, kSuffix, kContains
  bool needs_more_ = false;       // the wildcard beside the literal is .+ and not .*
  std::vector<std::string> set_;  // of kSet, sorted
  std::string required_prefix_;   // of kRe2: a value without it can't match
  std::unique_ptr<re2::RE2> re2_;
};

}  // namespace aevum::model
