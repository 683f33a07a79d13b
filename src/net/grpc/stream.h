// One call on a connection: the only thing that the loop and another thread share.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/context.h"
#include "base/mutex.h"
#include "net/grpc/byte_queue.h"
#include "net/grpc/limits.h"
#include "net/grpc/message.h"
#include "net/grpc/wake_list.h"

namespace aevum::net::grpc {

// Two queues under one mutex: `out`, which the call's thread fills and the loop empties, and `in`,
// the other way. The mutex is a leaf: nothing else is locked while it is held.
class Stream : public std::enable_shared_from_this<Stream> {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  Stream(const Limits& limits, std::size_t max_message_bytes)
      : high_water(limits.stream_high_water), reader(max_message_bytes) {}
  virtual ~Stream() = default;
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  // --- The call's thread.

  enum class Push : std::uint8_t { kQueued, kClosed, kDeadline };
  // Queues a prefix and a message body; waits above the high-water mark until half of it has gone.
  // A message larger than the mark goes in whole.
  Push PushMessage(const SharedBytes& body, bool compressed, TimePoint deadline);
  // Says that nothing follows what was queued.
  void FinishOut();
  // Asks the loop to look at this stream.
  void Wake();

  // --- The loop.

  // Queues without waiting, for services that answer on the loop.
  void PushFromLoop(const SharedBytes& body);
  // Cuts received bytes into messages and queues them.
  Status Receive(std::string_view bytes);
  // How many bytes of the window the peer may have back now.
  std::size_t TakeCredit();
  // Ends both queues and wakes whoever waits. True the first time.
  bool MarkClosed();

  // --- Only the loop's.
  const std::size_t high_water;
  std::int32_t id = -1;
  bool gone = false;  // nghttp2 has closed it
  std::size_t header_bytes = 0;
  TimePoint out_progress = std::chrono::steady_clock::now();
  MessageReader reader;
  std::size_t partial_charge = 0;  // bytes of an unfinished message, not given back yet

  // --- Shared.
  Mutex mutex;
  std::condition_variable changed;
  ByteQueue out AEVUM_GUARDED_BY(mutex);
  bool out_finished AEVUM_GUARDED_BY(mutex) = false;
  bool out_deferred AEVUM_GUARDED_BY(mutex) = true;  // the next writer wakes the loop
  bool writer_waits AEVUM_GUARDED_BY(mutex) = false;
  std::vector<WireMessage> in AEVUM_GUARDED_BY(mutex);
  std::size_t in_charge AEVUM_GUARDED_BY(mutex) = 0;  // window bytes of `in`
  std::size_t consumed AEVUM_GUARDED_BY(mutex) = 0;   // window bytes that the reader is done with
  bool closed AEVUM_GUARDED_BY(mutex) = false;
  std::shared_ptr<WakeList> wake_list AEVUM_GUARDED_BY(mutex);

 private:
  friend class WakeList;
  bool in_wake_list_ = false;  // under the list's mutex
};

}  // namespace aevum::net::grpc
