#include "net/http/client.h"

#include "base/mutex.h"
#include "net/http/form.h"
#include "net/http/transfer.h"

namespace aevum::net {

std::string_view HttpClientResponse::Header(std::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (EqualsIgnoreCase(key, name)) return value;
  }
  return {};
}

// One handle for each concurrent call. The handle used last is used first, so that its connections
// are warm and those of a past peak age.
class HttpClient::Impl {
 public:
  explicit Impl(HttpClientOptions options) : options_(std::move(options)) {}

  StatusOr<HttpClientResponse> Run(const Context& context, const HttpClientRequest& request,
                                   const BodySink* sink, const HeadSink* on_head,
                                   std::size_t max_body_bytes) {
    std::unique_ptr<CurlHandle> handle = Take();
    StatusOr<HttpClientResponse> response =
        Transfer(context, options_, request, handle.get()).Run(sink, on_head, max_body_bytes);
    Give(std::move(handle));
    return response;
  }

 private:
  std::unique_ptr<CurlHandle> Take() {
    {
      MutexLock lock(mutex_);
      if (!idle_.empty()) {
        std::unique_ptr<CurlHandle> handle = std::move(idle_.back());
        idle_.pop_back();
        return handle;
      }
    }
    return std::make_unique<CurlHandle>();
  }

  void Give(std::unique_ptr<CurlHandle> handle) {
    MutexLock lock(mutex_);
    if (idle_.size() < options_.max_idle_connections) idle_.push_back(std::move(handle));
  }

  const HttpClientOptions options_;
  Mutex mutex_;
  std::vector<std::unique_ptr<CurlHandle>> idle_ AEVUM_GUARDED_BY(mutex_);
};

HttpClient::HttpClient(HttpClientOptions options)
    : impl_(std::make_unique<Impl>(std::move(options))) {}
HttpClient::~HttpClient() = default;

StatusOr<HttpClientResponse> HttpClient::Do(const Context& context,
                                            const HttpClientRequest& request,
                                            std::size_t max_body_bytes) {
  return impl_->Run(context, request, nullptr, nullptr, max_body_bytes);
}

StatusOr<HttpClientResponse> HttpClient::Stream(const Context& context,
                                                const HttpClientRequest& request,
                                                const BodySink& sink, const HeadSink& on_head) {
  return impl_->Run(context, request, &sink, on_head ? &on_head : nullptr, 0);
}

}  // namespace aevum::net
