#include <algorithm>
#include <utility>
#include <vector>

#include "store/dedup/cursor.h"
#include "store/dedup/penalty.h"

namespace aevum::store::dedup {
namespace {

// A binary heap of cursors by time whose moves are those of Go's container/heap: which of several
// samples at one time wins follows from them.
class Heap {
 public:
  bool empty() const { return items_.empty(); }
  TimestampMs first_time() const { return items_.front()->time(); }

  void Push(Cursor* cursor) {
    items_.push_back(cursor);
    std::size_t i = items_.size() - 1;
    while (i > 0) {
      const std::size_t parent = (i - 1) / 2;
      if (!Less(i, parent)) break;
      std::swap(items_[i], items_[parent]);
      i = parent;
    }
  }

  Cursor* Pop() {
    const std::size_t size = items_.size() - 1;
    std::swap(items_.front(), items_.back());
    std::size_t i = 0;
    while (2 * i + 1 < size) {
      std::size_t child = 2 * i + 1;
      if (child + 1 < size && Less(child + 1, child)) ++child;
      if (!Less(child, i)) break;
      std::swap(items_[i], items_[child]);
      i = child;
    }
    Cursor* const top = items_.back();
    items_.pop_back();
    return top;
  }

 private:
  bool Less(std::size_t a, std::size_t b) const { return items_[a]->time() < items_[b]->time(); }

  std::vector<Cursor*> items_;
};

template <bool kStarts>
void Merge(std::span<const Row> rows, chunk::Columns* out) {
  std::vector<Cursor> cursors(rows.begin(), rows.end());
  if (rows.size() == 1) {
    for (Cursor& cursor = cursors[0]; !cursor.ended(); cursor.Next()) {
      cursor.CopyTo<kStarts>(out, /*forget=*/false);
    }
    return;
  }
  Heap heap;
  for (Cursor& cursor : std::span(cursors).subspan(1)) {
    if (!cursor.ended()) heap.Push(&cursor);
  }
  Cursor* current = &cursors[0];
  TimestampMs last = kMinTime;
  bool fresh = true;  // the current cursor stands on a sample that has not been looked at
  bool first = true;
  while (true) {
    bool changed = first;
    first = false;
    while (true) {
      if (!fresh) current->Next();
      fresh = false;
      if (current->ended()) {
        if (heap.empty()) return;
      } else {
        if (current->time() == last) continue;
        if (heap.empty() || current->time() < heap.first_time()) break;
        heap.Push(current);
      }
      current = heap.Pop();
      changed = true;
      if (current->time() != last) break;
    }
    current->CopyTo<kStarts>(out, changed);
    last = current->time();
  }
}

}  // namespace

void MergeChain(std::span<const Row> rows, chunk::Columns* out) {
  if (rows.empty()) return;
  out->with_starts ? Merge<true>(rows, out) : Merge<false>(rows, out);
}

}  // namespace aevum::store::dedup
