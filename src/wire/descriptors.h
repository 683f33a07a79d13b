// The protobuf files of the services that Aevum offers, for gRPC reflection.
#pragma once

#include <string_view>
#include <vector>

namespace aevum::wire {

// A serialized FileDescriptorProto for each file of proto/ and for what they import. The bytes live
// as long as the program.
std::vector<std::string_view> FileDescriptors();

}  // namespace aevum::wire
