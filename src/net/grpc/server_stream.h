// One call at the server: what its handler sees, and where it stands for the loop.
#pragma once

#include <atomic>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/trace.h"
#include "net/grpc/server_core.h"
#include "net/grpc/stream.h"

namespace aevum::net::grpc {

//     headers -> request -> waiting -> running -> (sending, trailers) -> closed
//
// From each of them: answered early, reset by the peer, lost with the connection.
class ServerStream final : public Stream, public ServerCall {
 public:
  enum class State : std::uint8_t { kHeaders, kRequest, kWaiting, kRunning, kAnswered };

  explicit ServerStream(ServerCore& core)
      : Stream(core.options.limits, core.options.max_message_bytes), charge(core), core_(core) {}

  // --- The loop.

  // False: the field can't be accepted, reset the stream.
  bool TakeHeader(std::string_view name, std::string_view value);
  // Makes the context; before Run.
  void Prepare();
  void Cancel();
  // Records the end of a call once.
  void CountEnd(StatusCode code);
  // True once, when the handler has returned.
  bool TakeReturned();
  bool HasResult();
  // What ends the call, once FinishOut or Run has set it.
  Status Result();
  void SetResult(Status status);

  // --- A thread of the pool.
  void Run();

  // ServerCall, for the handler.
  const Context& context() const override { return span_.Inner(scope_->context()); }
  const SharedBytes& request() const override { return request_; }
  std::string_view Metadata(std::string_view key) const override;
  bool Write(SharedBytes message) override;

  // --- Only the loop's until Run, constant from then on.
  std::string method_name;  // :method
  std::string path;
  std::string content_type;
  std::string encoding;         // of the request's messages, "" for identity
  bool accepts_snappy = false;  // the peer does
  std::optional<std::string> timeout;
  const Method* method = nullptr;
  std::string peer;  // address, when requests are logged
  TimePoint started = std::chrono::steady_clock::now();
  TimePoint deadline = TimePoint::max();

  // --- Only the loop's.
  State state = State::kHeaders;
  bool headers_sent = false;
  bool trailers_sent = false;
  bool watching = false;  // health
  RequestCharge charge;   // also the handler's thread's while it decompresses

 private:
  Status Decompress(const WireMessage& message);
  Status CallHandler();
  // The status that ends the call; nothing thrown leaves it.
  Status CallToItsEnd();
  void StartSpan();
  void EndSpan(const Status& status);
  bool compresses() const { return encoding == "snappy" && accepts_snappy; }

  ServerCore& core_;
  std::vector<std::pair<std::string, std::string>> metadata_;
  std::optional<CancelScope> scope_;
  Span span_;  // the handler's thread's
  SharedBytes request_;
  std::atomic<bool> counted_ = false;

  std::optional<Status> result_ AEVUM_GUARDED_BY(mutex);
  bool returned_ AEVUM_GUARDED_BY(mutex) = false;
};

}  // namespace aevum::net::grpc
