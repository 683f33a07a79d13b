#include "tsdb/postings.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <iterator>

#include "tsdb/index_toc.h"

namespace aevum::tsdb {
namespace {

// From this ratio of lengths on a search in the longer list beats a walk.
constexpr std::size_t kGallopRatio = 16;
// A bitmap costs a word for 64 references, whether they are there or not.
constexpr std::size_t kDenseRatio = 32;

SeriesRef ReadRef(const char* bytes) {
  SeriesRef value;
  std::memcpy(&value, bytes, sizeof value);
  if constexpr (std::endian::native == std::endian::little) value = __builtin_bswap32(value);
  return value;
}

// The first position from `from` on whose reference is not below `wanted`.
std::size_t Gallop(std::span<const SeriesRef> list, std::size_t from, SeriesRef wanted) {
  std::size_t step = 1;
  std::size_t low = from;
  while (low + step < list.size() && list[low + step] < wanted) {
    low += step;
    step *= 2;
  }
  const auto end = std::min(low + step + 1, list.size());
  return static_cast<std::size_t>(std::lower_bound(list.begin() + static_cast<std::ptrdiff_t>(low),
                                                   list.begin() + static_cast<std::ptrdiff_t>(end),
                                                   wanted) -
                                  list.begin());
}

Postings UniteDense(std::span<const Postings> lists, SeriesRef first, SeriesRef last,
                    std::size_t total) {
  std::vector<std::uint64_t> bits((last - first) / 64 + 1);
  for (const Postings& list : lists) {
    for (const SeriesRef ref : list)
      bits[(ref - first) / 64] |= std::uint64_t{1} << (ref - first) % 64;
  }
  Postings united;
  united.reserve(std::min<std::size_t>(total, std::size_t{last} - first + 1));
  for (std::size_t word = 0; word < bits.size(); ++word) {
    for (std::uint64_t left = bits[word]; left != 0; left &= left - 1) {
      united.push_back(first +
                       static_cast<SeriesRef>(word * 64 + std::size_t(std::countr_zero(left))));
    }
  }
  return united;
}

}  // namespace

StatusOr<Postings> DecodePostings(std::string_view section) {
  ASSIGN_OR_RETURN(const std::string_view content, SectionContent(section, "postings"));
  if (content.size() < sizeof(SeriesRef)) return Corruption("postings without a count");
  const std::size_t count = ReadRef(content.data());
  if (content.size() != (count + 1) * sizeof(SeriesRef))
    return Corruption("postings with {} references in {} bytes", count, content.size());
  Postings postings(count);
  const char* next = content.data() + sizeof(SeriesRef);
  for (std::size_t i = 0; i < count; ++i) postings[i] = ReadRef(next + i * sizeof(SeriesRef));
  bool rises = true;
  for (std::size_t i = 1; i < count; ++i) rises &= postings[i - 1] < postings[i];
  if (!rises) return Corruption("postings whose {} references do not rise", count);
  return postings;
}

Postings Intersect(std::span<const SeriesRef> a, std::span<const SeriesRef> b) {
  if (a.size() > b.size()) std::swap(a, b);
  Postings both;
  both.reserve(a.size());
  if (b.size() / kGallopRatio < a.size()) {
    std::set_intersection(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(both));
    return both;
  }
  std::size_t at = 0;
  for (const SeriesRef ref : a) {
    at = Gallop(b, at, ref);
    if (at == b.size()) break;
    if (b[at] == ref) both.push_back(ref);
  }
  return both;
}

bool Overlap(std::span<const SeriesRef> a, std::span<const SeriesRef> b) {
  std::size_t i = 0;
  std::size_t j = 0;
  while (i < a.size()) {
    j = Gallop(b, j, a[i]);
    if (j == b.size()) return false;
    if (b[j] == a[i]) return true;
    i = Gallop(a, i, b[j]);
  }
  return false;
}

Postings Subtract(std::span<const SeriesRef> a, std::span<const SeriesRef> b) {
  Postings left;
  left.reserve(a.size());
  if (a.empty() || b.size() / kGallopRatio < a.size()) {
    std::set_difference(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(left));
    return left;
  }
  std::size_t at = 0;
  for (const SeriesRef ref : a) {
    at = Gallop(b, at, ref);
    if (at == b.size() || b[at] != ref) left.push_back(ref);
  }
  return left;
}

Postings Unite(std::span<const Postings> lists) {
  std::size_t total = 0;
  SeriesRef first = UINT32_MAX;
  SeriesRef last = 0;
  for (const Postings& list : lists) {
    if (list.empty()) continue;
    total += list.size();
    first = std::min(first, list.front());
    last = std::max(last, list.back());
  }
  if (total == 0) return {};
  if ((last - first) / kDenseRatio < total) return UniteDense(lists, first, last, total);
  Postings united;
  united.reserve(total);
  for (const Postings& list : lists) united.insert(united.end(), list.begin(), list.end());
  std::sort(united.begin(), united.end());
  united.erase(std::unique(united.begin(), united.end()), united.end());
  return united;
}

}  // namespace aevum::tsdb
