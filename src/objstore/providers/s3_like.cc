#include "objstore/providers/s3_like.h"

#include <algorithm>

#include "objstore/errors.h"
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

void AddHeaders(const Fields& headers, RestRequest& request) {
  for (const auto& [name, value] : headers) request.SetHeader(name, value);
}

}  // namespace

RestRequest S3Dialect::ForPage(const std::string& root, const PageQuery& query) const {
  RestRequest request;
  // The bucket as a directory: some stores want the '/' at the end, and none minds it.
  request.path = root + "/";
  const bool with_token = listing == Listing::kToken;
  if (with_token) request.query.emplace_back("list-type", "2");
  if (query.depth == IterateOptions::Depth::kFlat) {
    request.query.emplace_back("delimiter", std::string(1, kDelimiter));
  }
  if (encodes_listing) request.query.emplace_back("encoding-type", "url");
  if (query.limit > 0) request.query.emplace_back("max-keys", std::to_string(query.limit));
  if (!query.prefix.empty()) request.query.emplace_back("prefix", query.prefix);
  if (!query.next.empty()) {
    request.query.emplace_back(with_token ? "continuation-token" : "marker", query.next);
  }
  return request;
}

StatusOr<ListingPage> S3Dialect::ReadListing(std::string_view body) const {
  return ReadS3Listing(body);
}

RestRequest S3Dialect::ForObject(const std::string& root, const std::string& name) const {
  RestRequest request;
  request.path = root + "/" + EncodePath(name);
  return request;
}

RestRequest S3Dialect::BeginParts(const std::string& root, const std::string& name,
                                  const std::string& content_type) const {
  RestRequest request = ForObject(root, name);
  request.method = "POST";
  request.query = {{"uploads", ""}};
  if (!content_type.empty()) request.SetHeader("Content-Type", content_type);
  return request;
}

StatusOr<std::string> S3Dialect::ReadUploadId(std::string_view body) const {
  return ReadXmlField(body, "InitiateMultipartUploadResult", "UploadId");
}

RestRequest S3Dialect::ForPart(const std::string& root, const std::string& name,
                               const std::string& id, int number) const {
  RestRequest request = ForObject(root, name);
  request.method = "PUT";
  request.query = {{"partNumber", std::to_string(number)}, {"uploadId", id}};
  return request;
}

RestRequest S3Dialect::ForUpload(const std::string& root, const std::string& name,
                                 const std::string& id) const {
  RestRequest request = ForObject(root, name);
  request.query = {{"uploadId", id}};
  return request;
}

std::string S3Dialect::CompletionBody(const std::vector<UploadedPart>& parts) const {
  std::string body = "<CompleteMultipartUpload>";
  for (const UploadedPart& part : parts) {
    body += fmt::format("<Part><PartNumber>{}</PartNumber><ETag>{}</ETag></Part>", part.number,
                        EscapeXml(part.etag));
  }
  return body + "</CompleteMultipartUpload>";
}

StatusOr<std::string> S3Dialect::ReadCompletion(const net::HttpClientResponse& response) const {
  if (const StoreError error = ReadXmlError(response.body); !error.code.empty()) {
    return Unavailable("the store answers {}: {}", OneLine(error.code), OneLine(error.message));
  }
  return ReadXmlField(response.body, "CompleteMultipartUploadResult", "ETag");
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
  return fmt::format("{} {}/{}", options_.dialect->provider, options_.bucket, name);
}

RestRequest S3LikeBucket::ForObject(std::string_view method, const std::string& name) const {
  RestRequest request = options_.dialect->ForObject(options_.path_prefix, name);
  request.method = method;
  AddHeaders(options_.object_headers, request);
  return request;
}

Status S3LikeBucket::Iterate(const Context& context, const std::string& directory,
                             const IterateOptions& options, const ObjectVisitor& visit) {
  const std::string prefix = DirectoryPrefix(directory);
  const std::string label = Label(prefix);
  const FetchPage fetch = [&](const std::string& next) -> StatusOr<ListingPage> {
    const PageQuery query{prefix, options.depth, next, options_.list_page};
    ASSIGN_OR_RETURN(
        const net::HttpClientResponse response,
        client_->Do(context, options_.dialect->ForPage(options_.path_prefix, query), label));
    StatusOr<ListingPage> page = options_.dialect->ReadListing(response.body);
    RETURN_IF_ERROR(Annotate(page.status(), label));
    return page;
  };
  return VisitPages(context, prefix, label, fetch, visit);
}

Status S3LikeBucket::Read(const Context& context, const std::string& name, ByteRange range,
                          ByteSink& sink) {
  RETURN_IF_ERROR(CheckName(name));
  RestRequest request = ForObject("GET", name);
  if (!range.IsWhole()) AddHeaders(options_.dialect->range_headers, request);
  return client_->Read(context, request, Label(name), range, sink);
}

StatusOr<ObjectAttributes> S3LikeBucket::Attributes(const Context& context,
                                                    const std::string& name) {
  RETURN_IF_ERROR(CheckName(name));
  const StatusOr<net::HttpClientResponse> response =
      client_->Do(context, ForObject("HEAD", name), Label(name));
  if (IsNotFound(response.status())) return WhyAbsent(context, name);
  RETURN_IF_ERROR(response.status());
  StatusOr<ObjectAttributes> attributes = AttributesOf(*response);
  if (!attributes.ok()) return Annotate(attributes.status(), Label(name));
  return attributes;
}

// An answer to HEAD has no body, which would tell an absent object from an absent bucket or from
// one that must not be seen.
Status S3LikeBucket::WhyAbsent(const Context& context, const std::string& name) {
  StringSink sink(1);
  Status status = Read(context, name, {0, 1}, sink);
  if (!status.ok() && status.code() != StatusCode::kOutOfRange) return status;
  return Unavailable("{}: the object has appeared just now", Label(name));
}

Status S3LikeBucket::AddConditions(const UploadOptions& options, RestRequest& request) const {
  using Conditions = S3Dialect::Conditions;
  const S3Dialect& dialect = *options_.dialect;
  if (options.condition == UploadCondition::kNone) return OkStatus();
  const bool if_version = options.condition == UploadCondition::kIfVersion;
  if (dialect.conditions == Conditions::kNone ||
      (if_version && dialect.conditions == Conditions::kIfAbsent)) {
    return Unimplemented("{} knows no such condition of an upload", dialect.provider);
  }
  if (if_version) {
    request.SetHeader("If-Match", options.version);
  } else {
    request.SetHeader("If-None-Match", "*");
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
  AddHeaders(options_.upload_headers, request);
  if (!options.content_type.empty()) request.SetHeader("Content-Type", options.content_type);
  request.source = &source;
  request.source_size = source.size_bytes();
  RETURN_IF_ERROR(AddConditions(options, request));
  RETURN_IF_ERROR(AddMd5(request));
  const StatusOr<net::HttpClientResponse> response =
      client_->Do(context, request, Label(name), RepeatUnder(options.condition));
  // Where the object of a version is gone, stores answer as to a read.
  if (options.condition == UploadCondition::kIfVersion && IsNotFound(response.status())) {
    return ConditionFailed(Label(name), "there is no object of that version");
  }
  RETURN_IF_ERROR(response.status());
  return std::string(response->Header("ETag"));
}

StatusOr<std::string> S3LikeBucket::UploadParts(const Context& context, const std::string& name,
                                                const UploadSource& source,
                                                const UploadOptions& options) {
  Multipart upload{name, source};
  const std::int64_t size = source.size_bytes();
  upload.part_size = std::max(options_.part_size_bytes, (size + kMaxParts - 1) / kMaxParts);
  const auto count = static_cast<std::size_t>((size + upload.part_size - 1) / upload.part_size);
  upload.parts.resize(count);
  RestRequest begin =
      options_.dialect->BeginParts(options_.path_prefix, name, options.content_type);
  AddHeaders(options_.object_headers, begin);
  AddHeaders(options_.upload_headers, begin);
  ASSIGN_OR_RETURN(const net::HttpClientResponse response,
                   client_->Do(context, begin, Label(name)));
  ASSIGN_OR_RETURN(upload.id, options_.dialect->ReadUploadId(response.body));
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
  const int number = static_cast<int>(index) + 1;
  RestRequest request =
      options_.dialect->ForPart(options_.path_prefix, upload.name, upload.id, number);
  AddHeaders(options_.object_headers, request);
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
  RestRequest request = options_.dialect->ForUpload(options_.path_prefix, upload.name, upload.id);
  request.method = "POST";
  AddHeaders(options_.object_headers, request);
  request.body = options_.dialect->CompletionBody(upload.parts);
  request.SetHeader("Content-Type", options_.dialect->CompletionType());
  RETURN_IF_ERROR(AddConditions(options, request));
  ASSIGN_OR_RETURN(
      const net::HttpClientResponse response,
      client_->Do(context, request, Label(upload.name), RepeatUnder(options.condition)));
  StatusOr<std::string> version = options_.dialect->ReadCompletion(response);
  if (!version.ok()) return Annotate(version.status(), Label(upload.name));
  return version;
}

// With time of its own: the caller's may be what is over.
void S3LikeBucket::Abort(const Multipart& upload) {
  RestRequest request = options_.dialect->ForUpload(options_.path_prefix, upload.name, upload.id);
  request.method = "DELETE";
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
