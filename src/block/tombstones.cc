#include "block/tombstones.h"

#include <algorithm>
#include <array>
#include <optional>
#include <set>
#include <utility>

#include "block/json_fields.h"

namespace aevum::block {
namespace {

using model::Matcher;
using model::MatchType;

constexpr int kVersion = 1;
constexpr std::string_view kSuffix = ".json";

constexpr std::array<std::pair<std::string_view, MatchType>, 4> kOperators = {
    {{"=", MatchType::kEqual},
     {"!=", MatchType::kNotEqual},
     {"=~", MatchType::kRegex},
     {"!~", MatchType::kNotRegex}}};

struct MatcherFields {
  std::string op;
  std::string name;
  std::string value;
};

StatusOr<Matcher> MakeMatcher(const MatcherFields& fields) {
  const auto* const it = std::find_if(kOperators.begin(), kOperators.end(),
                                      [&](const auto& entry) { return entry.first == fields.op; });
  if (it == kOperators.end()) return Corruption("matchers: unknown operator \"{}\"", fields.op);
  if (fields.name.empty()) return Corruption("matchers: no name");
  StatusOr<Matcher> matcher = Matcher::Create(it->second, fields.name, fields.value);
  // Whoever wrote the object is not the caller.
  if (!matcher.ok()) return Corruption("matchers: {}", matcher.status().message());
  return matcher;
}

// The id in the name of an object; nothing for objects of others.
std::optional<model::Ulid> IdInName(std::string_view name) {
  const std::size_t prefix = kTombstonesDirectory.size() + 1;
  if (!name.ends_with(kSuffix) || name.size() < prefix + kSuffix.size()) return std::nullopt;
  const StatusOr<model::Ulid> id =
      model::Ulid::Parse(name.substr(prefix, name.size() - prefix - kSuffix.size()));
  if (!id.ok()) return std::nullopt;
  return *id;
}

StatusOr<std::shared_ptr<const Tombstone>> Read(const Context& context, objstore::Bucket& bucket,
                                                const model::Ulid& id) {
  ASSIGN_OR_RETURN(const std::string text,
                   bucket.Get(context, TombstoneName(id), kMaxTombstoneBytes));
  ASSIGN_OR_RETURN(Tombstone tombstone, Tombstone::Parse(text));
  if (tombstone.id != id)
    return Corruption("id: {} is not that of the name", tombstone.id.ToString());
  return std::make_shared<const Tombstone>(std::move(tombstone));
}

}  // namespace

StatusOr<Tombstone> Tombstone::Parse(std::string_view text) {
  if (text.size() > kMaxTombstoneBytes)
    return Corruption("too large for a tombstone: {} bytes", text.size());
  ASSIGN_OR_RETURN(const JsonValue value, JsonValue::ParseWhole(text));
  Tombstone tombstone;
  int version = 0;
  std::vector<MatcherFields> matchers;
  const auto read_matcher = [](const JsonValue& element, const std::string& path,
                               MatcherFields* out) {
    return ReadFields(
        element, path,
        {{"op", Into(&out->op)}, {"name", Into(&out->name)}, {"value", Into(&out->value)}});
  };
  RETURN_IF_ERROR(ReadFields(value, "",
                             {{"version", Into(&version)},
                              {"id", Into(&tombstone.id)},
                              {"matchers", IntoList<MatcherFields>(&matchers, read_matcher)},
                              {"min_time", Into(&tombstone.min_time)},
                              {"max_time", Into(&tombstone.max_time)},
                              {"created", Into(&tombstone.created)},
                              {"author", Into(&tombstone.author)},
                              {"reason", Into(&tombstone.reason)}}));
  if (version != kVersion) return Corruption("version: unknown, {} is not {}", version, kVersion);
  for (const MatcherFields& fields : matchers) {
    ASSIGN_OR_RETURN(Matcher matcher, MakeMatcher(fields));
    tombstone.matchers.push_back(std::move(matcher));
  }
  if (const Status status = tombstone.Check(); !status.ok())
    return Corruption("{}", status.message());
  return tombstone;
}

std::string Tombstone::Write() const {
  JsonWriter json(JsonWriter::Form::kTabs);
  json.BeginObject();
  json.Key("version");
  json.Number(std::int64_t{kVersion});
  json.Key("id");
  json.String(id.ToString());
  json.Key("matchers");
  json.BeginArray();
  for (const Matcher& matcher : matchers) {
    json.BeginObject();
    json.Key("op");
    json.String(kOperators[static_cast<std::size_t>(matcher.type())].first);
    json.Key("name");
    json.String(matcher.name());
    json.Key("value");
    json.String(matcher.value());
    json.EndObject();
  }
  json.EndArray();
  json.Key("min_time");
  json.Number(min_time);
  json.Key("max_time");
  json.Number(max_time);
  json.Key("created");
  json.Number(created);
  json.Key("author");
  json.String(author);
  json.Key("reason");
  json.String(reason);
  json.EndObject();
  return std::move(json).Take() + "\n";
}

Status Tombstone::Check() const {
  if (std::all_of(matchers.begin(), matchers.end(),
                  [](const Matcher& matcher) { return matcher.MatchesEmpty(); }))
    return InvalidArgument("matchers: one of them must not match the empty value");
  if (min_time > max_time)
    return InvalidArgument("min_time {} is behind max_time {}", min_time, max_time);
  return OkStatus();
}

std::string TombstoneName(const model::Ulid& id) {
  return fmt::format("{}/{}{}", kTombstonesDirectory, id.ToString(), kSuffix);
}

Status PutTombstone(const Context& context, objstore::Bucket& bucket, const Tombstone& tombstone) {
  RETURN_IF_ERROR(tombstone.Check());
  const std::string text = tombstone.Write();
  if (text.size() > kMaxTombstoneBytes) {
    return InvalidArgument("a tombstone of {} bytes: at most {} are read", text.size(),
                           kMaxTombstoneBytes);
  }
  return bucket.Upload(context, TombstoneName(tombstone.id), objstore::BytesSource(text), {})
      .status();
}

Status RemoveTombstone(const Context& context, objstore::Bucket& bucket, const model::Ulid& id) {
  const std::string name = TombstoneName(id);
  ASSIGN_OR_RETURN(const bool there, bucket.Exists(context, name));
  if (!there) return NotFound("the bucket has no tombstone {}", id.ToString());
  return bucket.Delete(context, name);
}

StatusOr<std::shared_ptr<const Tombstones>> TombstoneReader::Sync(const Context& context) {
  std::set<model::Ulid> listed;
  RETURN_IF_ERROR(bucket_.Iterate(
      context, std::string(kTombstonesDirectory), {}, [&](const objstore::ListedObject& object) {
        const std::optional<model::Ulid> id = IdInName(object.name);
        if (!id.has_value()) return OkStatus();
        if (listed.size() == kMaxTombstones)
          return ResourceExhausted("more than {} tombstones", kMaxTombstones);
        listed.insert(*id);
        return OkStatus();
      }));
  auto tombstones = std::make_shared<Tombstones>();
  failed_ = 0;
  for (const model::Ulid& id : listed) {
    if (const auto it = known_->find(id); it != known_->end()) {
      tombstones->insert(*it);
      continue;
    }
    RETURN_IF_ERROR(context.status());
    StatusOr<std::shared_ptr<const Tombstone>> read = Read(context, bucket_, id);
    if (read.ok()) {
      tombstones->emplace(id, *std::move(read));
    } else if (read.status().code() != StatusCode::kNotFound) {  // removed since the listing
      ++failed_;
      logger_.Warn("tombstone can't be read, its samples are still shown",
                   {{"object", TombstoneName(id)}, {"err", read.status()}});
    }
  }
  known_ = tombstones;
  return known_;
}

}  // namespace aevum::block
