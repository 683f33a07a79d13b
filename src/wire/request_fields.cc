#include "wire/request_fields.h"

#include "encoding/proto_wire.h"

namespace aevum::wire {

using encoding::ProtoReader;
using encoding::PutBytesField;
using encoding::PutInt64Field;
using encoding::PutVarintField;

Status NotTheMessage(const Status& status, std::string_view message) {
  if (status.ok() || status.code() == StatusCode::kInvalidArgument) return status;
  return InvalidArgument("{}: {}", message, status.message());
}

StatusOr<PartialResponse> ReadPartialResponse(std::uint64_t value) {
  if (value > 1) return InvalidArgument("unknown partial response strategy: {}", value);
  return static_cast<PartialResponse>(value);
}

void PutStrings(std::string& out, std::uint32_t field, const std::vector<std::string>& strings) {
  for (const std::string& text : strings) PutBytesField(out, field, text);
}

void PutText(std::string& out, std::uint32_t field, std::string_view text) {
  if (!text.empty()) PutBytesField(out, field, text);
}

void PutMatchers(std::string& out, std::uint32_t field, const model::Matchers& matchers) {
  for (const model::Matcher& matcher : matchers) {
    std::string bytes;
    PutVarintField(bytes, 1, static_cast<std::uint64_t>(matcher.type()));
    PutText(bytes, 2, matcher.name());
    PutText(bytes, 3, matcher.value());
    PutBytesField(out, field, bytes);
  }
}

Status ReadMatcher(std::string_view bytes, model::Matchers* matchers) {
  ProtoReader reader(bytes);
  std::uint64_t type = 0;
  std::string_view name;
  std::string_view value;
  while (reader.Next()) {
    switch (reader.field()) {
      case 1:
        type = reader.Varint();
        break;
      case 2:
        name = reader.Bytes();
        break;
      case 3:
        value = reader.Bytes();
        break;
      default:
        reader.Skip();
    }
  }
  RETURN_IF_ERROR(reader.status());
  if (type > 3)
    return InvalidArgument("matcher of label \"{}\" has an unknown type: {}", name, type);
  ASSIGN_OR_RETURN(model::Matcher matcher,
                   model::Matcher::Create(static_cast<model::MatchType>(type), std::string(name),
                                          std::string(value)));
  matchers->push_back(std::move(matcher));
  return OkStatus();
}

void PutShardInfo(std::string& out, std::uint32_t field, const ShardInfo& shard) {
  std::string bytes;
  PutInt64Field(bytes, 1, shard.shard_index);
  PutInt64Field(bytes, 2, shard.total_shards);
  PutVarintField(bytes, 3, shard.by ? 1 : 0);
  PutStrings(bytes, 4, shard.labels);
  PutBytesField(out, field, bytes);
}

StatusOr<ShardInfo> ReadShardInfo(std::string_view bytes) {
  ProtoReader reader(bytes);
  ShardInfo shard;
  while (reader.Next()) {
    switch (reader.field()) {
      case 1:
        shard.shard_index = reader.Int64();
        break;
      case 2:
        shard.total_shards = reader.Int64();
        break;
      case 3:
        shard.by = reader.Varint() != 0;
        break;
      case 4:
        shard.labels.emplace_back(reader.Bytes());
        break;
      default:
        reader.Skip();
    }
  }
  RETURN_IF_ERROR(reader.status());
  return shard;
}

}  // namespace aevum::wire
