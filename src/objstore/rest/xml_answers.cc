#include <algorithm>
#include <charconv>

#include <pugixml.hpp>

#include "base/duration.h"
#include "net/url.h"
#include "objstore/rest/answers.h"

namespace aevum::objstore {
namespace {

// Without document types there are no entities but the five of XML itself, and nothing outside the
// text is ever opened.
constexpr unsigned kParseOptions = pugi::parse_escapes | pugi::parse_cdata | pugi::parse_eol;

Status Parse(std::string_view xml, std::string_view root, pugi::xml_document& document) {
  const pugi::xml_parse_result result =
      document.load_buffer(xml.data(), xml.size(), kParseOptions, pugi::encoding_utf8);
  if (!result) {
    return Internal("the store answers what is not XML: {}, offset: {}", result.description(),
                    result.offset);
  }
  const std::string_view name = document.document_element().name();
  if (name != root) return Internal("the store answers <{}> in place of <{}>", OneLine(name), root);
  return OkStatus();
}

StatusOr<std::int64_t> ParseSize(std::string_view text) {
  std::int64_t size = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), size);
  if (text.empty() || error != std::errc() || end != text.data() + text.size() || size < 0) {
    return Internal("the store lists a size that is none: '{}'", OneLine(text));
  }
  return size;
}

class S3ListingReader {
 public:
  explicit S3ListingReader(const pugi::xml_node& root)
      : root_(root), encoded_(std::string_view(root.child_value("EncodingType")) == "url") {}

  StatusOr<ListingPage> Read() {
    for (const pugi::xml_node& node : root_.children("Contents")) RETURN_IF_ERROR(AddObject(node));
    for (const pugi::xml_node& node : root_.children("CommonPrefixes")) {
      ListedObject directory;
      ASSIGN_OR_RETURN(directory.name, Name(node.child_value("Prefix")));
      page_.entries.push_back(std::move(directory));
    }
    std::sort(page_.entries.begin(), page_.entries.end(),
              [](const ListedObject& a, const ListedObject& b) { return a.name < b.name; });
    RETURN_IF_ERROR(SetNext());
    return std::move(page_);
  }

 private:
  StatusOr<std::string> Name(std::string_view text) const {
    if (!encoded_) return std::string(text);
    StatusOr<std::string> name = net::PercentDecode(text, true);
    if (!name.ok())
      return Internal("the store lists a name that is not encoded: {}", OneLine(text));
    return name;
  }

  Status AddObject(const pugi::xml_node& node) {
    ListedObject object;
    ASSIGN_OR_RETURN(object.name, Name(node.child_value("Key")));
    if (object.name.empty()) return Internal("the store lists an object without a name");
    ASSIGN_OR_RETURN(object.size_bytes, ParseSize(node.child_value("Size")));
    ASSIGN_OR_RETURN(object.last_modified_ms, ParseStoreTime(node.child_value("LastModified")));
    page_.entries.push_back(std::move(object));
    return OkStatus();
  }

  // Version 1 tells the next marker only in flat listings; else it is the last name.
  Status SetNext() {
    if (std::string_view(root_.child_value("IsTruncated")) != "true") return OkStatus();
    page_.next = root_.child_value("NextContinuationToken");
    if (!page_.next.empty()) return OkStatus();
    ASSIGN_OR_RETURN(page_.next, Name(root_.child_value("NextMarker")));
    if (page_.next.empty() && !page_.entries.empty()) page_.next = page_.entries.back().name;
    if (page_.next.empty()) return Internal("the store lists a part and not where the next starts");
    return OkStatus();
  }

  const pugi::xml_node root_;
  const bool encoded_;
  ListingPage page_;
};

StatusOr<ListedObject> ReadAzureBlob(const pugi::xml_node& node) {
  ListedObject object;
  const pugi::xml_node name = node.child("Name");
  object.name = name.child_value();
  if (name.attribute("Encoded").as_bool()) {
    ASSIGN_OR_RETURN(object.name, net::PercentDecode(object.name, false));
  }
  if (object.name.empty()) return Internal("the store lists a blob without a name");
  if (std::string_view(node.name()) != "Blob") return object;
  const pugi::xml_node properties = node.child("Properties");
  ASSIGN_OR_RETURN(object.size_bytes, ParseSize(properties.child_value("Content-Length")));
  ASSIGN_OR_RETURN(object.last_modified_ms, ParseHttpDate(properties.child_value("Last-Modified")));
  return object;
}

}  // namespace

StatusOr<TimestampMs> ParseStoreTime(std::string_view text) {
  std::string zoned(text);
  if (!zoned.empty() && zoned.find_first_of("Z+", 10) == std::string::npos) zoned += "Z";
  const StatusOr<TimestampMs> time = ParseRfc3339(zoned);
  if (!time.ok()) return Internal("the store tells a time that is none: '{}'", OneLine(text));
  return time;
}

StatusOr<ListingPage> ReadS3Listing(std::string_view xml) {
  pugi::xml_document document;
  RETURN_IF_ERROR(Parse(xml, "ListBucketResult", document));
  return S3ListingReader(document.document_element()).Read();
}

StatusOr<ListingPage> ReadAzureListing(std::string_view xml) {
  pugi::xml_document document;
  RETURN_IF_ERROR(Parse(xml, "EnumerationResults", document));
  ListingPage page;
  for (const pugi::xml_node& node : document.document_element().child("Blobs").children()) {
    const std::string_view kind = node.name();
    if (kind != "Blob" && kind != "BlobPrefix") continue;
    const pugi::xml_node resource = node.child("Properties").child("ResourceType");
    if (kind == "Blob" && std::string_view(resource.child_value()) == "directory") continue;
    ASSIGN_OR_RETURN(ListedObject object, ReadAzureBlob(node));
    page.entries.push_back(std::move(object));
  }
  page.next = document.document_element().child_value("NextMarker");
  std::sort(page.entries.begin(), page.entries.end(),
            [](const ListedObject& a, const ListedObject& b) { return a.name < b.name; });
  return page;
}

StatusOr<std::string> ReadXmlField(std::string_view xml, std::string_view root,
                                   std::string_view child) {
  pugi::xml_document document;
  RETURN_IF_ERROR(Parse(xml, root, document));
  pugi::xml_node node = document.document_element();
  while (!child.empty()) {
    const std::size_t dot = child.find('.');
    node = node.child(std::string(child.substr(0, dot)).c_str());
    child = dot == std::string_view::npos ? std::string_view() : child.substr(dot + 1);
  }
  if (!node) return Internal("the store's <{}> lacks a field", root);
  return std::string(node.child_value());
}

StatusOr<std::string> ReadXmlRoot(std::string_view xml, std::string_view root) {
  pugi::xml_document document;
  RETURN_IF_ERROR(Parse(xml, root, document));
  return std::string(document.document_element().child_value());
}

StoreError ReadXmlError(std::string_view body) {
  pugi::xml_document document;
  if (!Parse(body, "Error", document).ok()) return {};
  const pugi::xml_node error = document.document_element();
  return {error.child_value("Code"), error.child_value("Message")};
}

StoreError ReadTextError(std::string_view body) {
  const std::string_view line = body.substr(0, body.find('\n'));
  return {"", line.starts_with('<') ? std::string() : std::string(line)};
}

}  // namespace aevum::objstore
