// One connection of the HTTP server: reads requests, sends answers, keeps its deadlines.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include <boost/asio/ip/tcp.hpp>

#include "base/context.h"
#include "net/http/outbox.h"
#include "net/http/request_parser.h"
#include "net/http/response_writer.h"
#include "net/http/server.h"
#include "net/tls/engine.h"

namespace aevum::net {

class Connection;

// A whole request on its way to a handler.
struct ReceivedRequest {
  HttpRequest request;
  std::string raw_path;
  AnswerForm form;
  Context context;      // cancelled with the connection
  MemoryCharge charge;  // of the body
};

// What a connection asks of its server, on the loop's thread.
class ConnectionHost {
 public:
  virtual ~ConnectionHost() = default;
  virtual const HttpServerOptions& options() const = 0;
  virtual const std::shared_ptr<MemoryBudget>& body_budget() const = 0;
  // Whether connections must end with the answer they are at.
  virtual bool draining() const = 0;
  // Must lead to exactly one Finish of the connection's answer, from any thread.
  virtual void OnRequest(std::shared_ptr<Connection> connection, ReceivedRequest request) = 0;
  // Takes the connection out of the server's set.
  virtual void OnClosed(Connection* connection) = 0;
};

// Lives on the thread of its loop, but for what is marked. Its pending operations hold it.
class Connection final : public AnswerSink, public std::enable_shared_from_this<Connection> {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;
  enum class Phase { kHandshake, kIdle, kHeader, kBody, kHandling, kLingering, kClosed };

  // `engine` is null without TLS.
  Connection(boost::asio::ip::tcp::socket socket, std::unique_ptr<tls::Engine> engine,
             ConnectionHost* host);

  void Start();
  // Ends what is past its deadline.
  void CheckDeadlines(TimePoint now);
  // Of the handler that runs; the connection goes on.
  void Cancel();
  void Close();

  Phase phase() const { return phase_; }
  // Whether it can be closed without harm to anyone who behaves.
  bool waits_for_client() const { return phase_ != Phase::kHandling; }
  TimePoint waiting_since() const { return waiting_since_; }

  // From any thread.
  bool Push(std::string bytes) override { return outbox_.Push(std::move(bytes)); }
  void Finish(std::string bytes, Outbox::Ending ending) {
    outbox_.Finish(std::move(bytes), ending);
  }

 private:
  void Enter(Phase phase, std::chrono::milliseconds timeout);
  void Read();
  void OnRead(const boost::system::error_code& error, std::size_t size);
  void OnReadEnd(const boost::system::error_code& error);
  bool Decrypt(std::string_view bytes);
  void Process();
  void DispatchRequest();
  void Answer(int status, std::string_view text);
  void Write();
  void WriteSome();
  void OnWritten(const boost::system::error_code& error, std::size_t size);
  void OnAnswerDone(Outbox::Ending ending);
  void Linger();

  boost::asio::ip::tcp::socket socket_;
  const std::unique_ptr<tls::Engine> engine_;
  ConnectionHost* const host_;
  Outbox outbox_;
  Phase phase_ = Phase::kHandshake;
  TimePoint waiting_since_;
  TimePoint deadline_ = TimePoint::max();
  TimePoint write_deadline_ = TimePoint::max();
  std::string remote_address_;

  std::string read_buffer_;
  std::string in_;  // received, not yet parsed
  bool reading_ = false;
  bool read_ended_ = false;
  std::size_t lingered_bytes_ = 0;
  std::optional<RequestParser> parser_;
  bool continued_ = false;  // "100 Continue" was sent
  std::optional<CancelScope> scope_;

  bool writing_ = false;
  std::string wire_;             // being written
  std::size_t wire_offset_ = 0;  // written of it
  std::size_t wire_plain_ = 0;   // what it counts in the outbox
};

}  // namespace aevum::net
