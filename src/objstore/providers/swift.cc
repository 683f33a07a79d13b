#include "objstore/providers/swift.h"

#include <algorithm>
#include <random>

#include <nlohmann/json.hpp>

#include "net/url.h"
#include "objstore/parallel.h"
#include "objstore/rest/answers.h"
#include "objstore/rest/source_digest.h"

namespace aevum::objstore {
namespace {

constexpr std::size_t kThreads = 16;
constexpr std::size_t kQueue = 1024;
constexpr std::size_t kSegmentsAtOnce = 4;
constexpr std::string_view kSegments = "segments/";
constexpr std::chrono::seconds kCleanTime{30};

// A place of its own for the segments of each upload, so that readers of the old object are not
// disturbed; in the form that other clients use.
std::string NewSegmentPrefix(const std::string& name) {
  std::random_device random;
  const std::string unique =
      fmt::format("{}{:08x}{:08x}{:08x}", name, random(), random(), random());
  const std::string digest = Hex(Digest(DigestKind::kSha1, unique));
  return fmt::format("{}{}/{}", kSegments, digest.substr(0, 3), digest.substr(3));
}

}  // namespace

Status SwiftSigner::Sign(const Context& context, RestRequest& request) {
  ASSIGN_OR_RETURN(const Session session, session_->Get(context));
  ASSIGN_OR_RETURN(const net::Url url, net::Url::Parse(session.url));
  request.scheme = url.scheme;
  request.host = url.Authority();
  std::string path = url.path;
  while (path.ends_with('/')) path.pop_back();
  request.path = path + request.path;
  request.SetHeader("X-Auth-Token", session.token);
  return OkStatus();
}

bool SwiftSigner::Forget() {
  session_->Forget();
  return true;
}

SwiftBucket::SwiftBucket(SwiftOptions options, std::unique_ptr<RestClient> client)
    : options_(std::move(options)),
      client_(std::move(client)),
      pool_("objstore", kThreads, kQueue) {}

SwiftBucket::~SwiftBucket() = default;

std::string SwiftBucket::Label(const std::string& name) const {
  return fmt::format("SWIFT {}/{}", options_.container, name);
}

RestRequest SwiftBucket::ForObject(std::string_view method, const std::string& container,
                                   const std::string& name) const {
  RestRequest request;
  request.method = method;
  request.path = "/" + EncodePath(container) + "/" + EncodePath(name);
  return request;
}

Status SwiftBucket::ListPages(const Context& context, const std::string& container,
                              const Fields& query, const ObjectVisitor& visit) {
  const std::string label = fmt::format("SWIFT {}", container);
  RestRequest request;
  request.path = "/" + EncodePath(container);
  std::string marker;
  while (true) {
    request.query = query;
    request.query.emplace_back("format", "json");
    if (options_.list_page > 0) {
      request.query.emplace_back("limit", std::to_string(options_.list_page));
    }
    if (!marker.empty()) request.query.emplace_back("marker", marker);
    StatusOr<net::HttpClientResponse> response = client_->Do(context, request, label);
    if (IsNotFound(response.status())) {
      return MakeError(StatusCode::kFailedPrecondition,
                       fmt::format("there is no such container: {}", container));
    }
    RETURN_IF_ERROR(response.status());
    if (response->status == 204) return OkStatus();
    ASSIGN_OR_RETURN(const std::vector<ListedObject> page, ReadSwiftListing(response->body));
    if (page.empty()) return OkStatus();
    if (page.back().name == marker) return Internal("{}: the listing does not get on", label);
    marker = page.back().name;
    for (const ListedObject& object : page) RETURN_IF_ERROR(visit(object));
  }
}

Status SwiftBucket::Iterate(const Context& context, const std::string& directory,
                            const IterateOptions& options, const ObjectVisitor& visit) {
  RETURN_IF_ERROR(context.status());
  const std::string prefix = DirectoryPrefix(directory);
  Fields query;
  if (!prefix.empty()) query.emplace_back("prefix", prefix);
  if (options.depth == IterateOptions::Depth::kFlat) {
    query.emplace_back("delimiter", std::string(1, kDelimiter));
  }
  const bool hides_segments = options_.segments_container == options_.container;
  return ListPages(context, options_.container, query, [&](const ListedObject& object) {
    if (object.name == prefix) return OkStatus();
    if (hides_segments && object.name.starts_with(kSegments)) return OkStatus();
    return visit(object);
  });
}

Status SwiftBucket::Read(const Context& context, const std::string& name, ByteRange range,
                         ByteSink& sink) {
  RETURN_IF_ERROR(CheckName(name));
  return client_->Read(context, ForObject("GET", options_.container, name), Label(name), range,
                       sink);
}

StatusOr<ObjectAttributes> SwiftBucket::Attributes(const Context& context,
                                                   const std::string& name) {
  RETURN_IF_ERROR(CheckName(name));
  ASSIGN_OR_RETURN(const net::HttpClientResponse response,
                   client_->Do(context, ForObject("HEAD", options_.container, name), Label(name)));
  StatusOr<ObjectAttributes> attributes = AttributesOf(response);
  if (!attributes.ok()) return Annotate(attributes.status(), Label(name));
  return attributes;
}

Status SwiftBucket::AddHeaders(const UploadOptions& options, RestRequest& request) const {
  if (!options.content_type.empty()) request.SetHeader("Content-Type", options.content_type);
  if (options.condition == UploadCondition::kIfVersion) {
    return Unimplemented("SWIFT knows no such condition of an upload");
  }
  if (options.condition == UploadCondition::kIfAbsent) request.SetHeader("If-None-Match", "*");
  return OkStatus();
}

StatusOr<std::string> SwiftBucket::Put(const Context& context, const RestRequest& request,
                                       const std::string& name, UploadCondition condition) {
  const StatusOr<net::HttpClientResponse> response =
      client_->Do(context, request, Label(name), RepeatUnder(condition));
  if (IsNotFound(response.status())) {
    return MakeError(StatusCode::kFailedPrecondition,
                     fmt::format("there is no such container: {}", options_.container));
  }
  RETURN_IF_ERROR(response.status());
  return std::string(response->Header("ETag"));
}

StatusOr<std::string> SwiftBucket::Upload(const Context& context, const std::string& name,
                                          const UploadSource& source,
                                          const UploadOptions& options) {
  RETURN_IF_ERROR(CheckName(name));
  RETURN_IF_ERROR(context.status());
  if (source.size_bytes() >= options_.segment_bytes) {
    return UploadSegments(context, name, source, options);
  }
  RestRequest request = ForObject("PUT", options_.container, name);
  request.source = &source;
  request.source_size = source.size_bytes();
  RETURN_IF_ERROR(AddHeaders(options, request));
  ASSIGN_OR_RETURN(const std::string digest, DigestOfBody(DigestKind::kMd5, request));
  request.SetHeader("ETag", Hex(digest));
  return Put(context, request, name, options.condition);
}

Status SwiftBucket::UploadSegment(const Context& context, const UploadSource& source,
                                  std::int64_t offset, Segment& segment) {
  RestRequest request = ForObject("PUT", options_.segments_container, segment.name);
  request.source = &source;
  request.source_offset = offset;
  request.source_size = segment.size;
  ASSIGN_OR_RETURN(const std::string digest, DigestOfBody(DigestKind::kMd5, request));
  segment.etag = Hex(digest);
  request.SetHeader("ETag", segment.etag);
  return Put(context, request, segment.name, UploadCondition::kNone).status();
}

RestRequest SwiftBucket::Manifest(const std::string& name, const std::string& prefix,
                                  const std::vector<Segment>& segments) const {
  RestRequest request = ForObject("PUT", options_.container, name);
  if (options_.large_objects == SwiftOptions::LargeObjects::kDynamic) {
    request.SetHeader("X-Object-Manifest",
                      EncodePath(options_.segments_container) + "/" + EncodePath(prefix) + "/");
    return request;
  }
  nlohmann::json list = nlohmann::json::array();
  for (const Segment& segment : segments) {
    list.push_back({{"path", "/" + options_.segments_container + "/" + segment.name},
                    {"etag", segment.etag},
                    {"size_bytes", segment.size}});
  }
  request.query = {{"multipart-manifest", "put"}};
  request.body = list.dump();
  return request;
}

StatusOr<std::string> SwiftBucket::UploadSegments(const Context& context, const std::string& name,
                                                  const UploadSource& source,
                                                  const UploadOptions& options) {
  const std::int64_t size = source.size_bytes();
  const std::string prefix = NewSegmentPrefix(name);
  std::vector<Segment> segments;
  for (std::int64_t offset = 0; offset < size; offset += options_.segment_bytes) {
    segments.push_back({fmt::format("{}/{:016}", prefix, segments.size() + 1), "",
                        std::min(options_.segment_bytes, size - offset)});
  }
  RestRequest manifest = Manifest(name, prefix, segments);
  RETURN_IF_ERROR(AddHeaders(options, manifest));
  Status status = RunParallel(&pool_, segments.size(), kSegmentsAtOnce, [&](std::size_t index) {
    return UploadSegment(context, source, static_cast<std::int64_t>(index) * options_.segment_bytes,
                         segments[index]);
  });
  if (status.ok()) {
    if (options_.large_objects == SwiftOptions::LargeObjects::kStatic) {
      manifest = Manifest(name, prefix, segments);  // now with their digests
      RETURN_IF_ERROR(AddHeaders(options, manifest));
    }
    StatusOr<std::string> version = Put(context, manifest, name, options.condition);
    if (version.ok()) return version;
    status = version.status();
  }
  // With time of its own, since the caller's may be what is over; what stays is not visible.
  const Context cleaning = Context::Background().WithTimeout(kCleanTime);
  for (const Segment& segment : segments) {
    DeleteOne(cleaning, options_.segments_container, segment.name).IgnoreError();
  }
  return status;
}

Status SwiftBucket::DeleteOne(const Context& context, const std::string& container,
                              const std::string& name) {
  const Status status =
      client_->Do(context, ForObject("DELETE", container, name), Label(name)).status();
  return IsNotFound(status) ? OkStatus() : status;
}

Status SwiftBucket::DeleteStatic(const Context& context, const std::string& name) {
  RestRequest request = ForObject("DELETE", options_.container, name);
  request.query = {{"multipart-manifest", "delete"}};
  request.SetHeader("Accept", "application/json");
  StatusOr<net::HttpClientResponse> response = client_->Do(context, request, Label(name));
  if (IsNotFound(response.status())) return OkStatus();
  RETURN_IF_ERROR(response.status());
  // The status comes before the work; how it went is in the body.
  ASSIGN_OR_RETURN(const std::string result, ReadJsonField(response->body, "Response Status"));
  if (result.starts_with("200") || result.starts_with("404")) return OkStatus();
  return Unavailable("{}: not all segments are removed: {}", Label(name), result);
}

Status SwiftBucket::DeleteDynamic(const Context& context, const std::string& name,
                                  std::string_view manifest) {
  const std::size_t slash = manifest.find('/');
  if (slash == std::string_view::npos) return DeleteOne(context, options_.container, name);
  ASSIGN_OR_RETURN(const std::string container,
                   net::PercentDecode(manifest.substr(0, slash), false));
  ASSIGN_OR_RETURN(const std::string prefix, net::PercentDecode(manifest.substr(slash + 1), false));
  RETURN_IF_ERROR(DeleteOne(context, options_.container, name));
  std::vector<std::string> segments;
  RETURN_IF_ERROR(
      ListPages(context, container, {{"prefix", prefix}}, [&](const ListedObject& segment) {
        segments.push_back(segment.name);
        return OkStatus();
      }));
  return RunParallel(&pool_, segments.size(), kSegmentsAtOnce, [&](std::size_t index) {
    return DeleteOne(context, container, segments[index]);
  });
}

Status SwiftBucket::Delete(const Context& context, const std::string& name) {
  RETURN_IF_ERROR(CheckName(name));
  const StatusOr<net::HttpClientResponse> head =
      client_->Do(context, ForObject("HEAD", options_.container, name), Label(name));
  if (IsNotFound(head.status())) return OkStatus();
  RETURN_IF_ERROR(head.status());
  if (!head->Header("X-Static-Large-Object").empty()) return DeleteStatic(context, name);
  if (const std::string_view manifest = head->Header("X-Object-Manifest"); !manifest.empty()) {
    return DeleteDynamic(context, name, manifest);
  }
  return DeleteOne(context, options_.container, name);
}

}  // namespace aevum::objstore
