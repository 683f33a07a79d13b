// The answers of stores in XML and JSON, read without trust.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "objstore/bucket.h"
#include "objstore/rest/rest_client.h"

namespace aevum::objstore {

// A page of a listing. Objects and directories stand together in the order of their names.
struct ListingPage {
  std::vector<ListedObject> entries;
  // Where the next page starts; "" when this is the last.
  std::string next;
};

// All of these answer Internal for a body that is not what it should be: the store, or something
// between, is not what is configured. Bodies are bounded by RestClient.

// ListBucketResult of S3 and of those like it, both versions.
StatusOr<ListingPage> ReadS3Listing(std::string_view xml);
// The listing of BOS.
StatusOr<ListingPage> ReadBosListing(std::string_view json);
// EnumerationResults of Azure. What a hierarchical namespace lists as a directory is left out.
StatusOr<ListingPage> ReadAzureListing(std::string_view xml);
// The listing of Swift in JSON: a list without a mark of its end.
StatusOr<std::vector<ListedObject>> ReadSwiftListing(std::string_view json);
// The listing of Google's JSON API.
StatusOr<ListingPage> ReadGcsListing(std::string_view json);
// An object of Google's JSON API: size, time, and its generation as the version.
StatusOr<ObjectAttributes> ReadGcsObject(std::string_view json);
// The listing of OCI.
StatusOr<ListingPage> ReadOciListing(std::string_view json);

// The text of a child of the root, "" when it is empty; "." leads deeper. Internal when it is not
// there.
StatusOr<std::string> ReadXmlField(std::string_view xml, std::string_view root,
                                   std::string_view child);
// The text of the root itself.
StatusOr<std::string> ReadXmlRoot(std::string_view xml, std::string_view root);
// A field of the object that the JSON text is, through dots: "token.expires_at". Numbers come as
// text. Internal when it is not there.
StatusOr<std::string> ReadJsonField(std::string_view json, std::string_view path);

// The text that the whole answer is in JSON. Internal for all else.
StatusOr<std::string> ReadJsonText(std::string_view json);

// <Error><Code/><Message/></Error>; empty for all else.
StoreError ReadXmlError(std::string_view body);
// {"code": ..., "message": ...}, or {"error": {"code": ..., "message": ...}}; empty for all else.
StoreError ReadJsonError(std::string_view body);
// A first line of text, for stores that answer errors as pages.
StoreError ReadTextError(std::string_view body);

// "2013-05-24T00:00:00.000Z" and the form without a zone, which means UTC.
StatusOr<TimestampMs> ParseStoreTime(std::string_view text);

}  // namespace aevum::objstore
