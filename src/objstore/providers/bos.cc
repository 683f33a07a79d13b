#include "objstore/providers/bos.h"

#include <nlohmann/json.hpp>

namespace aevum::objstore {

RestRequest BosDialect::ForPage(const std::string& root, const PageQuery& query) const {
  RestRequest request = S3Dialect::ForPage(root, query);
  for (auto& [name, value] : request.query) {
    if (name == "max-keys") name = "maxKeys";
  }
  return request;
}

StatusOr<ListingPage> BosDialect::ReadListing(std::string_view body) const {
  return ReadBosListing(body);
}

StatusOr<std::string> BosDialect::ReadUploadId(std::string_view body) const {
  return ReadJsonField(body, "uploadId");
}

std::string BosDialect::CompletionBody(const std::vector<UploadedPart>& parts) const {
  nlohmann::json list = nlohmann::json::array();
  for (const UploadedPart& part : parts) {
    std::string etag = part.etag;
    std::erase(etag, '"');
    list.push_back({{"partNumber", part.number}, {"eTag", std::move(etag)}});
  }
  // What the store sent need not be UTF-8.
  return nlohmann::json{{"parts", std::move(list)}}.dump(-1, ' ', false,
                                                         nlohmann::json::error_handler_t::replace);
}

StatusOr<std::string> BosDialect::ReadCompletion(const net::HttpClientResponse& response) const {
  if (const StoreError error = ReadJsonError(response.body); !error.code.empty()) {
    return Unavailable("the store answers {}: {}", OneLine(error.code), OneLine(error.message));
  }
  return ReadJsonField(response.body, "eTag");
}

}  // namespace aevum::objstore
