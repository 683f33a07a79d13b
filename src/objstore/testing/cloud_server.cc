#include "objstore/testing/cloud_server.h"

#include <chrono>
#include <sstream>
#include <thread>

#include "base/testing/programs.h"

namespace aevum::objstore {
namespace {

const std::string kFolder = AEVUM_OBJSTORE_DIR;
constexpr std::chrono::seconds kStartTime{60};

}  // namespace

const StatusOr<std::unique_ptr<CloudServer>>& CloudServer::Shared() {
  static const StatusOr<std::unique_ptr<CloudServer>> server = Start();
  return server;
}

std::string CloudServer::OciFile(const std::string& name) {
  return kFolder + "/testdata/oci/" + name;
}

StatusOr<std::unique_ptr<CloudServer>> CloudServer::Start() {
  if (!testing::IsInstalled("python3")) {
    return Unimplemented("there is no python3, which the stand-in of the clouds needs");
  }
  ASSIGN_OR_RETURN(TemporaryDirectory directory, TemporaryDirectory::Create());
  std::unique_ptr<CloudServer> server(new CloudServer(std::move(directory)));
  const std::string ports = server->directory_.File("ports");
  const std::string command =
      fmt::format("exec python3 '{}/testing/cloud_server.py' '{}' '{}' '{}'", kFolder, ports,
                  OciFile("key.pem"), OciFile("certificate.pem"));
  server->program_ = ::popen(command.c_str(), "we");
  if (server->program_ == nullptr) return Internal("can't run: {}", command);
  RETURN_IF_ERROR(server->WaitForPorts(ports));
  return server;
}

// The file is moved into place when it is whole.
Status CloudServer::WaitForPorts(const std::string& path) {
  const auto limit = std::chrono::steady_clock::now() + kStartTime;
  while (std::chrono::steady_clock::now() < limit) {
    const StatusOr<std::string> lines = ReadFile(path);
    if (!lines.ok()) {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
      continue;
    }
    std::istringstream words(*lines);
    std::string name;
    int port = 0;
    while (words >> name >> port) ports_[name] = port;
    return OkStatus();
  }
  return Internal("the stand-in of the clouds does not start in time, seconds: {}",
                  kStartTime.count());
}

CloudServer::~CloudServer() {
  if (program_ != nullptr) ::pclose(program_);
}

}  // namespace aevum::objstore
