// A request to a store over HTTP, before and while it is signed.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "objstore/bucket.h"

namespace aevum::objstore {

using Fields = std::vector<std::pair<std::string, std::string>>;

struct RestRequest {
  std::string method = "GET";
  std::string scheme;      // "" for that of the client
  std::string host;        // as in the Host header, with the port where it is not the usual one
  std::string path = "/";  // encoded, as it goes out
  Fields query;            // not encoded; "" for a parameter without a value
  Fields headers;
  std::string body;
  // Instead of `body`: a part of what is uploaded. Borrowed.
  const UploadSource* source = nullptr;
  std::int64_t source_offset = 0;
  std::int64_t source_size = 0;
  // A status that is an answer and no error, beside those of 2xx.
  int expected_status = 0;

  // "" when there is none.
  std::string_view Header(std::string_view name) const;
  void SetHeader(std::string_view name, std::string value);
  // path?query, encoded.
  std::string Target() const;
  std::int64_t body_size() const {
    return source != nullptr ? source_size : static_cast<std::int64_t>(body.size());
  }
};

// Encodes what is not unreserved, but leaves '/'.
std::string EncodePath(std::string_view name);
// As signatures have it: encoded, in the order of names and values, each with its '='.
std::string CanonicalQuery(const Fields& query);

}  // namespace aevum::objstore
