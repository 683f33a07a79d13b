// Answers of grpc.reflection.v1 and v1alpha, which have the same messages.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace aevum::net::grpc {

// Knows the files that were added and the symbols they declare. Immutable after the server has
// started, hence safe to share.
class Reflection {
 public:
  // A serialized FileDescriptorProto. InvalidArgument when it can't be read or has no name.
  Status AddFile(std::string serialized);
  void AddService(std::string name) { services_.insert(std::move(name)); }

  // The serialized ServerReflectionResponse to a ServerReflectionRequest.
  std::string Answer(std::string_view request) const;

 private:
  struct File {
    std::string serialized;
    std::vector<std::string> dependencies;
  };

  void AddMessage(std::string_view message, const std::string& scope, const std::string& file);
  // The file and all that it imports, as FileDescriptorResponse.
  std::string FileAnswer(const std::string& name) const;

  std::map<std::string, File> files_;
  std::map<std::string, std::string> file_of_symbol_;
  std::set<std::string> services_;
};

}  // namespace aevum::net::grpc
