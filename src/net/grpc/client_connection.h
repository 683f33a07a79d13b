// The client's end of a connection.
#pragma once

#include <functional>
#include <memory>

#include "net/grpc/call_stream.h"
#include "net/grpc/connection.h"

namespace aevum::net::grpc {

class ClientConnection final : public Connection {
 public:
  // What the channel wants to know; called on the loop, some from within the session.
  class Owner {
   public:
    virtual ~Owner() = default;
    virtual void OnReady(ClientConnection& connection) = 0;
    // It takes no more calls and finishes what it has.
    virtual void OnRetired(ClientConnection& connection) = 0;
    virtual void OnGone(ClientConnection& connection, const Status& reason) = 0;
    // A call has ended, so that another can begin.
    virtual void OnRoom(ClientConnection& connection) = 0;
    // The server did not begin this call.
    virtual void OnRefused(std::shared_ptr<CallStream> call) = 0;
  };

  ClientConnection(Loop& loop, int fd, std::unique_ptr<tls::Engine> tls, const Limits& limits,
                   std::weak_ptr<Owner> owner)
      : Connection(loop, fd, std::move(tls), Role::kClient, limits), owner_(std::move(owner)) {}

  bool HasRoom() const;
  // False when this connection can take no more calls ever; it is retired then.
  bool Submit(const std::shared_ptr<CallStream>& call);
  bool was_ready() const { return peer_ready_; }

 private:
  void OnPeerReady() override;
  bool OnHeader(Stream& stream, std::string_view name, std::string_view value) override;
  void OnHeaders(Stream& stream, bool end_stream) override;
  void OnData(Stream& stream, std::string_view bytes) override;
  void OnEnd(Stream& stream) override;
  void OnStreamClosed(Stream& stream, std::uint32_t error_code) override;
  void OnStreamLost(Stream& stream, const Status& reason) override;
  void OnWoken(Stream& stream) override;
  void OnPingAnswered(std::uint64_t payload) override;
  void OnGoaway() override { Retire(); }
  void OnTickMore(TimePoint now) override;
  Status OnSecured(const tls::Engine& engine) override;
  void OnClosed(const Status& reason) override;

  void Retire();

  const std::weak_ptr<Owner> owner_;
  bool retired_ = false;
  bool ping_out_ = false;
  TimePoint ping_sent_;
};

}  // namespace aevum::net::grpc
