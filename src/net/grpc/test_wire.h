// Captured connections, for tests.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace aevum::net::grpc {

struct CapturedMessage {
  bool from_client = false;
  bool compressed = false;
  std::string body;   // as sent
  std::string plain;  // decompressed
};

// One captured connection with one call.
struct Capture {
  std::string name;
  std::string method;
  std::string client_bytes;
  std::string server_bytes;
  std::vector<CapturedMessage> messages;
  bool has_foreign_compressor = false;  // gzip: no plain messages
};

// The one in testdata, and all of the shared vectors when they are there.
std::vector<Capture> LoadCaptures();

// True when the shared vectors are there.
bool HasSharedCaptures();

}  // namespace aevum::net::grpc
