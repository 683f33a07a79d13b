// A piece of bytes together with what keeps them alive.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace aevum {

// Whatever keeps a buffer alive: a received message, a mapping, a string.
using BufferOwner = std::shared_ptr<const void>;

// A view and its owner. Copying costs a counter; the bytes are immutable, hence safe to share.
struct SharedBytes {
  std::string_view view;
  BufferOwner owner;

  // Takes a string over; the view is into it.
  static SharedBytes Own(std::string text) {
    auto owner = std::make_shared<const std::string>(std::move(text));
    const std::string_view view = *owner;
    return {view, std::move(owner)};
  }
  // A part of the same buffer. `offset + size` must not exceed the view.
  SharedBytes Slice(std::size_t offset, std::size_t size) const {
    return {view.substr(offset, size), owner};
  }
  std::size_t size() const { return view.size(); }
  bool empty() const { return view.empty(); }
};

}  // namespace aevum
