#include "objstore/testing/object_server.h"

#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <random>
#include <thread>

#include "base/files.h"
#include "base/testing/programs.h"

namespace aevum::objstore {
namespace {

const std::string kTool = AEVUM_SHARED_DIR "/tools/object-server";
// The store, the three servers behind it, and its cache.
constexpr int kPortOffsets[] = {0, 10, 11, 12, 20};
// The tool itself waits half a minute for the store. On a machine without a free core that can be
// too little the first time; the next attempt finds all programs in memory.
constexpr int kAttempts = 4;
// Of one attempt; before the tool waits, it makes the files of the servers.
constexpr std::chrono::seconds kStartTime{200};

const std::string kKeeper = AEVUM_SOURCE_DIR "/src/objstore/testing/object_server_keeper.sh";

// Below the range that the system gives out for connections.
int FindPorts() {
  std::random_device random;
  std::uniform_int_distribution<int> between(12'000, 31'000);
  while (true) {
    const int port = between(random);
    bool all_free = true;
    for (const int offset : kPortOffsets) all_free = all_free && testing::IsPortFree(port + offset);
    if (all_free) return port;
  }
}

// Ends with the outcome of the start.
Status WaitForStart(const std::string& directory) {
  const auto limit = std::chrono::steady_clock::now() + kStartTime;
  while (std::chrono::steady_clock::now() < limit) {
    if (std::filesystem::exists(directory + "/up")) return OkStatus();
    if (std::filesystem::exists(directory + "/down")) {
      ASSIGN_OR_RETURN(const std::string log, ReadFile(directory + "/log"));
      return Internal("the store of the test does not start: {}", log);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return Internal("the store of the test does not start in time, seconds: {}", kStartTime.count());
}

}  // namespace

const StatusOr<std::unique_ptr<ObjectServer>>& ObjectServer::Shared() {
  static const StatusOr<std::unique_ptr<ObjectServer>> server = StartOne();
  return server;
}

StatusOr<std::unique_ptr<ObjectServer>> ObjectServer::StartOne() {
  if (!std::filesystem::exists(kTool)) return Unimplemented("no tool to start a store: {}", kTool);
  for (const char* program : {"swift-proxy-server", "swift-object-server", "memcached", "curl"}) {
    if (testing::IsInstalled(program)) continue;
    return Unimplemented("scripts/install-deps --object-server has not been run: there is no {}",
                         program);
  }
  for (int attempt = 1;; ++attempt) {
    // Another program can take a port between the look and the start.
    StatusOr<std::unique_ptr<ObjectServer>> server = StartAt(FindPorts());
    if (server.ok()) return server;
    if (attempt == kAttempts)
      return Unimplemented("the store does not start here: {}", server.status().message());
  }
}

StatusOr<std::unique_ptr<ObjectServer>> ObjectServer::StartAt(int port) {
  std::string directory = std::filesystem::temp_directory_path() / "aevum-store-XXXXXX";
  if (::mkdtemp(directory.data()) == nullptr) return Internal("no directory: {}", directory);
  std::unique_ptr<ObjectServer> server(new ObjectServer());
  const std::string command =
      fmt::format("exec bash '{}' '{}' '{}' {}", kKeeper, kTool, directory, port);
  server->keeper_ = ::popen(command.c_str(), "we");
  if (server->keeper_ == nullptr) return Internal("can't run: {}", command);
  RETURN_IF_ERROR(WaitForStart(directory));
  server->address_ = "127.0.0.1:" + std::to_string(port);
  return server;
}

ObjectServer::~ObjectServer() {
  if (keeper_ != nullptr) ::pclose(keeper_);
}

}  // namespace aevum::objstore
