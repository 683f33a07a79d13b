#include "objstore/providers/oci.h"

#include <nlohmann/json.hpp>

namespace aevum::objstore {

RestRequest OciDialect::ForPage(const std::string& root, const PageQuery& query) const {
  RestRequest request;
  request.path = root + "/o";
  request.query = {{"fields", "name,size,timeModified"}};
  if (query.depth == IterateOptions::Depth::kFlat) {
    request.query.emplace_back("delimiter", std::string(1, kDelimiter));
  }
  if (query.limit > 0) request.query.emplace_back("limit", std::to_string(query.limit));
  if (!query.prefix.empty()) request.query.emplace_back("prefix", query.prefix);
  if (!query.next.empty()) request.query.emplace_back("start", query.next);
  return request;
}

StatusOr<ListingPage> OciDialect::ReadListing(std::string_view body) const {
  return ReadOciListing(body);
}

RestRequest OciDialect::ForObject(const std::string& root, const std::string& name) const {
  RestRequest request;
  request.path = root + "/o/" + EncodePath(name);
  return request;
}

RestRequest OciDialect::BeginParts(const std::string& root, const std::string& name,
                                   const std::string& content_type) const {
  nlohmann::json details = {{"object", name}};
  if (!content_type.empty()) details["contentType"] = content_type;
  RestRequest request;
  request.method = "POST";
  request.path = root + "/u";
  request.SetHeader("Content-Type", CompletionType());
  // A name that is not UTF-8 can't be told in JSON; the parts then go to no upload, an error.
  request.body = details.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  return request;
}

StatusOr<std::string> OciDialect::ReadUploadId(std::string_view body) const {
  return ReadJsonField(body, "uploadId");
}

RestRequest OciDialect::ForPart(const std::string& root, const std::string& name,
                                const std::string& id, int number) const {
  RestRequest request = ForUpload(root, name, id);
  request.method = "PUT";
  request.query.emplace_back("uploadPartNum", std::to_string(number));
  return request;
}

RestRequest OciDialect::ForUpload(const std::string& root, const std::string& name,
                                  const std::string& id) const {
  RestRequest request;
  request.path = root + "/u/" + EncodePath(name);
  request.query = {{"uploadId", id}};
  return request;
}

std::string OciDialect::CompletionBody(const std::vector<UploadedPart>& parts) const {
  nlohmann::json list = nlohmann::json::array();
  for (const UploadedPart& part : parts) {
    list.push_back({{"partNum", part.number}, {"etag", part.etag}});
  }
  return nlohmann::json{{"partsToCommit", std::move(list)}}.dump(
      -1, ' ', false, nlohmann::json::error_handler_t::replace);
}

StatusOr<std::string> OciDialect::ReadCompletion(const net::HttpClientResponse& response) const {
  return std::string(response.Header("ETag"));
}

}  // namespace aevum::objstore
