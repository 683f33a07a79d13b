// Streams of large and small messages, and unary calls, over loopback: one loop on each side.
#include <benchmark/benchmark.h>

#include "net/grpc/client.h"
#include "net/grpc/server.h"

namespace aevum::net::grpc {
namespace {

// Compressible to about a third, as chunks with labels are.
std::string Payload(std::size_t size) {
  std::string text(size, 0);
  std::uint32_t state = 1;
  for (std::size_t i = 0; i < size; ++i) {
    state = state * 1664525 + 1013904223;
    text[i] = i % 4 == 0 ? static_cast<char>(state >> 24) : 'a';
  }
  return text;
}

class Pair {
 public:
  Pair(std::size_t message_bytes, Compression compression)
      : payload_(SharedBytes::Own(Payload(message_bytes))),
        server_({.address = "127.0.0.1:0"}, Logger(), nullptr),
        runtime_(1, nullptr) {
    server_.Register("/bench.Bench/Unary", Server::Kind::kUnary, [](ServerCall& call) {
      call.Write(call.request());
      return OkStatus();
    });
    server_.Register("/bench.Bench/Stream", Server::Kind::kServerStream, [this](ServerCall& call) {
      while (call.Write(payload_)) {
      }
      return OkStatus();
    });
    const Status status = server_.Start();
    AEVUM_CHECK(status.ok());
    channel_ = std::make_unique<Channel>(
        runtime_, ChannelOptions{.address = fmt::format("127.0.0.1:{}", server_.port()),
                                 .compression = compression});
  }
  Channel& channel() { return *channel_; }
  const SharedBytes& payload() const { return payload_; }

 private:
  const SharedBytes payload_;
  Server server_;
  ClientRuntime runtime_;
  std::unique_ptr<Channel> channel_;
};

void Stream(benchmark::State& state, Compression compression) {
  Pair pair(static_cast<std::size_t>(state.range(0)), compression);
  const auto call =
      pair.channel().Start(Context::Background(), "/bench.Bench/Stream", SharedBytes::Own("go"));
  for (auto _ : state) {
    const auto message = call->Next();
    if (!message.ok() || (*message)->size() != pair.payload().size()) {
      state.SkipWithError("wrong message");
      break;
    }
  }
  state.SetItemsProcessed(state.iterations());
  state.SetBytesProcessed(state.iterations() * state.range(0));
}

void BM_Stream(benchmark::State& state) { Stream(state, Compression::kNone); }
BENCHMARK(BM_Stream)->Arg(1 << 10)->Arg(64 << 10)->Arg(1 << 20)->UseRealTime();

void BM_StreamSnappy(benchmark::State& state) { Stream(state, Compression::kSnappy); }
BENCHMARK(BM_StreamSnappy)->Arg(1 << 10)->Arg(1 << 20)->UseRealTime();

std::unique_ptr<Pair> shared_pair;

// The threads share one channel, hence one connection.
void BM_Unary(benchmark::State& state) {
  if (state.thread_index() == 0) shared_pair = std::make_unique<Pair>(1 << 10, Compression::kNone);
  for (auto _ : state) {
    const auto answer = shared_pair->channel().Unary(Context::Background(), "/bench.Bench/Unary",
                                                     shared_pair->payload());
    if (!answer.ok() || answer->size() != shared_pair->payload().size()) {
      state.SkipWithError("wrong answer");
      break;
    }
  }
  state.SetItemsProcessed(state.iterations());
  if (state.thread_index() == 0) shared_pair.reset();
}
BENCHMARK(BM_Unary)->Threads(1)->Threads(8)->UseRealTime();

}  // namespace
}  // namespace aevum::net::grpc
