// Which postings are better not read: those of groups that cost more than the series they spare.
#pragma once

#include <cstddef>
#include <cstdint>

#include "tsdb/posting_groups.h"

namespace aevum::storegateway {

struct LazyPostingsOptions {
  bool enabled = false;
  // A group with more keys than so many for each series that the request is thought to select is
  // lazy; 0: never for that reason.
  double max_keys_per_series = 100;
};

// What was left out, and why, as the label `reason` names it.
struct LazyPostings {
  std::size_t too_many_keys = 0;  // keys_limit
  std::size_t too_large = 0;      // postings_size
  std::uint64_t bytes = 0;        // of the postings

  std::size_t groups() const { return too_many_keys + too_large; }
};

// Marks groups as lazy. The smallest group that adds is always read; of the others, from the
// smallest on, each is expected to halve the series that are left, and is read while its postings
// are fewer bytes than the entries of the series that it spares, `series_bytes` each. All behind
// the first that is not are lazy. Nothing is marked where no matcher adds series.
LazyPostings MarkLazyGroups(const LazyPostingsOptions& options, std::uint64_t series_bytes,
                            tsdb::PostingGroups* groups);

}  // namespace aevum::storegateway
