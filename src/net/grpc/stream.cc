#include "net/grpc/stream.h"

#include <algorithm>
#include <utility>

namespace aevum::net::grpc {

void WakeList::Add(std::shared_ptr<Stream> stream) {
  {
    MutexLock lock(mutex_);
    if (closed_ || stream->in_wake_list_) return;
    stream->in_wake_list_ = true;
    streams_.push_back(std::move(stream));
    if (streams_.size() > 1) return;
  }
  loop_.Post([self = shared_from_this()] { self->Drain(); });
}

void WakeList::Drain() {
  Streams streams;
  {
    MutexLock lock(mutex_);
    streams.swap(streams_);
    for (const auto& stream : streams) stream->in_wake_list_ = false;
    if (closed_) return;
  }
  drain_(std::move(streams));
}

void WakeList::Close() {
  Streams dropped;
  MutexLock lock(mutex_);
  closed_ = true;
  dropped.swap(streams_);
  for (const auto& stream : dropped) stream->in_wake_list_ = false;
}

void Stream::Wake() {
  std::shared_ptr<WakeList> list;
  {
    MutexLock lock(mutex);
    list = wake_list;
  }
  if (list) list->Add(shared_from_this());
}

Stream::Push Stream::PushMessage(const SharedBytes& body, bool compressed, TimePoint deadline) {
  const Prefix prefix = MakePrefix(compressed, static_cast<std::uint32_t>(body.size()));
  bool wake = false;
  {
    MutexLock lock(mutex);
    while (out.bytes() >= high_water && !closed) {
      writer_waits = true;
      if (deadline == TimePoint::max()) {
        lock.Wait(changed);
      } else if (!lock.WaitUntil(changed, deadline)) {
        return Push::kDeadline;
      }
    }
    if (closed) return Push::kClosed;
    out.Copy({prefix.data(), prefix.size()});
    out.Append(body);
    wake = std::exchange(out_deferred, false);
  }
  if (wake) Wake();
  return Push::kQueued;
}

void Stream::FinishOut() {
  {
    MutexLock lock(mutex);
    out_finished = true;
    out_deferred = false;
  }
  Wake();
}

void Stream::PushFromLoop(const SharedBytes& body) {
  const Prefix prefix = MakePrefix(false, static_cast<std::uint32_t>(body.size()));
  MutexLock lock(mutex);
  if (closed) return;
  out.Copy({prefix.data(), prefix.size()});
  out.Append(body);
  out_deferred = false;
}

Status Stream::Receive(std::string_view bytes) {
  std::vector<WireMessage> messages;
  RETURN_IF_ERROR(reader.Feed(bytes, messages));
  const std::size_t total = partial_charge + bytes.size();
  partial_charge = std::min(total, reader.partial_bytes());
  if (messages.empty()) return OkStatus();
  {
    MutexLock lock(mutex);
    in_charge += total - partial_charge;
    in.insert(in.end(), std::make_move_iterator(messages.begin()),
              std::make_move_iterator(messages.end()));
  }
  changed.notify_all();
  return OkStatus();
}

std::size_t Stream::TakeCredit() {
  MutexLock lock(mutex);
  std::size_t credit = std::exchange(consumed, 0);
  // While no whole message waits, a message larger than the window must be able to go on.
  if (in.empty()) credit += std::exchange(partial_charge, 0);
  return credit;
}

bool Stream::MarkClosed() {
  {
    MutexLock lock(mutex);
    if (std::exchange(closed, true)) return false;
    out.Clear();
  }
  changed.notify_all();
  return true;
}

}  // namespace aevum::net::grpc
