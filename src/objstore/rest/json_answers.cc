#include <algorithm>
#include <charconv>
#include <optional>

#include <nlohmann/json.hpp>

#include "objstore/rest/answers.h"

namespace aevum::objstore {
namespace {

using Json = nlohmann::json;

// No exceptions; a discarded value for what is no JSON.
Json Parse(std::string_view text) { return Json::parse(text, nullptr, false); }

// "" when it is not there, and for what is neither text nor number.
std::string TextOf(const Json& object, const char* name) {
  if (!object.is_object()) return {};
  const auto found = object.find(name);
  if (found == object.end()) return {};
  if (found->is_string()) return found->get<std::string>();
  return found->is_number() ? found->dump() : std::string();
}

// Numbers come as such or, from Google, as text.
StatusOr<std::int64_t> SizeOf(const Json& object, const char* name) {
  const std::string text = TextOf(object, name);
  std::int64_t size = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), size);
  if (text.empty() || error != std::errc() || end != text.data() + text.size() || size < 0) {
    return Internal("the store lists a size that is none: '{}'", OneLine(text));
  }
  return size;
}

struct ObjectFields {
  const char* name;
  const char* size;
  const char* time;
};

StatusOr<ListedObject> ReadObject(const Json& entry, const ObjectFields& fields) {
  ListedObject object;
  object.name = TextOf(entry, fields.name);
  if (object.name.empty()) return Internal("the store lists an object without a name");
  ASSIGN_OR_RETURN(object.size_bytes, SizeOf(entry, fields.size));
  ASSIGN_OR_RETURN(object.last_modified_ms, ParseStoreTime(TextOf(entry, fields.time)));
  return object;
}

// What each store calls the same things.
struct ListingFields {
  const char* objects;
  ObjectFields object;
  const char* directories;
  const char* directory;  // the field of a directory's name; null when the entry is the name
  const char* next;
};

Status AddDirectories(const Json& list, const char* field, ListingPage& page) {
  for (const Json& entry : list) {
    ListedObject directory;
    if (field != nullptr) {
      directory.name = TextOf(entry, field);
    } else if (entry.is_string()) {
      directory.name = entry.get<std::string>();
    }
    if (directory.name.empty()) return Internal("the store lists a directory without a name");
    page.entries.push_back(std::move(directory));
  }
  return OkStatus();
}

StatusOr<ListingPage> ReadListing(std::string_view text, const ListingFields& fields) {
  const Json json = Parse(text);
  if (!json.is_object()) return Internal("the store answers what is no listing in JSON");
  ListingPage page;
  if (const auto list = json.find(fields.objects); list != json.end() && list->is_array()) {
    for (const Json& entry : *list) {
      ASSIGN_OR_RETURN(ListedObject object, ReadObject(entry, fields.object));
      page.entries.push_back(std::move(object));
    }
  }
  if (const auto list = json.find(fields.directories); list != json.end() && list->is_array()) {
    RETURN_IF_ERROR(AddDirectories(*list, fields.directory, page));
  }
  std::sort(page.entries.begin(), page.entries.end(),
            [](const ListedObject& a, const ListedObject& b) { return a.name < b.name; });
  page.next = TextOf(json, fields.next);
  return page;
}

}  // namespace

StatusOr<ListingPage> ReadBosListing(std::string_view json) {
  ASSIGN_OR_RETURN(
      ListingPage page,
      ReadListing(
          json,
          {"contents", {"key", "size", "lastModified"}, "commonPrefixes", "prefix", "nextMarker"}));
  if (!page.next.empty()) return page;
  const Json listing = Parse(json);
  const auto truncated = listing.find("isTruncated");
  if (truncated == listing.end() || *truncated != true) return page;
  if (page.entries.empty()) {
    return Internal("the store lists a part and not where the next starts");
  }
  page.next = page.entries.back().name;
  return page;
}

StatusOr<ListingPage> ReadGcsListing(std::string_view json) {
  return ReadListing(json,
                     {"items", {"name", "size", "updated"}, "prefixes", nullptr, "nextPageToken"});
}

StatusOr<ObjectAttributes> ReadGcsObject(std::string_view json) {
  const Json object = Parse(json);
  ObjectAttributes attributes;
  ASSIGN_OR_RETURN(attributes.size_bytes, SizeOf(object, "size"));
  ASSIGN_OR_RETURN(attributes.last_modified_ms, ParseStoreTime(TextOf(object, "updated")));
  attributes.version = TextOf(object, "generation");
  if (attributes.version.empty()) return Internal("the store tells no generation of an object");
  return attributes;
}

StatusOr<ListingPage> ReadOciListing(std::string_view json) {
  return ReadListing(
      json, {"objects", {"name", "size", "timeModified"}, "prefixes", nullptr, "nextStartWith"});
}

StatusOr<std::vector<ListedObject>> ReadSwiftListing(std::string_view json) {
  const Json list = Parse(json);
  if (!list.is_array()) return Internal("the store answers what is no listing in JSON");
  std::vector<ListedObject> objects;
  for (const Json& entry : list) {
    if (std::string directory = TextOf(entry, "subdir"); !directory.empty()) {
      objects.push_back({std::move(directory), std::nullopt, std::nullopt});
      continue;
    }
    ASSIGN_OR_RETURN(ListedObject object, ReadObject(entry, {"name", "bytes", "last_modified"}));
    objects.push_back(std::move(object));
  }
  return objects;
}

StatusOr<std::string> ReadJsonField(std::string_view json, std::string_view path) {
  const Json parsed = Parse(json);
  const Json* value = &parsed;
  std::string_view rest = path;
  while (true) {
    const std::size_t dot = rest.find('.');
    const std::string name(rest.substr(0, dot));
    if (!value->is_object() || !value->contains(name)) {
      return Internal("the answer in JSON lacks a field: {}", path);
    }
    if (dot == std::string_view::npos) return TextOf(*value, name.c_str());
    value = &value->at(name);
    rest.remove_prefix(dot + 1);
  }
}

StatusOr<std::string> ReadJsonText(std::string_view json) {
  const Json parsed = Parse(json);
  if (!parsed.is_string()) return Internal("the answer is no text in JSON");
  return parsed.get<std::string>();
}

StoreError ReadJsonError(std::string_view body) {
  const Json json = Parse(body);
  if (!json.is_object()) return {};
  const auto inner = json.find("error");
  if (inner != json.end() && inner->is_object()) {
    return {TextOf(*inner, "code"), TextOf(*inner, "message")};
  }
  return {TextOf(json, "code"), TextOf(json, "message")};
}

}  // namespace aevum::objstore
