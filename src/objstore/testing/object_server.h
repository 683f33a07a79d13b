// A real object store for tests: OpenStack Swift, which also speaks S3, on this machine.
#pragma once

#include <cstdio>
#include <memory>
#include <string>

#include "base/status.h"

namespace aevum::objstore {

// Started by ../shared/tools/object-server on free ports. A process beside this one starts the
// servers, and stops them and removes their files when this one lets go of it: at the end of the
// object's life or of the test program, however that ends.
class ObjectServer {
 public:
  // The one server for all tests of a program. Unimplemented with the reason when the tool or the
  // packages that it needs are not there, or its servers don't come up on this machine.
  static const StatusOr<std::unique_ptr<ObjectServer>>& Shared();
  ~ObjectServer();
  ObjectServer(const ObjectServer&) = delete;
  ObjectServer& operator=(const ObjectServer&) = delete;

  // "127.0.0.1:PORT"
  const std::string& address() const { return address_; }
  static constexpr const char* kUser = "test:tester";
  static constexpr const char* kKey = "testing";

 private:
  ObjectServer() = default;
  static StatusOr<std::unique_ptr<ObjectServer>> StartOne();
  static StatusOr<std::unique_ptr<ObjectServer>> StartAt(int port);

  std::string address_;
  std::FILE* keeper_ = nullptr;  // the input of the process beside; its end tells it to stop all
};

}  // namespace aevum::objstore
