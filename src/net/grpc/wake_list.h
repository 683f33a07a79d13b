// The streams of one connection that other threads want the loop to look at.
#pragma once

#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "net/grpc/loop.h"

namespace aevum::net::grpc {

class Stream;

// A stream is in the list once at most, and one task is posted for all of them: a million messages
// of 1 KiB need some hundred wake-ups. Thread-safe.
class WakeList : public std::enable_shared_from_this<WakeList> {
 public:
  using Streams = std::vector<std::shared_ptr<Stream>>;

  // `drain` runs on the loop with the streams that were added.
  WakeList(Loop& loop, std::function<void(Streams)> drain)
      : loop_(loop), drain_(std::move(drain)) {}

  void Add(std::shared_ptr<Stream> stream);
  // On the loop: nothing is drained any more.
  void Close();

 private:
  void Drain();

  Loop& loop_;
  std::function<void(Streams)> drain_;  // of the loop
  Mutex mutex_;
  Streams streams_ AEVUM_GUARDED_BY(mutex_);
  bool closed_ AEVUM_GUARDED_BY(mutex_) = false;
};

}  // namespace aevum::net::grpc
