// The labels of a series: an immutable sorted set of names with values.
#pragma once

#include <atomic>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <iterator>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace aevum::model {

inline constexpr std::string_view kMetricName = "__name__";

// A name and its value; views into whatever holds them.
struct Label {
  std::string_view name;
  std::string_view value;
  friend bool operator==(const Label&, const Label&) = default;
};

// One reference-counted buffer. The packed form is ordered: comparing two label sets, as
// Prometheus's labels.Compare does, is one memcmp.
//
//     header | end u32 x 2 * count | packed bytes | plain bytes, only when they differ
//
// Packed bytes: name 00 value 00 ..., sorted by name, where the bytes 00 and 01 inside a string
// stand as 01 01 and 01 02. Plain bytes are the same without the escapes; almost no label needs
// them, so the views of name() and value() normally point into the packed bytes.
//
// Copying costs a counter. Immutable, hence safe to share between threads.
class Labels {
 public:
  Labels() = default;
  Labels(const Labels& other) noexcept : rep_(other.rep_) { Ref(); }
  Labels(Labels&& other) noexcept : rep_(std::exchange(other.rep_, nullptr)) {}
  Labels& operator=(const Labels& other) noexcept {
    Labels copy(other);
    std::swap(rep_, copy.rep_);
    return *this;
  }
  Labels& operator=(Labels&& other) noexcept {
    std::swap(rep_, other.rep_);
    return *this;
  }
  ~Labels() { Unref(); }

  // The names must be sorted and different; empty values must not occur. Both are the caller's
  // duty: what comes from outside goes through FromUnsorted.
  static Labels FromSorted(std::span<const Label> labels);
  // Sorts; of labels with the same name the last wins; labels with an empty value are dropped.
  static Labels FromUnsorted(std::vector<Label> labels);
  // For tests and constants: Labels::Of({{"job", "x"}}).
  static Labels Of(std::initializer_list<Label> labels) {
    return FromUnsorted(std::vector<Label>(labels));
  }

  std::size_t size() const { return rep_ ? rep_->count : 0; }
  bool empty() const { return rep_ == nullptr; }
  // The label at a position below size(). Views live as long as this object or a copy.
  Label operator[](std::size_t index) const;

  // The value of a name, or "" when there is none: to Prometheus the two are the same.
  std::string_view Get(std::string_view name) const;
  bool Has(std::string_view name) const { return !Get(name).empty(); }

  // The ordered bytes; equal exactly when the labels are.
  std::string_view packed() const {
    return rep_ ? std::string_view(rep_->packed(), rep_->packed_size) : std::string_view();
  }
  // Starts to load the packed bytes into the cache, for who compares them soon.
  void Prefetch() const {
    const auto* line = reinterpret_cast<const char*>(rep_);
    for (int i = 0; i < 4; ++i) __builtin_prefetch(line + 64 * i);
  }
  // XXH3 of the packed bytes. Not stable across versions: for tables in memory only.
  std::uint64_t Hash() const;
  // Bytes of heap that the labels hold, for memory budgets.
  std::size_t memory_bytes() const;

  // {a="b", c="d"}, values escaped as Go's %q does.
  std::string ToString() const;

  friend bool operator==(const Labels& a, const Labels& b) {
    return a.rep_ == b.rep_ || a.packed() == b.packed();
  }
  friend std::strong_ordering operator<=>(const Labels& a, const Labels& b) {
    return a.packed() <=> b.packed();
  }

  class Iterator {
   public:
    using iterator_category = std::input_iterator_tag;
    using value_type = Label;
    using difference_type = std::ptrdiff_t;
    using pointer = void;
    using reference = Label;
    Iterator(const Labels* labels, std::size_t index) : labels_(labels), index_(index) {}
    Label operator*() const { return (*labels_)[index_]; }
    Iterator& operator++() {
      ++index_;
      return *this;
    }
    Iterator operator++(int) { return {labels_, index_++}; }
    friend bool operator==(const Iterator&, const Iterator&) = default;

   private:
    const Labels* labels_;
    std::size_t index_;
  };
  Iterator begin() const { return {this, 0}; }
  Iterator end() const { return {this, size()}; }

 private:
  struct Rep {
    std::atomic<std::uint32_t> references;
    std::uint32_t count;
    std::uint32_t packed_size;
    std::uint32_t plain_size;  // 0: the packed bytes are the plain ones

    const std::uint32_t* ends() const { return reinterpret_cast<const std::uint32_t*>(this + 1); }
    const char* packed() const { return reinterpret_cast<const char*>(ends() + 2 * count); }
    const char* plain() const { return plain_size == 0 ? packed() : packed() + packed_size; }
  };

  void Ref() const {
    if (rep_) rep_->references.fetch_add(1, std::memory_order_relaxed);
  }
  void Unref() {
    if (rep_ && rep_->references.fetch_sub(1, std::memory_order_acq_rel) == 1) Free(rep_);
  }
  static void Free(Rep* rep);

  Rep* rep_ = nullptr;
};

// Changes a label set. Holds views: what is given to it must outlive Build(). Thread-compatible.
class LabelsBuilder {
 public:
  LabelsBuilder() = default;
  explicit LabelsBuilder(const Labels& base) { Reset(base); }
  // Starts again from `base`, which the builder keeps alive.
  void Reset(const Labels& base);

  // An empty value removes the label.
  LabelsBuilder& Set(std::string_view name, std::string_view value);
  LabelsBuilder& Remove(std::string_view name);
  // Removes all but the named.
  LabelsBuilder& Keep(std::span<const std::string> names);
  std::string_view Get(std::string_view name) const;
  // Base itself, for the price of a counter, when nothing was changed.
  Labels Build() const;

 private:
  Labels base_;
  bool changed_ = false;
  std::vector<Label> labels_;  // sorted by name
};

}  // namespace aevum::model
