// Queries that this querier does not evaluate, by a list in a file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/logging.h"
#include "base/mutex.h"
#include "base/status.h"
#include "model/matcher.h"
#include "promql/ast.h"
#include "promql/parser.h"

namespace prometheus {
class Counter;
class Gauge;
class Registry;
}  // namespace prometheus

namespace aevum::model {
class RegexMatcher;
}

namespace aevum::query {

// A list in YAML. Each entry has a reason and one of the other fields:
//
//     - query: sum(up)                  # this query, however it is spaced
//       reason: use job:up:sum
//     - pattern: '.*\[([3-9]\d|\d{3,})d\].*'   # RE2, the whole text
//       reason: at most 29 days
//     - matchers: ['{__name__=~".+"}']  # all matchers of one of these stand in a selector
//       reason: name a metric
//
// Immutable, hence safe to share between threads.
class RefusedQueries {
 public:
  // InvalidArgument with the line and the field. Empty text is an empty list.
  static StatusOr<RefusedQueries> Parse(std::string_view yaml, const promql::ParseOptions& options);

  enum class Kind : std::uint8_t { kQuery, kPattern, kMatchers };
  struct Entry {
    Kind kind = Kind::kQuery;
    std::string query;      // as it stands in the file
    std::string canonical;  // as the printer writes it
    std::shared_ptr<const model::RegexMatcher> pattern;
    std::vector<model::Matchers> selectors;
    std::string reason;
  };

  // The first entry that refuses the query, or null. `expr` is the parsed text; null when it does
  // not parse, then only its text is looked at.
  const Entry* Find(std::string_view text, const promql::Expr* expr) const;
  // The first entry whose `matchers` refuse a selector, or null.
  const Entry* FindSelector(const model::Matchers& selector) const;

  bool empty() const { return entries_.empty(); }
  std::size_t size() const { return entries_.size(); }

 private:
  friend class RefusedQueriesReader;
  std::vector<Entry> entries_;
};

// Such a list that follows its file. While the changed file can't be used, the last good list holds
// and the log says so once for each state of the file. Thread-safe.
//
// Metrics: aevum_query_refused_total by kind of entry, aevum_query_refused_entries,
// aevum_query_refused_last_reload_successful.
class RefusedQueriesFile {
 public:
  // The error names the file, the line and the field.
  static StatusOr<std::shared_ptr<RefusedQueriesFile>> Open(std::string path,
                                                            promql::ParseOptions options,
                                                            Logger logger,
                                                            prometheus::Registry& metrics);

  // FailedPrecondition with the reason when the list refuses the query. Looks at the file's time
  // and size, which costs a system call.
  Status Check(std::string_view query);
  // The same for the selectors of match[] parameters.
  Status CheckSelectors(const std::vector<model::Matchers>& selectors);

 private:
  struct FileState {
    std::int64_t modified_ns = 0;
    std::uint64_t size = 0;
    std::uint64_t inode = 0;
    bool operator==(const FileState&) const = default;
  };

  RefusedQueriesFile(std::string path, promql::ParseOptions options, Logger logger,
                     prometheus::Registry& metrics);
  std::shared_ptr<const RefusedQueries> Get();
  FileState Look() const;
  StatusOr<std::shared_ptr<const RefusedQueries>> Load() const;
  // Null: not refused.
  Status Answer(const RefusedQueries::Entry* entry);

  const std::string path_;
  const promql::ParseOptions options_;
  const Logger logger_;
  prometheus::Counter* refused_[3];
  prometheus::Gauge* entries_;
  prometheus::Gauge* reloaded_;
  Mutex mutex_;
  std::shared_ptr<const RefusedQueries> current_ AEVUM_GUARDED_BY(mutex_);
  FileState seen_ AEVUM_GUARDED_BY(mutex_);
};

}  // namespace aevum::query
