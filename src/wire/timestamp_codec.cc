#include "wire/timestamp_codec.h"

#include <cmath>

namespace aevum::wire {

void PutTimestamp(std::string& out, std::uint32_t field, const Timestamp& time) {
  std::string bytes;
  encoding::PutInt64Field(bytes, 1, time.seconds);
  encoding::PutInt64Field(bytes, 2, time.nanos);
  encoding::PutBytesField(out, field, bytes);
}

StatusOr<Timestamp> ReadTimestamp(std::string_view bytes) {
  encoding::ProtoReader reader(bytes);
  std::int64_t seconds = 0;
  std::int64_t nanos = 0;
  while (reader.Next()) {
    switch (reader.field()) {
      case 1:
        seconds = reader.Int64();
        break;
      case 2:
        nanos = reader.Int64();
        break;
      default:
        reader.Skip();
    }
  }
  RETURN_IF_ERROR(reader.status());
  const Timestamp time{.seconds = seconds, .nanos = static_cast<std::int32_t>(nanos)};
  if (time.nanos != nanos || !IsValid(time))
    return Corruption("a time is out of range: {} s and {} ns", seconds, nanos);
  return time;
}

StatusOr<double> ReadSeconds(encoding::ProtoReader& reader) {
  const double seconds = reader.Double();
  if (!std::isfinite(seconds)) return Corruption("a number of seconds is not finite");
  return seconds;
}

}  // namespace aevum::wire
