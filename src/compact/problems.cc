#include "compact/problems.h"

#include <algorithm>

namespace aevum::compact {
namespace {

// A bucket where everything is damaged does not fill the memory.
constexpr std::size_t kMaxProblems = 10'000;

}  // namespace

void Problems::Report(const std::string& about, const Status& why) {
  {
    MutexLock lock(mutex_);
    const std::string what(why.message());
    const auto known = problems_.find(about);
    if (known != problems_.end() && known->second.what == what) return;
    if (known == problems_.end() && problems_.size() >= kMaxProblems) {
      problems_.erase(std::ranges::min_element(
          problems_, {}, [](const auto& entry) { return entry.second.since_ms; }));
    }
    problems_[about] = {.what = what, .since_ms = clock_.NowMs()};
    on_count_(problems_.size());
  }
  logger_.Error("left out, the rest goes on", {{"about", about}, {"err", why}});
}

void Problems::Resolve(const std::string& about) {
  MutexLock lock(mutex_);
  if (problems_.erase(about) > 0) on_count_(problems_.size());
}

std::map<std::string, Problem> Problems::List() const {
  MutexLock lock(mutex_);
  return problems_;
}

}  // namespace aevum::compact
