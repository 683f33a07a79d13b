// Answers that are a payload or a warning: of rules, targets, metadata, exemplars and statistics.
#pragma once

#include <string>
#include <string_view>

#include "base/status.h"
#include "encoding/proto_wire.h"

namespace aevum::wire {

// Reads { payload = 1, warning = 2 }. `read` takes the bytes of each payload and gives a Status.
// Corruption, with the name of the message, whatever is wrong with it.
template <typename Read>
Status ReadPayloadResponse(std::string_view bytes, std::string_view message, Read read,
                           std::string* warning) {
  encoding::ProtoReader reader(bytes);
  Status status;
  while (status.ok() && reader.Next()) {
    switch (reader.field()) {
      case 1:
        status = read(reader.Bytes());
        break;
      case 2:
        *warning = reader.Bytes();
        break;
      default:
        reader.Skip();
    }
  }
  if (status.ok()) status = reader.status();
  return status.ok() ? status : Corruption("{}: {}", message, status.message());
}

}  // namespace aevum::wire
