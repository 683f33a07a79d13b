// Many native histograms, one after another, that are read anew for each series.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "model/histogram.h"

namespace aevum::model {

// As a vector of histograms, but what is taken away stays allocated for what is added next: their
// buckets and spans are then copied into memory that is there. Thread-compatible.
class HistogramColumn {
 public:
  using value_type = FloatHistogram;
  using iterator = FloatHistogram*;
  using const_iterator = const FloatHistogram*;

  HistogramColumn() = default;
  HistogramColumn(const_iterator first, const_iterator last) { insert(end(), first, last); }
  HistogramColumn(const HistogramColumn& other) { insert(end(), other.begin(), other.end()); }
  HistogramColumn(HistogramColumn&& other) noexcept
      : items_(std::move(other.items_)), size_(std::exchange(other.size_, 0)) {}
  HistogramColumn& operator=(const HistogramColumn& other) {
    if (this == &other) return *this;
    clear();
    insert(end(), other.begin(), other.end());
    return *this;
  }
  HistogramColumn& operator=(HistogramColumn&& other) noexcept {
    std::swap(items_, other.items_);
    std::swap(size_, other.size_);
    return *this;
  }
  ~HistogramColumn() = default;

  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  FloatHistogram* data() { return items_.data(); }
  const FloatHistogram* data() const { return items_.data(); }
  FloatHistogram& operator[](std::size_t i) { return items_[i]; }
  const FloatHistogram& operator[](std::size_t i) const { return items_[i]; }
  iterator begin() { return items_.data(); }
  iterator end() { return items_.data() + size_; }
  const_iterator begin() const { return items_.data(); }
  const_iterator end() const { return items_.data() + size_; }
  FloatHistogram& back() { return items_[size_ - 1]; }
  const FloatHistogram& back() const { return items_[size_ - 1]; }

  // Adds a histogram whose content is not defined, to be set whole.
  FloatHistogram& AddUnset() {
    if (size_ == items_.size()) items_.emplace_back();
    return items_[size_++];
  }
  void push_back(const FloatHistogram& histogram) {
    // Where there is no memory yet the vector minds that the histogram may be one of its own.
    if (size_ == items_.size()) {
      items_.push_back(histogram);
    } else {
      items_[size_] = histogram;
    }
    ++size_;
  }
  void push_back(FloatHistogram&& histogram) {
    if (size_ == items_.size()) {
      items_.push_back(std::move(histogram));
    } else {
      std::swap(items_[size_], histogram);
    }
    ++size_;
  }
  FloatHistogram& emplace_back() {
    FloatHistogram& added = AddUnset();
    added = FloatHistogram();
    return added;
  }
  void pop_back() { --size_; }
  void clear() { size_ = 0; }
  // Those that are added are empty.
  void resize(std::size_t size) {
    while (size_ < size) emplace_back();
    size_ = size;
  }

  // What all take, those too that were taken away.
  std::int64_t memory_bytes() const {
    std::size_t words = 0;
    for (const FloatHistogram& h : items_) {
      words += h.positive_spans.capacity() + h.negative_spans.capacity() +
               h.positive_buckets.capacity() + h.negative_buckets.capacity() +
               h.custom_values.capacity();
    }
    return static_cast<std::int64_t>(items_.size() * sizeof(FloatHistogram) +
                                     words * sizeof(double));
  }

  // Inserts before a place; the histograms must not be those of this column.
  void insert(const_iterator before, const_iterator first, const_iterator last) {
    const auto at = before - begin();
    const auto old = static_cast<std::ptrdiff_t>(size_);
    for (; first != last; ++first) push_back(*first);
    if (at != old) std::rotate(begin() + at, begin() + old, end());
  }
  void insert(const_iterator before, const FloatHistogram& histogram) {
    insert(before, &histogram, &histogram + 1);
  }
  void erase(const_iterator first, const_iterator last) {
    if (first == last) return;
    std::rotate(begin() + (first - begin()), begin() + (last - begin()), end());
    size_ -= static_cast<std::size_t>(last - first);
  }
  void assign(std::size_t count, const FloatHistogram& histogram) {
    clear();
    for (std::size_t i = 0; i < count; ++i) push_back(histogram);
  }

 private:
  std::vector<FloatHistogram> items_;  // the first `size_` are there
  std::size_t size_ = 0;
};

}  // namespace aevum::model
