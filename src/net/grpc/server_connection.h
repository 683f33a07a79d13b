// The server's end of a connection: requests, lanes to the pools, drain, and the peer's manners.
#pragma once

#include <deque>
#include <memory>

#include "net/grpc/connection.h"
#include "net/grpc/server_core.h"
#include "net/grpc/server_stream.h"

namespace aevum::net::grpc {

// Allows a burst, then a rate. Thread-compatible.
class TokenBucket {
 public:
  TokenBucket(std::uint64_t burst, std::uint64_t per_second)
      : burst_(static_cast<double>(burst)),
        per_second_(static_cast<double>(per_second)),
        tokens_(burst_) {}
  // False when it is empty.
  bool Take(std::chrono::steady_clock::time_point now);

 private:
  const double burst_;
  const double per_second_;
  double tokens_;
  std::chrono::steady_clock::time_point last_{};
};

class ServerConnection final : public Connection {
 public:
  ServerConnection(ServerCore& core, ServerLoop& home, int fd, std::unique_ptr<tls::Engine> tls);
  ~ServerConnection() override;

  // Lets the peer know that it must go elsewhere, serves what it has begun, then closes.
  void Drain();
  // Tells those who watch the health.
  void ServingChanged();

 private:
  // Calls of one kind: those beyond `limit` wait here and die here with the connection, so that
  // one peer can't hold a whole pool.
  struct Lane {
    ThreadPool& pool;
    std::size_t limit;
    std::size_t running = 0;
    std::deque<std::shared_ptr<ServerStream>> waiting = {};
  };
  enum class DrainState : std::uint8_t { kNone, kNoticed, kFinal };

  std::shared_ptr<Stream> OnBegin(std::int32_t id) override;
  bool OnHeader(Stream& stream, std::string_view name, std::string_view value) override;
  void OnHeaders(Stream& stream, bool end_stream) override;
  void OnData(Stream& stream, std::string_view bytes) override;
  void OnEnd(Stream& stream) override;
  void OnStreamClosed(Stream& stream, std::uint32_t error_code) override;
  void OnStreamLost(Stream& stream, const Status& reason) override;
  void OnWoken(Stream& stream) override;
  HeaderFields Trailers(Stream& stream) override;
  void OnPing() override;
  void OnPingAnswered(std::uint64_t payload) override;
  void OnSent(const nghttp2_frame& frame) override;
  void OnTickMore(TimePoint now) override;
  bool MayEnd() override { return drain_ != DrainState::kNoticed; }
  Status OnSecured(const tls::Engine& engine) override;
  void OnClosed(const Status& reason) override;

  // What is wrong with the headers, or OK.
  Status CheckHeaders(ServerStream& stream);
  void Dispatch(ServerStream& stream);
  void StartWaiting(Lane& lane);
  void StopWaiting(ServerStream& stream);
  Lane& LaneOf(const ServerStream& stream);
  void ServeBuiltin(ServerStream& stream);
  void AnswerHealthCheck(ServerStream& stream, std::string_view request);
  void StartWatch(ServerStream& stream, std::string_view request);
  void PushHealth(ServerStream& stream, std::uint64_t serving_status);
  // Ends a call from the loop: with trailers alone, or after what is queued.
  void Answer(ServerStream& stream, Status status);
  // Submits the response's headers, or lets the session look for more data.
  void Resume(ServerStream& stream);
  void EndedEarly();
  void FinishDrain();
  void TickStreams(TimePoint now);
  void TickKeepalive(TimePoint now);

  ServerCore& core_;
  ServerLoop& home_;
  Lane unary_;
  Lane streams_lane_;
  TokenBucket resets_;
  const TimePoint drain_at_;
  const std::string peer_;  // "" unless requests are logged

  DrainState drain_ = DrainState::kNone;
  TimePoint noticed_at_;
  TimePoint last_ping_{};
  int strikes_ = 0;
  bool ping_out_ = false;
  TimePoint ping_sent_;
};

}  // namespace aevum::net::grpc
