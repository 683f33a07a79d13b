// Which postings answer a set of matchers.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/context.h"
#include "base/status.h"
#include "model/matcher.h"
#include "tsdb/block_source.h"
#include "tsdb/posting_offsets.h"
#include "tsdb/postings.h"

namespace aevum::tsdb {

// One matcher, resolved against the values that a block has: the series with one of the labels of
// `keys`, or, when `subtract` is set, all but these. Borrows the names of the matchers and the
// values of the table.
struct PostingGroup {
  bool subtract = false;
  std::vector<PostingsKey> keys;
  const model::Matcher* matcher = nullptr;  // null for the group of all series
  // Its postings are not read: the matcher is applied to the series that the others select.
  bool lazy = false;

  // Of the postings in the index: four bytes a series.
  std::uint64_t bytes() const;
};

// The series that match are in each group that adds and in none that subtracts.
struct PostingGroups {
  bool none = false;                 // nothing can match; then there are no groups
  std::vector<PostingGroup> groups;  // those that add first, by size
};

// Resolves matchers. Where all of them would only subtract, a group of all series is put in front.
// A matcher that accepts the empty value and all values of the block makes no group.
StatusOr<PostingGroups> ResolveMatchers(const Context& context, const PostingOffsets& table,
                                        const model::Matchers& matchers);

// Reads the postings of all groups but the lazy ones, of which the first is none, and combines
// them.
StatusOr<Postings> SelectSeries(const Context& context, const PostingGroups& groups,
                                BlockSource& source);

}  // namespace aevum::tsdb
