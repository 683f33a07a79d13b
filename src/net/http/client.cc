#include "net/http/client.h"

#include "base/mutex.h"
#include "base/trace.h"
#include "net/http/form.h"
#include "net/http/transfer.h"
#include "net/tracing/propagation.h"
#include "net/url.h"

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
    if (context.trace() == nullptr)
      return RunPlain(context, request, sink, on_head, max_body_bytes);
    Span span;
    if (!request.span_name.empty()) span = Span(context, request.span_name, SpanKind::kClient);
    const Context& inner = span.Inner(context);
    HttpClientRequest traced = request;
    for (auto& header : TraceHeaders(inner)) traced.headers.push_back(std::move(header));
    span.Set("http.method", request.method);
    StatusOr<Url> url = Url::Parse(request.url);
    if (url.ok()) {
      if (request.secret_query) url->query.clear();
      span.Set("http.url", url->ToString());
      span.Set("peer.hostname", url->host);
    }
    StatusOr<HttpClientResponse> response = RunPlain(inner, traced, sink, on_head, max_body_bytes);
    span.Fail(response.status());
    if (response.ok()) span.Set("http.status_code", response->status);
    if (response.ok() && response->status >= 400)
      span.Fail(Internal("answered with status {}", response->status));
    return response;
  }

 private:
  StatusOr<HttpClientResponse> RunPlain(const Context& context, const HttpClientRequest& request,
                                        const BodySink* sink, const HeadSink* on_head,
                                        std::size_t max_body_bytes) {
    std::unique_ptr<CurlHandle> handle = Take();
    StatusOr<HttpClientResponse> response =
        Transfer(context, options_, request, handle.get()).Run(sink, on_head, max_body_bytes);
    Give(std::move(handle));
    return response;
  }

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
