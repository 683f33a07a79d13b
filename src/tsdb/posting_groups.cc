#include "tsdb/posting_groups.h"

#include <algorithm>
#include <string>
#include <utility>

namespace aevum::tsdb {
namespace {

using model::Matcher;
using model::MatchType;

// A scan over the values of a name asks the context as often.
constexpr std::size_t kValuesBetweenChecks = 1 << 14;

void AddValue(const PostingOffsets& table, const Matcher& matcher, std::string_view wanted,
              PostingGroup* group) {
  table.ForEachValue(matcher.name(), wanted,
                     [&](std::string_view value, const PostingsRange& range) {
                       if (value == wanted) group->keys.push_back({matcher.name(), value, range});
                       return false;
                     });
}

// The values that the matcher accepts or, for one that subtracts, those that it refuses.
Status ScanValues(const Context& context, const PostingOffsets& table, const Matcher& matcher,
                  PostingGroup* group) {
  std::size_t seen = 0;
  Status status;
  table.ForEachValue(matcher.name(), "", [&](std::string_view value, const PostingsRange& range) {
    if (matcher.Matches(value) != group->subtract)
      group->keys.push_back({matcher.name(), value, range});
    if (++seen % kValuesBetweenChecks == 0) status = context.status();
    return status.ok();
  });
  return status;
}

Status Resolve(const Context& context, const PostingOffsets& table, const Matcher& matcher,
               PostingGroup* group) {
  group->subtract = matcher.MatchesEmpty();
  const bool names_refused =
      matcher.type() == MatchType::kNotEqual || matcher.type() == MatchType::kNotRegex;
  const bool knows_values = names_refused == group->subtract;
  if (knows_values && matcher.type() != MatchType::kRegex &&
      matcher.type() != MatchType::kNotRegex) {
    AddValue(table, matcher, matcher.value(), group);
    return OkStatus();
  }
  if (knows_values && !matcher.set_matches().empty()) {
    for (const std::string& value : matcher.set_matches()) AddValue(table, matcher, value, group);
    return OkStatus();
  }
  return ScanValues(context, table, matcher, group);
}

}  // namespace

std::uint64_t PostingGroup::bytes() const {
  std::uint64_t bytes = 0;
  for (const PostingsKey& key : keys) bytes += key.range.size();
  return bytes;
}

StatusOr<PostingGroups> ResolveMatchers(const Context& context, const PostingOffsets& table,
                                        const model::Matchers& matchers) {
  PostingGroups resolved;
  bool adds = false;
  for (const model::Matcher& matcher : matchers) {
    PostingGroup group{.matcher = &matcher};
    RETURN_IF_ERROR(Resolve(context, table, matcher, &group));
    if (group.keys.empty() && group.subtract) continue;
    if (group.keys.empty()) {
      resolved.none = true;
      resolved.groups.clear();
      return resolved;
    }
    adds |= !group.subtract;
    resolved.groups.push_back(std::move(group));
  }
  if (!adds) {
    const std::optional<PostingsRange> all = table.Find("", "");
    if (!all) {
      resolved.none = true;
      resolved.groups.clear();
      return resolved;
    }
    resolved.groups.push_back({.keys = {{"", "", *all}}});
  }
  std::sort(resolved.groups.begin(), resolved.groups.end(),
            [](const PostingGroup& a, const PostingGroup& b) {
              return std::pair(a.subtract, a.bytes()) < std::pair(b.subtract, b.bytes());
            });
  return resolved;
}

StatusOr<Postings> SelectSeries(const Context& context, const PostingGroups& groups,
                                BlockSource& source) {
  if (groups.none) return Postings();
  std::vector<PostingsKey> keys;
  for (const PostingGroup& group : groups.groups) {
    if (!group.lazy) keys.insert(keys.end(), group.keys.begin(), group.keys.end());
  }
  ASSIGN_OR_RETURN(const Pieces pieces, source.ReadPostings(context, keys));

  Postings selected;
  std::size_t at = 0;
  for (const PostingGroup& group : groups.groups) {
    RETURN_IF_ERROR(context.status());
    if (group.lazy) continue;
    std::vector<Postings> lists;
    lists.reserve(group.keys.size());
    for (std::size_t i = 0; i < group.keys.size(); ++i, ++at) {
      StatusOr<Postings> list = DecodePostings(pieces.bytes[at]);
      if (!list.ok()) {
        return Annotate(list.status(),
                        fmt::format("postings of {}=\"{}\" at offset {} of the index",
                                    keys[at].name, keys[at].value, keys[at].range.begin));
      }
      lists.push_back(*std::move(list));
    }
    Postings united = lists.size() == 1 ? std::move(lists.front()) : Unite(lists);
    if (&group == &groups.groups.front()) {
      selected = std::move(united);
    } else {
      selected = group.subtract ? Subtract(selected, united) : Intersect(selected, united);
    }
  }
  return selected;
}

}  // namespace aevum::tsdb
