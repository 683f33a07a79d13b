// A real object store for tests: OpenStack Swift, which also speaks S3, on this machine.
#pragma once

#include <memory>
#include <string>

#include "base/files.h"
#include "base/status.h"

namespace aevum::objstore {

// Started by ../shared/tools/object-server on free ports, stopped at the end of its life.
class ObjectServer {
 public:
  // Unimplemented with the reason when the tool or the packages that it needs are not there.
  static StatusOr<std::unique_ptr<ObjectServer>> Start();
  ~ObjectServer();

  // "127.0.0.1:PORT"
  const std::string& address() const { return address_; }
  static constexpr const char* kUser = "test:tester";
  static constexpr const char* kKey = "testing";

 private:
  explicit ObjectServer(TemporaryDirectory state) : state_(std::move(state)) {}

  TemporaryDirectory state_;
  std::string address_;
};

}  // namespace aevum::objstore
