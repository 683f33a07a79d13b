#include "objstore/testing/object_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <random>

namespace aevum::objstore {
namespace {

const std::string kTool = AEVUM_SHARED_DIR "/tools/object-server";
// The store, the three servers behind it, and its cache.
constexpr int kPortOffsets[] = {0, 10, 11, 12, 20};

bool IsFree(int port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const bool free = ::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  ::close(fd);
  return free;
}

// Below the range that the system gives out for connections.
int FindPorts() {
  std::random_device random;
  std::uniform_int_distribution<int> between(12'000, 31'000);
  while (true) {
    const int port = between(random);
    bool all_free = true;
    for (const int offset : kPortOffsets) all_free = all_free && IsFree(port + offset);
    if (all_free) return port;
  }
}

int Run(const std::string& command) { return std::system(command.c_str()); }

}  // namespace

StatusOr<std::unique_ptr<ObjectServer>> ObjectServer::Start() {
  if (!std::filesystem::exists(kTool)) return Unimplemented("no tool to start a store: {}", kTool);
  for (const char* program : {"swift-proxy-server", "swift-object-server", "memcached", "curl"}) {
    if (Run("command -v " + std::string(program) + " >/dev/null") != 0) {
      return Unimplemented("the store of the test is not installed, program: {}", program);
    }
  }
  ASSIGN_OR_RETURN(TemporaryDirectory state, TemporaryDirectory::Create());
  std::unique_ptr<ObjectServer> server(new ObjectServer(std::move(state)));
  // Another program can take a port between the look and the start.
  for (int attempt = 0; attempt < 3; ++attempt) {
    const int port = FindPorts();
    if (Run(fmt::format("{} start {} {} >/dev/null 2>&1", kTool, server->state_.path(), port)) ==
        0) {
      server->address_ = "127.0.0.1:" + std::to_string(port);
      return server;
    }
    std::filesystem::remove_all(server->state_.File("etc"));
  }
  return Internal("the store of the test does not start");
}

ObjectServer::~ObjectServer() {
  Run(fmt::format("{} stop {} >/dev/null 2>&1", kTool, state_.path()));
}

}  // namespace aevum::objstore
