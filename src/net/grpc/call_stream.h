// One call at the client: what the caller's thread and the loop share of it.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/context.h"
#include "net/grpc/client.h"
#include "net/grpc/connection.h"
#include "net/grpc/metrics.h"
#include "net/grpc/stream.h"

namespace aevum::net::grpc {

//     pending -> sent -> headers -> messages -> trailers -> closed
//
// With one silent return from `sent` to `pending` when the server says that it did not begin.
class CallStream final : public Stream {
 public:
  // What is sent first.
  struct Request {
    HeaderFields headers;
    SharedBytes body;
    bool compressed = false;
  };

  // Ends at the deadline of the context, to whose budget is charged what has come and was not
  // taken.
  CallStream(const Limits& limits, std::size_t max_message_bytes, Request first,
             const MethodMetrics& metrics, const Context& context);

  // --- Any thread.

  // The first status given ends the call and wakes whoever waits; it is counted once.
  void Finish(Status status);
  // The budget could not hold the answer, which is why the call has ended.
  bool over_budget();

  // --- The caller's thread.

  // The next message as it came; nullopt when the call has ended OK.
  StatusOr<std::optional<WireMessage>> Take();
  // Room for the decompressed form of a message, until the charge is gone.
  StatusOr<MemoryCharge> ChargePlain(std::size_t bytes);
  // A message that was taken is in other hands.
  void Release(const WireMessage& message);
  // Nobody takes what is left of a call that has ended.
  void Discard();

  // --- The loop.

  // Fills `out` with the request; the second time for the retry.
  void QueueRequest();
  void TakeHeader(std::string_view name, std::string_view value);
  // Receives bytes of messages. ResourceExhausted when they pass the budget.
  Status TakeData(std::string_view bytes);
  // What the headers alone say is wrong, or OK.
  Status CheckHeaders() const;
  bool has_status() const { return grpc_status_.has_value(); }
  // What trailers and the way it closed mean.
  Status FinalStatus(std::uint32_t reset_code) const;
  bool IsClosed();

  const Request request;
  const TimePoint deadline;
  const std::shared_ptr<MemoryBudget> budget;  // may be null
  const std::size_t max_message_bytes;
  const TimePoint started = std::chrono::steady_clock::now();
  const MethodMetrics& metrics;

  // --- Only the loop's.
  bool answered = false;  // headers have come
  bool retried = false;
  // Written before the first message is queued, then constant.
  std::string encoding;

 private:
  std::optional<int> http_status_;
  std::string content_type_;
  std::optional<StatusCode> grpc_status_;
  std::string grpc_message_;

  // The caller's.
  std::vector<WireMessage> batch_;
  std::size_t batch_next_ = 0;
  std::size_t batch_charge_ = 0;

  std::optional<Status> final_ AEVUM_GUARDED_BY(mutex);
  // What came first is void: the caller cancelled or ran out of time.
  bool abandoned_ AEVUM_GUARDED_BY(mutex) = false;
  // Bytes that have come, the unfinished message included, less those of messages released.
  MemoryCharge held_ AEVUM_GUARDED_BY(mutex);
  bool over_budget_ AEVUM_GUARDED_BY(mutex) = false;
};

}  // namespace aevum::net::grpc
