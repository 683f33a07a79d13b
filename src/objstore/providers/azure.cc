#include "objstore/providers/azure.h"

#include <algorithm>

#include "objstore/parallel.h"
#include "objstore/rest/answers.h"
#include "objstore/rest/source_digest.h"

namespace aevum::objstore {
namespace {

constexpr std::size_t kThreads = 16;
constexpr std::size_t kQueue = 1024;
constexpr std::size_t kBlocksAtOnce = 4;
constexpr std::int64_t kMaxBlocks = 50'000;  // of a blob

// All of one length, as the service wants it.
std::string BlockId(std::size_t index) { return Base64(fmt::format("block-{:08}", index)); }

std::string BlockList(std::size_t count) {
  std::string list = "<?xml version=\"1.0\" encoding=\"utf-8\"?><BlockList>";
  for (std::size_t index = 0; index < count; ++index) {
    list += "<Uncommitted>" + BlockId(index) + "</Uncommitted>";
  }
  return list + "</BlockList>";
}

}  // namespace

AzureBucket::AzureBucket(AzureOptions options, std::unique_ptr<RestClient> client)
    : options_(std::move(options)),
      client_(std::move(client)),
      has_container_(!options_.create_container),
      pool_("objstore", kThreads, kQueue) {}

AzureBucket::~AzureBucket() = default;

std::string AzureBucket::Label(const std::string& name) const {
  return fmt::format("AZURE {}/{}", options_.container, name);
}

RestRequest AzureBucket::ForContainer(std::string_view method) const {
  RestRequest request;
  request.method = method;
  request.path = options_.path_prefix + "/" + options_.container;
  request.query = {{"restype", "container"}};
  return request;
}

RestRequest AzureBucket::ForObject(std::string_view method, const std::string& name) const {
  RestRequest request;
  request.method = method;
  request.path = options_.path_prefix + "/" + options_.container + "/" + EncodePath(name);
  return request;
}

Status AzureBucket::MakeContainer(const Context& context) {
  if (has_container_.load()) return OkStatus();
  const Status found = client_->Do(context, ForContainer("HEAD"), Label("")).status();
  if (IsNotFound(found)) {
    const Status made = client_->Do(context, ForContainer("PUT"), Label("")).status();
    // Another one may have been quicker.
    if (!made.ok() && made.code() != StatusCode::kFailedPrecondition) return made;
  } else {
    RETURN_IF_ERROR(found);
  }
  has_container_.store(true);
  return OkStatus();
}

Status AzureBucket::Iterate(const Context& context, const std::string& directory,
                            const IterateOptions& options, const ObjectVisitor& visit) {
  RETURN_IF_ERROR(context.status());
  const std::string prefix = DirectoryPrefix(directory);
  const std::string label = Label(prefix);
  std::string marker;
  while (true) {
    RestRequest request = ForContainer("GET");
    request.query.emplace_back("comp", "list");
    if (!prefix.empty()) request.query.emplace_back("prefix", prefix);
    if (options.depth == IterateOptions::Depth::kFlat) {
      request.query.emplace_back("delimiter", std::string(1, kDelimiter));
    }
    if (options_.list_page > 0) {
      request.query.emplace_back("maxresults", std::to_string(options_.list_page));
    }
    if (!marker.empty()) request.query.emplace_back("marker", marker);
    StatusOr<net::HttpClientResponse> response = client_->Do(context, request, label);
    // A container that the first upload will make is empty.
    if (response.status().code() == StatusCode::kFailedPrecondition && options_.create_container) {
      return OkStatus();
    }
    RETURN_IF_ERROR(response.status());
    StatusOr<ListingPage> page = ReadAzureListing(response->body);
    RETURN_IF_ERROR(Annotate(page.status(), label));
    for (const ListedObject& object : page->entries) {
      if (object.name != prefix) RETURN_IF_ERROR(visit(object));
    }
    if (page->next.empty()) return OkStatus();
    if (page->next == marker) return Internal("{}: the listing does not get on", label);
    marker = std::move(page->next);
  }
}

Status AzureBucket::Read(const Context& context, const std::string& name, ByteRange range,
                         ByteSink& sink) {
  RETURN_IF_ERROR(CheckName(name));
  return client_->Read(context, ForObject("GET", name), Label(name), range, sink);
}

StatusOr<ObjectAttributes> AzureBucket::Attributes(const Context& context,
                                                   const std::string& name) {
  RETURN_IF_ERROR(CheckName(name));
  ASSIGN_OR_RETURN(const net::HttpClientResponse response,
                   client_->Do(context, ForObject("HEAD", name), Label(name)));
  StatusOr<ObjectAttributes> attributes = AttributesOf(response);
  if (!attributes.ok()) return Annotate(attributes.status(), Label(name));
  return attributes;
}

StatusOr<std::string> AzureBucket::Put(const Context& context, RestRequest request,
                                       const std::string& name, const UploadOptions& options) {
  if (!options.content_type.empty()) {
    request.SetHeader("x-ms-blob-content-type", options.content_type);
  }
  auto repeat = RestClient::Repeat::kAllowed;
  if (options.condition != UploadCondition::kNone) {
    // What was done, but whose answer was lost, would fail the second time.
    repeat = RestClient::Repeat::kNever;
    const bool if_absent = options.condition == UploadCondition::kIfAbsent;
    request.SetHeader(if_absent ? "If-None-Match" : "If-Match", if_absent ? "*" : options.version);
  }
  ASSIGN_OR_RETURN(const net::HttpClientResponse response,
                   client_->Do(context, request, Label(name), repeat));
  return std::string(response.Header("ETag"));
}

StatusOr<std::string> AzureBucket::Upload(const Context& context, const std::string& name,
                                          const UploadSource& source,
                                          const UploadOptions& options) {
  RETURN_IF_ERROR(CheckName(name));
  RETURN_IF_ERROR(context.status());
  RETURN_IF_ERROR(MakeContainer(context));
  if (source.size_bytes() > options_.block_bytes) {
    return UploadBlocks(context, name, source, options);
  }
  RestRequest request = ForObject("PUT", name);
  request.SetHeader("x-ms-blob-type", "BlockBlob");
  request.source = &source;
  request.source_size = source.size_bytes();
  ASSIGN_OR_RETURN(const std::string digest, DigestOfBody(DigestKind::kMd5, request));
  request.SetHeader("Content-MD5", Base64(digest));
  return Put(context, std::move(request), name, options);
}

// Blocks that are never committed are removed by the service after a week.
StatusOr<std::string> AzureBucket::UploadBlocks(const Context& context, const std::string& name,
                                                const UploadSource& source,
                                                const UploadOptions& options) {
  const std::int64_t size = source.size_bytes();
  const std::int64_t block = std::max(options_.block_bytes, (size + kMaxBlocks - 1) / kMaxBlocks);
  const auto count = static_cast<std::size_t>((size + block - 1) / block);
  RETURN_IF_ERROR(RunParallel(&pool_, count, kBlocksAtOnce, [&](std::size_t index) -> Status {
    RestRequest request = ForObject("PUT", name);
    request.query = {{"comp", "block"}, {"blockid", BlockId(index)}};
    request.source = &source;
    request.source_offset = static_cast<std::int64_t>(index) * block;
    request.source_size = std::min(block, size - request.source_offset);
    ASSIGN_OR_RETURN(const std::string digest, DigestOfBody(DigestKind::kMd5, request));
    request.SetHeader("Content-MD5", Base64(digest));
    return client_->Do(context, request, Label(name)).status();
  }));
  RestRequest commit = ForObject("PUT", name);
  commit.query = {{"comp", "blocklist"}};
  commit.body = BlockList(count);
  commit.SetHeader("Content-Type", "text/plain; charset=UTF-8");
  return Put(context, std::move(commit), name, options);
}

Status AzureBucket::Delete(const Context& context, const std::string& name) {
  RETURN_IF_ERROR(CheckName(name));
  RestRequest request = ForObject("DELETE", name);
  request.SetHeader("x-ms-delete-snapshots", "include");
  const Status status = client_->Do(context, request, Label(name)).status();
  return IsNotFound(status) ? OkStatus() : status;
}

}  // namespace aevum::objstore
