#include "objstore/providers/azure.h"

#include <algorithm>
#include <random>
#include <utility>

#include "objstore/parallel.h"
#include "objstore/rest/answers.h"
#include "objstore/rest/listing.h"
#include "objstore/rest/source_digest.h"

namespace aevum::objstore {
namespace {

// The version of the service's API that requests are made for: the first whose listings hold names
// that XML can't, and which all clouds and Azure's emulator have had for long.
constexpr const char* kVersion = "2021-12-02";
constexpr std::size_t kThreads = 16;
constexpr std::size_t kQueue = 1024;
constexpr std::size_t kBlocksAtOnce = 4;
constexpr std::int64_t kMaxBlocks = 50'000;  // of a blob

// Names the blocks of one upload. All blocks of a blob that wait for a list must have names of one
// length, and those that another client has left behind count; so it is that of Azure's SDK for Go,
// which Thanos uses: 64 bytes. Another upload of the same blob at the same time must not replace
// blocks of this one, hence the random part.
class BlockNames {
 public:
  BlockNames() {
    std::random_device random;
    for (int i = 0; i < 4; ++i) unique_ += fmt::format("{:08x}", random());
  }
  std::string Name(std::size_t index) const {
    return Base64(fmt::format("{}{:032}", unique_, index));
  }
  std::string List(std::size_t count) const {
    std::string list = "<?xml version=\"1.0\" encoding=\"utf-8\"?><BlockList>";
    for (std::size_t index = 0; index < count; ++index) {
      // Not <Uncommitted>: a list that was committed, but whose answer was lost, is sent again.
      list += "<Latest>" + Name(index) + "</Latest>";
    }
    return list + "</BlockList>";
  }

 private:
  std::string unique_;
};

// The service takes '\' for '/', and an object must not be found under another name.
Status CheckBlobName(const std::string& name) {
  RETURN_IF_ERROR(CheckName(name));
  if (name.find('\\') == std::string::npos) return OkStatus();
  return InvalidArgument("a name of AZURE can't hold a backslash: {}", name);
}

Status AddMd5(RestRequest& request) {
  ASSIGN_OR_RETURN(const std::string digest, DigestOfBody(DigestKind::kMd5, request));
  request.SetHeader("Content-MD5", Base64(digest));
  return OkStatus();
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
  request.path = options_.path_prefix + "/" + EncodePath(options_.container);
  request.query = {{"restype", "container"}};
  request.headers = {{"x-ms-version", kVersion}};
  return request;
}

RestRequest AzureBucket::ForObject(std::string_view method, const std::string& name) const {
  RestRequest request = ForContainer(method);
  request.path += "/" + EncodePath(name);
  request.query.clear();
  return request;
}

RestRequest AzureBucket::ForPage(const std::string& prefix, const IterateOptions& options,
                                 const std::string& marker) const {
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
  return request;
}

Status AzureBucket::MakeContainer(const Context& context) {
  if (has_container_.load()) return OkStatus();
  // Who may write blobs need not have the right to make containers, nor need one to be made.
  const Status found = client_->Do(context, ForContainer("HEAD"), Label("")).status();
  if (found.code() == StatusCode::kFailedPrecondition || IsNotFound(found)) {
    const Status made = client_->Do(context, ForContainer("PUT"), Label("")).status();
    if (made.code() != StatusCode::kFailedPrecondition) {
      RETURN_IF_ERROR(made);
    } else if (!client_->Do(context, ForContainer("HEAD"), Label("")).ok()) {
      // Another one was not quicker: a container of that name is still being removed.
      return made;
    }
  } else {
    RETURN_IF_ERROR(found);
  }
  has_container_.store(true);
  return OkStatus();
}

Status AzureBucket::HideAbsentContainer(const Context& context, const Status& status) {
  if (status.code() != StatusCode::kFailedPrecondition || has_container_.load()) return status;
  RestRequest request = ForContainer("HEAD");
  request.expected_status = 404;
  const StatusOr<net::HttpClientResponse> response = client_->Do(context, request, Label(""));
  if (!response.ok()) return status;
  if (response->status != 404) {
    has_container_.store(true);
    return status;
  }
  if (response->Header(kAzureErrorHeader) != "ContainerNotFound") return status;
  return MakeError(StatusCode::kNotFound, std::string(status.message()));
}

Status AzureBucket::Iterate(const Context& context, const std::string& directory,
                            const IterateOptions& options, const ObjectVisitor& visit) {
  const std::string prefix = DirectoryPrefix(directory);
  const std::string label = Label(prefix);
  const FetchPage fetch = [&](const std::string& marker) -> StatusOr<ListingPage> {
    const StatusOr<net::HttpClientResponse> response =
        client_->Do(context, ForPage(prefix, options, marker), label);
    // The rest of a listing that has begun is not empty, nor is what only something between says.
    if (IsNotFound(response.status())) {
      return MakeError(StatusCode::kFailedPrecondition, std::string(response.status().message()));
    }
    if (marker.empty() && IsNotFound(HideAbsentContainer(context, response.status()))) {
      return ListingPage();
    }
    RETURN_IF_ERROR(response.status());
    StatusOr<ListingPage> page = ReadAzureListing(response->body);
    RETURN_IF_ERROR(Annotate(page.status(), label));
    return page;
  };
  return VisitPages(context, prefix, label, fetch, visit);
}

Status AzureBucket::Read(const Context& context, const std::string& name, ByteRange range,
                         ByteSink& sink) {
  RETURN_IF_ERROR(CheckBlobName(name));
  return HideAbsentContainer(
      context, client_->Read(context, ForObject("GET", name), Label(name), range, sink));
}

StatusOr<ObjectAttributes> AzureBucket::Attributes(const Context& context,
                                                   const std::string& name) {
  RETURN_IF_ERROR(CheckBlobName(name));
  const StatusOr<net::HttpClientResponse> response =
      client_->Do(context, ForObject("HEAD", name), Label(name));
  RETURN_IF_ERROR(HideAbsentContainer(context, response.status()));
  StatusOr<ObjectAttributes> attributes = AttributesOf(*response);
  if (!attributes.ok()) return Annotate(attributes.status(), Label(name));
  return attributes;
}

StatusOr<std::string> AzureBucket::Put(const Context& context, RestRequest request,
                                       const std::string& name, const UploadOptions& options) {
  if (!options.content_type.empty()) {
    request.SetHeader("x-ms-blob-content-type", options.content_type);
  }
  if (options.condition == UploadCondition::kIfAbsent) request.SetHeader("If-None-Match", "*");
  if (options.condition == UploadCondition::kIfVersion) {
    request.SetHeader("If-Match", options.version);
  }
  ASSIGN_OR_RETURN(const net::HttpClientResponse response,
                   client_->Do(context, request, Label(name), RepeatUnder(options.condition)));
  return std::string(response.Header("ETag"));
}

StatusOr<std::string> AzureBucket::Upload(const Context& context, const std::string& name,
                                          const UploadSource& source,
                                          const UploadOptions& options) {
  RETURN_IF_ERROR(CheckBlobName(name));
  RETURN_IF_ERROR(context.status());
  RETURN_IF_ERROR(MakeContainer(context));
  if (source.size_bytes() > options_.block_bytes) {
    return UploadBlocks(context, name, source, options);
  }
  RestRequest request = ForObject("PUT", name);
  request.SetHeader("x-ms-blob-type", "BlockBlob");
  request.source = &source;
  request.source_size = source.size_bytes();
  RETURN_IF_ERROR(AddMd5(request));
  return Put(context, std::move(request), name, options);
}

StatusOr<std::string> AzureBucket::UploadBlocks(const Context& context, const std::string& name,
                                                const UploadSource& source,
                                                const UploadOptions& options) {
  const std::int64_t size = source.size_bytes();
  const std::int64_t block = std::max(options_.block_bytes, (size + kMaxBlocks - 1) / kMaxBlocks);
  const auto count = static_cast<std::size_t>((size + block - 1) / block);
  const BlockNames names;
  const auto upload_block = [&](std::size_t index) -> Status {
    RestRequest request = ForObject("PUT", name);
    request.query = {{"comp", "block"}, {"blockid", names.Name(index)}};
    request.source = &source;
    request.source_offset = static_cast<std::int64_t>(index) * block;
    request.source_size = std::min(block, size - request.source_offset);
    RETURN_IF_ERROR(AddMd5(request));
    return client_->Do(context, request, Label(name)).status();
  };
  RETURN_IF_ERROR(RunParallel(&pool_, count, kBlocksAtOnce, upload_block));
  RestRequest commit = ForObject("PUT", name);
  commit.query = {{"comp", "blocklist"}};
  commit.body = names.List(count);
  commit.SetHeader("Content-Type", "application/xml");
  return Put(context, std::move(commit), name, options);
}

Status AzureBucket::Delete(const Context& context, const std::string& name) {
  RETURN_IF_ERROR(CheckBlobName(name));
  RestRequest request = ForObject("DELETE", name);
  request.SetHeader("x-ms-delete-snapshots", "include");
  const Status status =
      HideAbsentContainer(context, client_->Do(context, request, Label(name)).status());
  return IsNotFound(status) ? OkStatus() : status;
}

}  // namespace aevum::objstore
