#include "wire/targets_api.h"

#include "encoding/proto_wire.h"
#include "wire/label_codec.h"
#include "wire/payload_response.h"
#include "wire/request_fields.h"
#include "wire/timestamp_codec.h"

namespace aevum::wire {
namespace {

using encoding::ProtoReader;
using encoding::PutBytesField;
using encoding::PutDoubleField;
using encoding::PutVarintField;

std::string ActiveBytes(const ActiveTarget& target) {
  std::string out;
  PutLabelSet(out, 1, target.discovered_labels);
  PutLabelSet(out, 2, target.labels);
  PutText(out, 3, target.scrape_pool);
  PutText(out, 4, target.scrape_url);
  PutText(out, 5, target.global_url);
  PutText(out, 6, target.last_error);
  PutTimestamp(out, 7, target.last_scrape);
  PutDoubleField(out, 8, target.last_scrape_seconds);
  PutVarintField(out, 9, static_cast<std::uint64_t>(target.health));
  return out;
}

StatusOr<ActiveTarget> ReadActive(std::string_view bytes) {
  ProtoReader reader(bytes);
  ActiveTarget target;
  while (reader.Next()) {
    switch (reader.field()) {
      case 1: {
        ASSIGN_OR_RETURN(target.discovered_labels, ReadLabelSet(reader.Bytes()));
        break;
      }
      case 2: {
        ASSIGN_OR_RETURN(target.labels, ReadLabelSet(reader.Bytes()));
        break;
      }
      case 3:
        target.scrape_pool = reader.Bytes();
        break;
      case 4:
        target.scrape_url = reader.Bytes();
        break;
      case 5:
        target.global_url = reader.Bytes();
        break;
      case 6:
        target.last_error = reader.Bytes();
        break;
      case 7: {
        ASSIGN_OR_RETURN(target.last_scrape, ReadTimestamp(reader.Bytes()));
        break;
      }
      case 8: {
        ASSIGN_OR_RETURN(target.last_scrape_seconds, ReadSeconds(reader));
        break;
      }
      case 9: {
        const std::uint64_t health = reader.Varint();
        if (health > 2) return Corruption("unknown health of a target: {}", health);
        target.health = static_cast<TargetHealth>(health);
        break;
      }
      default:
        reader.Skip();
    }
  }
  RETURN_IF_ERROR(reader.status());
  return target;
}

StatusOr<DroppedTarget> ReadDropped(std::string_view bytes) {
  ProtoReader reader(bytes);
  DroppedTarget target;
  while (reader.Next()) {
    if (reader.field() == 1) {
      ASSIGN_OR_RETURN(target.discovered_labels, ReadLabelSet(reader.Bytes()));
    } else {
      reader.Skip();
    }
  }
  RETURN_IF_ERROR(reader.status());
  return target;
}

StatusOr<TargetDiscovery> ReadTargets(std::string_view bytes) {
  ProtoReader reader(bytes);
  TargetDiscovery targets;
  while (reader.Next()) {
    switch (reader.field()) {
      case 1: {
        ASSIGN_OR_RETURN(ActiveTarget target, ReadActive(reader.Bytes()));
        targets.active.push_back(std::move(target));
        break;
      }
      case 2: {
        ASSIGN_OR_RETURN(DroppedTarget target, ReadDropped(reader.Bytes()));
        targets.dropped.push_back(std::move(target));
        break;
      }
      default:
        reader.Skip();
    }
  }
  RETURN_IF_ERROR(reader.status());
  return targets;
}

Status ReadRequest(std::string_view bytes, TargetsRequest* request) {
  ProtoReader reader(bytes);
  while (reader.Next()) {
    switch (reader.field()) {
      case 1: {
        const std::uint64_t state = reader.Varint();
        if (state > 2) return InvalidArgument("unknown state of targets: {}", state);
        request->state = static_cast<TargetState>(state);
        break;
      }
      case 2: {
        ASSIGN_OR_RETURN(request->partial_response, ReadPartialResponse(reader.Varint()));
        break;
      }
      default:
        reader.Skip();
    }
  }
  return reader.status();
}

}  // namespace

std::string Encode(const TargetsRequest& request) {
  std::string out;
  PutVarintField(out, 1, static_cast<std::uint64_t>(request.state));
  PutVarintField(out, 2, static_cast<std::uint64_t>(request.partial_response));
  return out;
}

std::string EncodeTargetsResponse(const TargetDiscovery& targets) {
  std::string bytes;
  for (const ActiveTarget& target : targets.active) PutBytesField(bytes, 1, ActiveBytes(target));
  for (const DroppedTarget& target : targets.dropped) {
    std::string dropped;
    PutLabelSet(dropped, 1, target.discovered_labels);
    PutBytesField(bytes, 2, dropped);
  }
  std::string out;
  PutBytesField(out, 1, bytes);
  return out;
}

std::string EncodeTargetsWarning(std::string_view warning) {
  std::string out;
  PutBytesField(out, 2, warning);
  return out;
}

StatusOr<TargetsRequest> DecodeTargetsRequest(std::string_view bytes) {
  TargetsRequest request;
  RETURN_IF_ERROR(NotTheMessage(ReadRequest(bytes, &request), "TargetsRequest"));
  return request;
}

StatusOr<TargetsResponse> DecodeTargetsResponse(std::string_view bytes) {
  TargetsResponse response;
  const auto read = [&](std::string_view payload) -> Status {
    ASSIGN_OR_RETURN(response.targets, ReadTargets(payload));
    return OkStatus();
  };
  RETURN_IF_ERROR(ReadPayloadResponse(bytes, "TargetsResponse", read, &response.warning));
  if (!response.targets && response.warning.empty())
    return Corruption("TargetsResponse: no targets");
  return response;
}

}  // namespace aevum::wire
