#include "wire/descriptors.h"

#include "encoding/proto_wire.h"

namespace aevum::wire {

// A FileDescriptorSet that the build makes of proto/.
extern const std::string_view kDescriptorSet;

std::vector<std::string_view> FileDescriptors() {
  std::vector<std::string_view> files;
  encoding::ProtoReader reader(kDescriptorSet);
  while (reader.Next()) files.push_back(reader.Bytes());
  return files;
}

}  // namespace aevum::wire
