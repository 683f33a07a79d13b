#include "objstore/providers/gcs.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <random>
#include <utility>

#include <nlohmann/json.hpp>

#include "net/http/form.h"
#include "net/url.h"
#include "objstore/rest/answers.h"
#include "objstore/rest/listing.h"
#include "objstore/rest/source_digest.h"

namespace aevum::objstore {
namespace {

constexpr std::size_t kThreads = 16;
constexpr std::size_t kQueue = 1024;
constexpr std::size_t kMaxParameters = 100;
// The store has a part of an upload, and waits for more.
constexpr int kIncomplete = 308;
constexpr std::chrono::seconds kCancelTime{30};
constexpr const char* kObjectFields = "size,updated,generation";

// An object between what goes before and behind it in the body of a request. Borrows the object.
class FramedSource final : public UploadSource {
 public:
  FramedSource(std::string before, const UploadSource& object, std::string behind)
      : before_(std::move(before)), object_(object), behind_(std::move(behind)) {}

  std::int64_t size_bytes() const override { return End() + Size(behind_); }
  Status Read(std::int64_t offset, std::span<char> out) const override {
    out = Copy(before_, offset, out);
    const std::int64_t inside = std::max<std::int64_t>(offset, Size(before_)) - Size(before_);
    if (!out.empty() && inside < object_.size_bytes()) {
      const auto count = static_cast<std::size_t>(
          std::min<std::int64_t>(std::ssize(out), object_.size_bytes() - inside));
      RETURN_IF_ERROR(object_.Read(inside, out.first(count)));
      out = out.subspan(count);
    }
    Copy(behind_, std::max<std::int64_t>(offset, End()) - End(), out);
    return OkStatus();
  }

 private:
  static std::int64_t Size(const std::string& text) { return std::ssize(text); }
  std::int64_t End() const { return Size(before_) + object_.size_bytes(); }
  // The rest of `out` that the text from `offset` does not fill.
  static std::span<char> Copy(const std::string& text, std::int64_t offset, std::span<char> out) {
    if (offset >= Size(text)) return out;
    const std::size_t count = std::min(out.size(), text.size() - static_cast<std::size_t>(offset));
    std::memcpy(out.data(), text.data() + offset, count);
    return out.subspan(count);
  }

  const std::string before_;
  const UploadSource& object_;
  const std::string behind_;
};

// What is told of an object before its bytes; the store refuses bytes with another digest.
StatusOr<std::string> Metadata(const UploadSource& source, const UploadOptions& options) {
  RestRequest bytes;
  bytes.source = &source;
  bytes.source_size = source.size_bytes();
  ASSIGN_OR_RETURN(const std::string digest, DigestOfBody(DigestKind::kMd5, bytes));
  nlohmann::json metadata = {{"md5Hash", Base64(digest)}};
  if (!options.content_type.empty()) metadata["contentType"] = options.content_type;
  return metadata.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

// What no object has in it but by a chance of 2^-128.
std::string NewBoundary() {
  std::random_device random;
  return fmt::format("aevum-{:08x}{:08x}{:08x}{:08x}", random(), random(), random(), random());
}

// How many bytes the store has: "bytes=0-99" is 100, and no header is none.
StatusOr<std::int64_t> ReceivedBytes(std::string_view range, std::int64_t limit) {
  if (range.empty()) return 0;
  static constexpr std::string_view kBefore = "bytes=0-";
  std::int64_t last = -1;
  const bool known = range.starts_with(kBefore);
  if (known) {
    const char* end = range.data() + range.size();
    if (std::from_chars(range.data() + kBefore.size(), end, last).ptr != end) last = -1;
  }
  if (last < 0 || last >= limit) {
    return Internal("the store tells a range of an upload that can't be: '{}'", OneLine(range));
  }
  return last + 1;
}

// Only a bucket that is not there makes an upload or a listing NotFound.
Status MissingBucket(Status status, const std::string& bucket) {
  if (!IsNotFound(status)) return status;
  return MakeError(StatusCode::kFailedPrecondition,
                   fmt::format("there is no such bucket: {}", bucket));
}

}  // namespace

// An upload in chunks that is under way.
struct GcsBucket::Resumable {
  const std::string& name;
  const UploadSource& source;
  std::string id = {};
  std::int64_t received = 0;  // the store has so many bytes
  bool is_certain = true;     // of the number above
  std::string version = {};   // set when the upload is complete
};

GcsBucket::GcsBucket(GcsOptions options, std::unique_ptr<RestClient> client)
    : options_(std::move(options)),
      client_(std::move(client)),
      pool_("objstore", kThreads, kQueue) {}

GcsBucket::~GcsBucket() = default;

std::string GcsBucket::Label(const std::string& name) const {
  return fmt::format("GCS {}/{}", options_.bucket, name);
}

RestRequest GcsBucket::ForObject(std::string_view method, const std::string& name) const {
  RestRequest request;
  request.method = method;
  request.path = "/storage/v1/b/" + net::PercentEncode(options_.bucket) + "/o";
  if (!name.empty()) request.path += "/" + net::PercentEncode(name);
  return request;
}

RestRequest GcsBucket::ForPage(const std::string& prefix, const IterateOptions& options,
                               const std::string& token) const {
  RestRequest request = ForObject("GET", "");
  request.query = {{"fields", "nextPageToken,prefixes,items(name,size,updated)"}};
  if (!prefix.empty()) request.query.emplace_back("prefix", prefix);
  if (options.depth == IterateOptions::Depth::kFlat) {
    request.query.emplace_back("delimiter", std::string(1, kDelimiter));
  }
  if (options_.list_page > 0) {
    request.query.emplace_back("maxResults", std::to_string(options_.list_page));
  }
  if (!token.empty()) request.query.emplace_back("pageToken", token);
  return request;
}

Status GcsBucket::Iterate(const Context& context, const std::string& directory,
                          const IterateOptions& options, const ObjectVisitor& visit) {
  const std::string prefix = DirectoryPrefix(directory);
  const std::string label = Label(prefix);
  const FetchPage fetch = [&](const std::string& token) -> StatusOr<ListingPage> {
    const StatusOr<net::HttpClientResponse> response =
        client_->Do(context, ForPage(prefix, options, token), label);
    RETURN_IF_ERROR(MissingBucket(response.status(), options_.bucket));
    StatusOr<ListingPage> page = ReadGcsListing(response->body);
    RETURN_IF_ERROR(Annotate(page.status(), label));
    return page;
  };
  return VisitPages(context, prefix, label, fetch, visit);
}

Status GcsBucket::Read(const Context& context, const std::string& name, ByteRange range,
                       ByteSink& sink) {
  RETURN_IF_ERROR(CheckName(name));
  RestRequest request = ForObject("GET", name);
  request.query = {{"alt", "media"}};
  // Objects that are stored compressed come as they are; else the store would decode them, and
  // ranges would not hold.
  request.SetHeader("Accept-Encoding", "gzip");
  return client_->Read(context, request, Label(name), range, sink);
}

StatusOr<ObjectAttributes> GcsBucket::Attributes(const Context& context, const std::string& name) {
  RETURN_IF_ERROR(CheckName(name));
  RestRequest request = ForObject("GET", name);
  request.query = {{"fields", kObjectFields}};
  ASSIGN_OR_RETURN(const net::HttpClientResponse response,
                   client_->Do(context, request, Label(name)));
  StatusOr<ObjectAttributes> attributes = ReadGcsObject(response.body);
  if (!attributes.ok()) return Annotate(attributes.status(), Label(name));
  return attributes;
}

RestRequest GcsBucket::ForUpload(std::string_view method, std::string_view type,
                                 const std::string& name, const UploadOptions& options) const {
  RestRequest request = ForObject(method, "");
  request.path = "/upload" + request.path;
  request.query = {{"uploadType", std::string(type)}, {"name", name}, {"fields", kObjectFields}};
  // Generation 0 is that of an object that is not there.
  if (options.condition == UploadCondition::kIfAbsent) {
    request.query.emplace_back("ifGenerationMatch", "0");
  }
  if (options.condition == UploadCondition::kIfVersion) {
    request.query.emplace_back("ifGenerationMatch", options.version);
  }
  return request;
}

StatusOr<std::string> GcsBucket::Upload(const Context& context, const std::string& name,
                                        const UploadSource& source, const UploadOptions& options) {
  RETURN_IF_ERROR(CheckName(name));
  RETURN_IF_ERROR(context.status());
  if (source.size_bytes() > options_.chunk_bytes) {
    return UploadChunks(context, name, source, options);
  }
  return UploadWhole(context, name, source, options);
}

StatusOr<std::string> GcsBucket::UploadWhole(const Context& context, const std::string& name,
                                             const UploadSource& source,
                                             const UploadOptions& options) {
  ASSIGN_OR_RETURN(const std::string metadata, Metadata(source, options));
  const std::string boundary = NewBoundary();
  const std::string type =
      options.content_type.empty() ? "application/octet-stream" : options.content_type;
  const FramedSource framed(
      fmt::format("--{0}\r\nContent-Type: application/json; charset=UTF-8\r\n\r\n{1}\r\n--{0}\r\n"
                  "Content-Type: {2}\r\n\r\n",
                  boundary, metadata, type),
      source, fmt::format("\r\n--{}--\r\n", boundary));
  RestRequest request = ForUpload("POST", "multipart", name, options);
  request.SetHeader("Content-Type", "multipart/related; boundary=" + boundary);
  request.source = &framed;
  request.source_size = framed.size_bytes();
  const StatusOr<net::HttpClientResponse> response =
      client_->Do(context, request, Label(name), RepeatUnder(options.condition));
  RETURN_IF_ERROR(MissingBucket(response.status(), options_.bucket));
  ASSIGN_OR_RETURN(const ObjectAttributes attributes, ReadGcsObject(response->body));
  return attributes.version;
}

StatusOr<std::string> GcsBucket::UploadChunks(const Context& context, const std::string& name,
                                              const UploadSource& source,
                                              const UploadOptions& options) {
  Resumable upload{name, source};
  RETURN_IF_ERROR(Begin(context, options, upload));
  Status status;
  while (status.ok() && upload.version.empty()) {
    // A chunk that was sent twice is none the worse: the store knows which bytes it has.
    status = Retry(context, client_->options().retry, [&]() -> Status {
      const bool has_all = upload.received == source.size_bytes();
      if (!upload.is_certain || has_all) RETURN_IF_ERROR(AskHowMuch(context, upload));
      if (!upload.version.empty()) return OkStatus();
      if (upload.received < source.size_bytes()) return SendChunk(context, upload);
      return Unavailable("{}: the store has all of it and does not make it an object", Label(name));
    });
  }
  if (status.ok()) return upload.version;
  Cancel(upload);
  // Here it is the upload that the store has lost, not an object.
  if (IsNotFound(status)) return Unavailable("{}", status.message());
  return status;
}

Status GcsBucket::Begin(const Context& context, const UploadOptions& options, Resumable& upload) {
  RestRequest request = ForUpload("POST", "resumable", upload.name, options);
  ASSIGN_OR_RETURN(request.body, Metadata(upload.source, options));
  request.SetHeader("Content-Type", "application/json; charset=UTF-8");
  request.SetHeader("X-Upload-Content-Length", std::to_string(upload.source.size_bytes()));
  const StatusOr<net::HttpClientResponse> response =
      client_->Do(context, request, Label(upload.name));
  RETURN_IF_ERROR(MissingBucket(response.status(), options_.bucket));
  // Only the id of the upload is taken from the answer: it goes on where it was begun.
  const std::string_view location = response->Header("Location");
  const std::size_t question = location.find('?');
  Fields parameters;
  if (question != std::string_view::npos) {
    RETURN_IF_ERROR(net::ParseForm(location.substr(question + 1), kMaxParameters, &parameters));
  }
  for (const auto& [parameter, value] : parameters) {
    if (parameter == "upload_id") upload.id = value;
  }
  if (upload.id.empty()) {
    return Internal("{}: the store begins an upload without an id", Label(upload.name));
  }
  return OkStatus();
}

Status GcsBucket::SendChunk(const Context& context, Resumable& upload) {
  const std::int64_t size = upload.source.size_bytes();
  RestRequest request = ForUpload("PUT", "resumable", upload.name, {});
  request.query.emplace_back("upload_id", upload.id);
  request.source = &upload.source;
  request.source_offset = upload.received;
  request.source_size = std::min(options_.chunk_bytes, size - upload.received);
  request.SetHeader("Content-Range", fmt::format("bytes {}-{}/{}", upload.received,
                                                 upload.received + request.source_size - 1, size));
  request.expected_status = kIncomplete;
  upload.is_certain = false;
  // Not sent again before the store has been asked what it got.
  ASSIGN_OR_RETURN(const net::HttpClientResponse response,
                   client_->Do(context, request, Label(upload.name), RestClient::Repeat::kNever));
  upload.is_certain = true;
  if (response.status == kIncomplete) {
    const std::int64_t before = upload.received;
    ASSIGN_OR_RETURN(upload.received, ReceivedBytes(response.Header("Range"), size));
    // Less than all of a chunk is fine, nothing is an upload without an end.
    if (upload.received > before) return OkStatus();
    return Unavailable("{}: the store takes nothing of a chunk", Label(upload.name));
  }
  ASSIGN_OR_RETURN(const ObjectAttributes attributes, ReadGcsObject(response.body));
  upload.version = attributes.version;
  return OkStatus();
}

Status GcsBucket::AskHowMuch(const Context& context, Resumable& upload) {
  const std::int64_t size = upload.source.size_bytes();
  RestRequest request = ForUpload("PUT", "resumable", upload.name, {});
  request.query.emplace_back("upload_id", upload.id);
  request.SetHeader("Content-Range", fmt::format("bytes */{}", size));
  request.expected_status = kIncomplete;
  ASSIGN_OR_RETURN(const net::HttpClientResponse response,
                   client_->Do(context, request, Label(upload.name), RestClient::Repeat::kNever));
  if (response.status == kIncomplete) {
    ASSIGN_OR_RETURN(upload.received, ReceivedBytes(response.Header("Range"), size));
  } else {
    ASSIGN_OR_RETURN(const ObjectAttributes attributes, ReadGcsObject(response.body));
    upload.version = attributes.version;
  }
  upload.is_certain = true;
  return OkStatus();
}

// With time of its own: the caller's may be what is over.
void GcsBucket::Cancel(const Resumable& upload) {
  RestRequest request = ForUpload("DELETE", "resumable", upload.name, {});
  request.query.emplace_back("upload_id", upload.id);
  // What stays is invisible, and gone after a week.
  client_
      ->Do(Context::Background().WithTimeout(kCancelTime), request, Label(upload.name),
           RestClient::Repeat::kNever)
      .IgnoreError();
}

Status GcsBucket::Delete(const Context& context, const std::string& name) {
  RETURN_IF_ERROR(CheckName(name));
  const Status status = client_->Do(context, ForObject("DELETE", name), Label(name)).status();
  return IsNotFound(status) ? OkStatus() : status;
}

StoreError ReadGcsError(std::string_view body) {
  StoreError error = ReadJsonError(body);
  if (error.message.empty()) error = ReadTextError(body);
  // The code is the status again; objects and buckets that are not there have the same one.
  error.code.clear();
  if (error.message == "The specified bucket does not exist.") error.code = "NoSuchBucket";
  return error;
}

}  // namespace aevum::objstore
