#include "net/grpc/test_wire.h"

#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "base/check.h"
#include "base/files.h"

namespace aevum::net::grpc {
namespace {

const std::string kShared = std::string(AEVUM_SHARED_DIR) + "/golden/vectors/grpc/";
const std::string kOwn = std::string(AEVUM_SOURCE_DIR) + "/src/net/testdata/grpc_wire/";

std::string Read(const std::string& path) {
  StatusOr<std::string> bytes = ReadFile(path);
  AEVUM_CHECK(bytes.ok());
  return *std::move(bytes);
}

std::string FromHex(std::string_view hex) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes += static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16));
  }
  return bytes;
}

Capture OwnCapture() {
  Capture capture;
  capture.name = "series-snappy of testdata";
  capture.method = "/thanos.Store/Series";
  capture.client_bytes = Read(kOwn + "series-snappy.client.bin");
  capture.server_bytes = Read(kOwn + "series-snappy.server.bin");
  std::istringstream lines(Read(kOwn + "series-snappy.tsv"));
  std::string side;
  std::string body;
  std::string plain;
  while (lines >> side >> body >> plain) {
    capture.messages.push_back({side == "client", true, FromHex(body), FromHex(plain)});
  }
  return capture;
}

Capture FromJson(const nlohmann::json& line) {
  Capture capture;
  capture.name = line.at("name");
  capture.method = line.at("method");
  capture.client_bytes = Read(kShared + line.at("client_file").get<std::string>());
  capture.server_bytes = Read(kShared + line.at("server_file").get<std::string>());
  for (const char* side : {"client_messages", "server_messages"}) {
    if (line.at(side).is_null()) continue;
    for (const auto& message : line.at(side)) {
      CapturedMessage found;
      found.from_client = std::string_view(side) == "client_messages";
      found.compressed = message.at("compressed_flag") == 1;
      found.body = FromHex(message.at("body_hex").get<std::string>());
      found.plain =
          found.compressed ? FromHex(message.at("message_hex").get<std::string>()) : found.body;
      capture.has_foreign_compressor |= message.contains("error");
      capture.messages.push_back(std::move(found));
    }
  }
  return capture;
}

}  // namespace

bool HasSharedCaptures() { return std::ifstream(kShared + "wire.jsonl").good(); }

std::vector<Capture> LoadCaptures() {
  std::vector<Capture> captures = {OwnCapture()};
  std::ifstream lines(kShared + "wire.jsonl");
  for (std::string line; std::getline(lines, line);) {
    captures.push_back(FromJson(nlohmann::json::parse(line)));
  }
  return captures;
}

}  // namespace aevum::net::grpc
