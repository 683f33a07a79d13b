#include "block/marks.h"

#include "block/json_fields.h"
#include "block/meta.h"

namespace aevum::block {
namespace {

constexpr int kVersion = 1;
constexpr std::size_t kMaxMarkBytes = 1 << 20;

std::string_view TimeField(MarkKind kind) {
  switch (kind) {
    case MarkKind::kDeletion:
      return "deletion_time";
    case MarkKind::kNoCompact:
      return "no_compact_time";
    case MarkKind::kNoDownsample:
      return "no_downsample_time";
  }
  return "";
}

}  // namespace

std::string_view MarkFile(MarkKind kind) {
  switch (kind) {
    case MarkKind::kDeletion:
      return "deletion-mark.json";
    case MarkKind::kNoCompact:
      return "no-compact-mark.json";
    case MarkKind::kNoDownsample:
      return "no-downsample-mark.json";
  }
  return "";
}

StatusOr<Mark> Mark::Parse(MarkKind kind, std::string_view text) {
  if (text.size() > kMaxMarkBytes) return Corruption("too large for a mark: {} bytes", text.size());
  ASSIGN_OR_RETURN(const JsonValue value, JsonValue::ParseWhole(text));
  Mark mark;
  mark.kind = kind;
  int version = 0;
  // A deletion has no reason; one that stands there all the same is read and not written.
  std::string reason;
  if (!value.IsNull()) {
    RETURN_IF_ERROR(ReadFields(value, "",
                               {{"id", Into(&mark.block)},
                                {"version", Into(&version)},
                                {"details", Into(&mark.details)},
                                {TimeField(kind), Into(&mark.time_seconds)},
                                {"reason", Into(&reason)}}));
  }
  if (version != kVersion) return Corruption("version: unknown, {} is not {}", version, kVersion);
  if (kind != MarkKind::kDeletion) mark.reason = std::move(reason);
  return mark;
}

std::string Mark::Write() const {
  JsonWriter json(JsonWriter::Form::kCompact);
  json.BeginObject();
  json.Key("id");
  json.String(block.ToString());
  json.Key("version");
  json.Number(std::int64_t{kVersion});
  if (!details.empty()) {
    json.Key("details");
    json.String(details);
  }
  json.Key(TimeField(kind));
  json.Number(time_seconds);
  if (kind != MarkKind::kDeletion) {
    json.Key("reason");
    json.String(reason);
  }
  json.EndObject();
  return std::move(json).Take();
}

StatusOr<Mark> ReadMark(const Context& context, objstore::Bucket& bucket, MarkKind kind,
                        const model::Ulid& block) {
  const std::string name = ObjectName(block, MarkFile(kind));
  const StatusOr<std::string> text = bucket.Get(context, name, kMaxMarkBytes);
  if (text.status().code() == StatusCode::kResourceExhausted)
    return Corruption("{}: too large for a mark: {}", name, text.status().message());
  RETURN_IF_ERROR(text.status());
  StatusOr<Mark> mark = Mark::Parse(kind, *text);
  if (!mark.ok()) return Annotate(mark.status(), name);
  return mark;
}

bool IsDue(const Mark& mark, TimestampMs now, std::chrono::milliseconds delay) {
  std::int64_t marked = 0;
  std::int64_t age = 0;
  if (__builtin_mul_overflow(mark.time_seconds, std::int64_t{1000}, &marked) ||
      __builtin_sub_overflow(now, marked, &age))
    return false;
  return age > delay.count();
}

StatusOr<bool> PutMark(const Context& context, objstore::Bucket& bucket, const Mark& mark) {
  const std::string name = ObjectName(mark.block, MarkFile(mark.kind));
  ASSIGN_OR_RETURN(const bool there, bucket.Exists(context, name));
  if (there) return false;
  const std::string text = mark.Write();
  if (text.size() > kMaxMarkBytes)
    return InvalidArgument("a mark of {} bytes: at most {} are read", text.size(), kMaxMarkBytes);
  RETURN_IF_ERROR(bucket.Upload(context, name, objstore::BytesSource(text), {}).status());
  return true;
}

StatusOr<bool> PutMarkOfExisting(const Context& context, objstore::Bucket& bucket,
                                 const Mark& mark) {
  bool any = false;
  RETURN_IF_ERROR(
      bucket.Iterate(context, mark.block.ToString(), {}, [&](const objstore::ListedObject&) {
        any = true;
        return OkStatus();
      }));
  if (!any) return NotFound("the bucket has no block {}", mark.block.ToString());
  return PutMark(context, bucket, mark);
}

}  // namespace aevum::block
