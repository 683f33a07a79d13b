// What the server's and the client's end of an HTTP/2 connection have alike.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <nghttp2/nghttp2.h>

#include "net/grpc/byte_queue.h"
#include "net/grpc/limits.h"
#include "net/grpc/loop.h"
#include "net/grpc/stream.h"
#include "net/tls/engine.h"

namespace aevum::net::grpc {

// Header fields to send; both strings are copied by the session.
using HeaderFields = std::vector<std::pair<std::string, std::string>>;

// A socket, TLS if any, the nghttp2 session, and what is about to be written.
//
// Everything runs on the loop's thread. nghttp2 calls the On... functions marked (session) from
// within itself; these must not close the connection but call Fail, which is obeyed afterwards.
// Alive as long as the loop watches its socket.
class Connection : public Loop::Handler, public std::enable_shared_from_this<Connection> {
 public:
  using TimePoint = Loop::TimePoint;
  enum class Role : std::uint8_t { kServer, kClient };

  // Owns `fd`, a connected, non-blocking socket. `tls` may be null.
  Connection(Loop& loop, int fd, std::unique_ptr<tls::Engine> tls, Role role, const Limits& limits);
  ~Connection() override;

  // Begins to watch the socket and to talk.
  void Start();
  // Cuts at once. Not from within the session.
  void Close(Status reason);
  // Writes what there is to write. Not from within the session.
  void Flush();

  void OnReady(std::uint32_t events) final;
  void OnTick(TimePoint now) final;

  bool closed() const { return state_ == State::kClosed; }
  std::size_t open_streams() const { return streams_.size(); }
  Loop& loop() { return loop_; }

 protected:
  // The peer's SETTINGS have come. (session)
  virtual void OnPeerReady() {}
  // The peer begins a stream; null refuses it. Servers only. (session)
  virtual std::shared_ptr<Stream> OnBegin(std::int32_t /*id*/) { return nullptr; }
  // False resets the stream. (session)
  virtual bool OnHeader(Stream& stream, std::string_view name, std::string_view value) = 0;
  // A header list has ended; `end_stream` when nothing follows. (session)
  virtual void OnHeaders(Stream& stream, bool end_stream) = 0;
  // (session)
  virtual void OnData(Stream& stream, std::string_view bytes) = 0;
  // The peer sends nothing more on this stream. (session)
  virtual void OnEnd(Stream& stream) = 0;
  // nghttp2 has let go of the stream; `error_code` of HTTP/2. (session)
  virtual void OnStreamClosed(Stream& stream, std::uint32_t error_code) = 0;
  // The connection went down with the stream open.
  virtual void OnStreamLost(Stream& stream, const Status& reason) = 0;
  // Another thread has called Wake().
  virtual void OnWoken(Stream& stream) = 0;
  // What goes out after the last byte of `out`; empty: the DATA frame ends the stream. (session)
  virtual HeaderFields Trailers(Stream& /*stream*/) { return {}; }
  virtual void OnPing() {}                                   // (session)
  virtual void OnPingAnswered(std::uint64_t /*payload*/) {}  // (session)
  virtual void OnGoaway() {}                                 // (session)
  virtual void OnSent(const nghttp2_frame& /*frame*/) {}     // (session)
  virtual void OnTickMore(TimePoint /*now*/) {}
  // Nothing to do any more and the session would end; false keeps it open.
  virtual bool MayEnd() { return true; }
  // The TLS handshake is done. An error closes.
  virtual Status OnSecured(const tls::Engine& /*engine*/) { return OkStatus(); }
  // Once, after all streams were told.
  virtual void OnClosed(const Status& /*reason*/) {}

  // Remembers that the connection is to be closed once the session returns.
  void Fail(Status reason);
  // Sends GOAWAY with the error and closes once it is out.
  void Terminate(std::uint32_t error_code, std::string_view why);
  void Reset(const Stream& stream, std::uint32_t error_code);
  void SendPing(std::uint64_t payload);
  // Registers a stream whose id is set.
  void Adopt(std::shared_ptr<Stream> stream);
  // A provider that sends the stream's `out`.
  nghttp2_data_provider ProviderOf(Stream& stream) const;
  // Gives the stream's window back as far as its reader is.
  void Credit(Stream& stream);
  // Resets streams that have bytes to send and no progress.
  void ResetStalled(TimePoint now);

  Loop& loop_;
  const Limits& limits_;
  const Role role_;
  nghttp2_session* session_ = nullptr;
  std::unordered_map<std::int32_t, std::shared_ptr<Stream>> streams_;
  std::shared_ptr<WakeList> wake_list_;
  const TimePoint created_;
  TimePoint last_received_;
  bool peer_ready_ = false;

 private:
  friend struct SessionCallbacks;
  enum class State : std::uint8_t { kOpen, kLingering, kClosed };

  Status OpenSession();
  // Runs a step of the loop; an exception (no memory) closes this connection alone.
  template <typename Step>
  void Guarded(Step step);
  void ReadSome();
  void TakeBytes(std::string_view bytes);
  void FeedSession(std::string_view bytes);
  void FlushOpen();
  // False when the socket takes no more now.
  bool WriteSome();
  bool WritePlain();
  bool WriteTls();
  bool AfterWrite(ssize_t written);
  void Settle();
  void Linger();
  void LoseStreams(const Status& reason);
  void UpdateInterest();
  void Drained(const WakeList::Streams& streams);

  int fd_;
  std::unique_ptr<tls::Engine> tls_;
  std::size_t tls_sent_ = 0;  // of the engine's output
  State state_ = State::kOpen;
  Status failure_;
  Status terminated_;  // why we sent GOAWAY with an error
  ByteQueue output_;
  bool write_blocked_ = false;
  bool read_paused_ = false;
  bool flush_posted_ = false;
  bool secured_ = false;
  std::uint32_t interest_ = 0;
  TimePoint last_progress_;  // when the socket last began to be full
  TimePoint linger_until_;
};

}  // namespace aevum::net::grpc
