// Times and durations: google.protobuf.Timestamp { seconds = 1, nanos = 2 }, and doubles.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/status.h"
#include "base/timestamp.h"
#include "encoding/proto_wire.h"

namespace aevum::wire {

// Written also when it is the epoch.
void PutTimestamp(std::string& out, std::uint32_t field, const Timestamp& time);
// Corruption when the bytes are not the message, or the time is out of its range.
StatusOr<Timestamp> ReadTimestamp(std::string_view bytes);
// The field of a double that the reader stands on. Corruption when it is not finite: JSON has no
// such number.
StatusOr<double> ReadSeconds(encoding::ProtoReader& reader);

}  // namespace aevum::wire
