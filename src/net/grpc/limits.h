// What one peer may cost us, and the times after which we give it up.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace aevum::net::grpc {

// The defaults are those that were tried against floods, bombs and stalled peers; tests shorten
// the times.
struct Limits {
  using Milliseconds = std::chrono::milliseconds;

  // Streams that end early, whoever ended them: a bucket of this size, refilled at this rate a
  // second. An empty bucket ends the connection.
  std::uint64_t reset_burst = 200;
  std::uint64_t reset_rate = 50;
  std::size_t outbound_acks = 200;     // unsent answers to PING and SETTINGS
  std::size_t outbound_frames = 2000;  // unsent control frames above which we stop reading
  std::uint32_t concurrent_streams = 1000;

  // Name, value and 32 bytes each, summed over a header list.
  std::uint32_t server_header_bytes = 16 << 10;
  std::uint32_t client_header_bytes = 1 << 20;

  std::uint32_t stream_window = 4 << 20;
  std::uint32_t connection_window = 64 << 20;
  std::uint32_t frame_bytes = 1 << 20;   // that we receive
  std::size_t output_bytes = 512 << 10;  // gathered for one write
  std::size_t stream_high_water = 2 << 20;

  Milliseconds preface_timeout{10'000};    // until the peer's SETTINGS
  Milliseconds request_timeout{60'000};    // until the end of a request
  Milliseconds stream_stall{60'000};       // bytes queued, none taken
  Milliseconds socket_stall{60'000};       // likewise, for the whole connection
  Milliseconds linger{1'000};              // for the peer to read our last words
  Milliseconds drain_ping_timeout{5'000};  // until GOAWAY is final without the peer's answer
  Milliseconds accept_pause{100};          // when descriptors run out
  Milliseconds tick{1'000};

  Milliseconds client_ping_after{10'000};  // after the last byte, with calls open
  Milliseconds client_ping_timeout{5'000};
  Milliseconds server_ping_after{7'200'000};
  Milliseconds server_ping_timeout{20'000};
  Milliseconds server_min_ping{10'000};          // between pings of a client with calls
  Milliseconds server_min_ping_idle{7'200'000};  // without calls
  int ping_strikes = 3;

  Milliseconds backoff_first{200};
  Milliseconds backoff_limit{20'000};
  double backoff_factor = 1.6;
  Milliseconds connect_timeout{20'000};
  Milliseconds short_life{1'000};      // a connection lost sooner counts as a failed attempt
  std::size_t pending_calls = 10'000;  // of a channel, while it connects or the peer is full
};

}  // namespace aevum::net::grpc
