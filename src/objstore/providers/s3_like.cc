#include "objstore/providers/s3_like.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "objstore/parallel.h"
#include "objstore/rest/listing.h"
#include "objstore/rest/source_digest.h"

namespace aevum::objstore {
namespace {

constexpr std::size_t kThreads = 16;
constexpr std::size_t kQueue = 1024;
constexpr std::size_t kPartsAtOnce = 4;
constexpr std::int64_t kMaxParts = 10'000;  // of the S3 API
constexpr std::chrono::seconds kAbortTime{30};

std::string EscapeXml(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '&') {
      out += "&amp;";
    } else if (c == '<') {
      out += "&lt;";
    } else if (c == '>') {
      out += "&gt;";
    } else if (c == '"') {
      out += "&quot;";
    } else {
      out += c;
    }
  }
  return out;
}

std::string WithoutQuotes(std::string_view etag) {
  std::string text(etag);
  std::erase(text, '"');
  return text;
}

}  // namespace

StatusOr<ListingPage> S3Dialect::ReadListing(std::string_view body) const {
  return json ? ReadBosListing(body) : ReadS3Listing(body);
}

StatusOr<std::string> S3Dialect::ReadUploadId(std::string_view body) const {
  return json ? ReadJsonField(body, "uploadId")
              : ReadXmlField(body, "InitiateMultipartUploadResult", "UploadId");
}

std::string S3Dialect::CompletionBody(const std::vector<UploadedPart>& parts) const {
  if (json) {
    nlohmann::json list = nlohmann::json::array();
    for (const UploadedPart& part : parts) {
      list.push_back({{"partNumber", part.number}, {"eTag", WithoutQuotes(part.etag)}});
    }
    return nlohmann::json{{"parts", list}}.dump();
  }
  std::string body = "<CompleteMultipartUpload>";
  for (const UploadedPart& part : parts) {
    body += fmt::format("<Part><PartNumber>{}</PartNumber><ETag>{}</ETag></Part>", part.number,
                        EscapeXml(part.etag));
  }
  return body + "</CompleteMultipartUpload>";
}

// An upload in parts that is under way. Each part is written by one thread.
struct S3LikeBucket::Multipart {
  const std::string& name;
  const UploadSource& source;
  std::int64_t part_size = 0;
  std::string id = {};
  std::vector<UploadedPart> parts = {};
};

S3LikeBucket::S3LikeBucket(S3LikeOptions options, std::unique_ptr<RestClient> client)
    : options_(std::move(options)),
      client_(std::move(client)),
      pool_("objstore", kThreads, kQueue) {}

S3LikeBucket::~S3LikeBucket() = default;

std::string S3LikeBucket::Label(const std::string& name) const {
  return fmt::format("{} {}/{}", options_.dialect.provider, options_.bucket, name);
}

RestRequest S3LikeBucket::ForObject(std::string_view method, const std::string& name) const {
  RestRequest request;
  request.method = method;
  request.path = options_.path_prefix + "/" + EncodePath(name);
  request.headers = options_.object_headers;
  return request;
}

RestRequest S3LikeBucket::ForPage(const std::string& prefix, const IterateOptions& options,
                                  const std::string& next) const {
  const S3Dialect& dialect = options_.dialect;
  RestRequest request;
  // The bucket as a directory: some stores want the '/' at the end, and none minds it.
  request.path = options_.path_prefix + "/";
  const bool with_token = dialect.listing == S3Dialect::Listing::kToken;
  if (with_token) request.query.emplace_back("list-type", "2");
  if (options.depth == IterateOptions::Depth::kFlat) {
    request.query.emplace_back("delimiter", std::string(1, kDelimiter));
  }
  if (dialect.encodes_listing) request.query.emplace_back("encoding-type", "url");
  if (options_.list_page > 0) {
    request.query.emplace_back(dialect.json ? "maxKeys" : "max-keys",
                               std::to_string(options_.list_page));
  }
  if (!prefix.empty()) request.query.emplace_back("prefix", prefix);
  if (!next.empty()) request.query.emplace_back(with_token ? "continuation-token" : "marker", next);
  return request;
}

Status S3LikeBucket::Iterate(const Context& context, const std::string& directory,
                             const IterateOptions& options, const ObjectVisitor& visit) {
  const std::string prefix = DirectoryPrefix(directory);
  const std::string label = Label(prefix);
  const FetchPage fetch = [&](const std::string& next) -> StatusOr<ListingPage> {
    ASSIGN_OR_RETURN(const net::HttpClientResponse response,
                     client_->Do(context, ForPage(prefix, options, next), label));
    StatusOr<ListingPage> page = options_.dialect.ReadListing(response.body);
    RETURN_IF_ERROR(Annotate(page.status(), label));
    return page;
  };
  return VisitPages(context, prefix, label, fetch, visit);
}

Status S3LikeBucket::Read(const Context& context, const std::string& name, ByteRange range,
                          ByteSink& sink) {
  RETURN_IF_ERROR(CheckName(name));
  return client_->Read(context, ForObject("GET", name), Label(name), range, sink);
}

StatusOr<ObjectAttributes> S3LikeBucket::Attributes(const Context& context,
                                                    const std::string& name) {
  RETURN_IF_ERROR(CheckName(name));
  ASSIGN_OR_RETURN(const net::HttpClientResponse response,
                   client_->Do(context, ForObject("HEAD", name), Label(name)));
  StatusOr<ObjectAttributes> attributes = AttributesOf(response);
  if (!attributes.ok()) return Annotate(attributes.status(), Label(name));
  return attributes;
}

Status S3LikeBucket::AddConditions(const UploadOptions& options, RestRequest& request) const {
  using Conditions = S3Dialect::Conditions;
  const S3Dialect& dialect = options_.dialect;
  if (options.condition == UploadCondition::kNone) return OkStatus();
  const bool if_version = options.condition == UploadCondition::kIfVersion;
  if (dialect.conditions == Conditions::kNone ||
      (if_version && dialect.conditions == Conditions::kIfAbsent)) {
    return Unimplemented("{} knows no such condition of an upload", dialect.provider);
  }
  if (if_version) {
    request.SetHeader("If-Match", options.version);
  } else {
    request.SetHeader(dialect.if_absent.first, dialect.if_absent.second);
  }
  return OkStatus();
}

Status S3LikeBucket::AddMd5(RestRequest& request) const {
  if (!options_.send_md5) return OkStatus();
  ASSIGN_OR_RETURN(const std::string digest, DigestOfBody(DigestKind::kMd5, request));
  request.SetHeader("Content-MD5", Base64(digest));
  return OkStatus();
}

StatusOr<std::string> S3LikeBucket::Upload(const Context& context, const std::string& name,
                                           const UploadSource& source,
                                           const UploadOptions& options) {
  RETURN_IF_ERROR(CheckName(name));
  RETURN_IF_ERROR(context.status());
  if (options_.multipart && source.size_bytes() > options_.part_size_bytes) {
    return UploadParts(context, name, source, options);
  }
  return UploadWhole(context, name, source, options);
}

StatusOr<std::string> S3LikeBucket::UploadWhole(const Context& context, const std::string& name,
                                                const UploadSource& source,
                                                const UploadOptions& options) {
  RestRequest request = ForObject("PUT", name);
  for (const auto& [header, value] : options_.upload_headers) request.SetHeader(header, value);
  if (!options.content_type.empty()) request.SetHeader("Content-Type", options.content_type);
  request.source = &source;
  request.source_size = source.size_bytes();
  RETURN_IF_ERROR(AddConditions(options, request));
  RETURN_IF_ERROR(AddMd5(request));
  ASSIGN_OR_RETURN(const net::HttpClientResponse response,
                   client_->Do(context, request, Label(name), RepeatUnder(options.condition)));
  return std::string(response.Header("ETag"));
}

StatusOr<std::string> S3LikeBucket::UploadParts(const Context& context, const std::string& name,
                                                const UploadSource& source,
                                                const UploadOptions& options) {
  Multipart upload{name, source};
  const std::int64_t size = source.size_bytes();
  upload.part_size = std::max(options_.part_size_bytes, (size + kMaxParts - 1) / kMaxParts);
  const auto count = static_cast<std::size_t>((size + upload.part_size - 1) / upload.part_size);
  upload.parts.resize(count);
  RestRequest begin = ForObject("POST", name);
  for (const auto& [header, value] : options_.upload_headers) begin.SetHeader(header, value);
  if (!options.content_type.empty()) begin.SetHeader("Content-Type", options.content_type);
  begin.query.emplace_back("uploads", "");
  ASSIGN_OR_RETURN(const net::HttpClientResponse response,
                   client_->Do(context, begin, Label(name)));
  ASSIGN_OR_RETURN(upload.id, options_.dialect.ReadUploadId(response.body));
  Status status = RunParallel(&pool_, count, kPartsAtOnce, [&](std::size_t index) {
    return UploadPart(context, upload, index);
  });
  if (status.ok()) {
    StatusOr<std::string> version = Complete(context, upload, options);
    if (version.ok()) return version;
    status = version.status();
  }
  Abort(upload);
  // Here it is the upload in parts that the store has lost, not an object.
  if (IsNotFound(status)) return Unavailable("{}", status.message());
  return status;
}

Status S3LikeBucket::UploadPart(const Context& context, Multipart& upload, std::size_t index) {
  RestRequest request = ForObject("PUT", upload.name);
  const int number = static_cast<int>(index) + 1;
  request.query = {{"partNumber", std::to_string(number)}, {"uploadId", upload.id}};
  request.source = &upload.source;
  request.source_offset = static_cast<std::int64_t>(index) * upload.part_size;
  request.source_size =
      std::min(upload.part_size, upload.source.size_bytes() - request.source_offset);
  RETURN_IF_ERROR(AddMd5(request));
  ASSIGN_OR_RETURN(const net::HttpClientResponse response,
                   client_->Do(context, request, Label(upload.name)));
  upload.parts[index] = {number, std::string(response.Header("ETag"))};
  return OkStatus();
}

StatusOr<std::string> S3LikeBucket::Complete(const Context& context, const Multipart& upload,
                                             const UploadOptions& options) {
  RestRequest request = ForObject("POST", upload.name);
  request.query = {{"uploadId", upload.id}};
  request.body = options_.dialect.CompletionBody(upload.parts);
  request.SetHeader("Content-Type", options_.dialect.json ? "application/json" : "application/xml");
  RETURN_IF_ERROR(AddConditions(options, request));
  ASSIGN_OR_RETURN(
      const net::HttpClientResponse response,
      client_->Do(context, request, Label(upload.name), RepeatUnder(options.condition)));
  // The store may have said 200 before it knew how it ends.
  if (const StoreError error = ReadXmlError(response.body); !error.code.empty()) {
    return Unavailable("{}: the store answers {}: {}", Label(upload.name), error.code,
                       error.message);
  }
  if (options_.dialect.json) return ReadJsonField(response.body, "eTag");
  return ReadXmlField(response.body, "CompleteMultipartUploadResult", "ETag");
}

// With time of its own: the caller's may be what is over.
void S3LikeBucket::Abort(const Multipart& upload) {
  RestRequest request = ForObject("DELETE", upload.name);
  request.query = {{"uploadId", upload.id}};
  // What stays is invisible, and stores can be told to remove it after some days.
  client_
      ->Do(Context::Background().WithTimeout(kAbortTime), request, Label(upload.name),
           RestClient::Repeat::kNever)
      .IgnoreError();
}

Status S3LikeBucket::Delete(const Context& context, const std::string& name) {
  RETURN_IF_ERROR(CheckName(name));
  const Status status = client_->Do(context, ForObject("DELETE", name), Label(name)).status();
  return IsNotFound(status) ? OkStatus() : status;
}

}  // namespace aevum::objstore
