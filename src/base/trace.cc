#include "base/trace.h"

#include <chrono>

namespace aevum {
namespace {

template <typename Clock>
std::int64_t Now() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now().time_since_epoch())
      .count();
}
using std::chrono::steady_clock;
using std::chrono::system_clock;

// Of one attribute: queries and selectors come from users, and thousands of spans may wait.
constexpr std::size_t kLongestValue = 2048;

std::string_view Bounded(std::string_view text) { return text.substr(0, kLongestValue); }

}  // namespace

std::string ToHex(const TraceId& id) { return fmt::format("{:016x}{:016x}", id.high, id.low); }
std::string ToHex(SpanId id) { return fmt::format("{:016x}", id); }

std::string TraceIdOf(const Context& context) {
  const TraceContext* trace = context.trace();
  return trace != nullptr && trace->sampled ? ToHex(trace->trace_id) : std::string();
}

std::unique_ptr<Span::Data> Span::MakeData(const Context& context,
                                           std::shared_ptr<const TraceContext> trace, SpanId parent,
                                           std::string_view name, SpanKind kind) {
  auto data = std::make_unique<Data>();
  data->recorder = trace->recorder;
  data->recording = trace->sampled;
  data->day_offset_ns = trace->day_offset_ns;
  FinishedSpan& span = data->span;
  span.trace_id = trace->trace_id;
  span.span_id = trace->span_id;
  span.parent_id = parent;
  span.kind = kind;
  if (data->recording) {
    span.trace_state = trace->trace_state;
    span.name = Bounded(name);
    span.start_ns = Now<steady_clock>() + trace->day_offset_ns;
  }
  data->context = context.WithTrace(std::move(trace));
  return data;
}

void Span::Begin(const Context& context, const TraceContext& parent, std::string_view name,
                 SpanKind kind) {
  auto trace = std::make_shared<TraceContext>(parent);
  trace->span_id = parent.recorder->NewSpanId();
  data_ = MakeData(context, std::move(trace), parent.span_id, name, kind);
}

Span Span::First(const Context& context, TraceContext trace, SpanId parent, std::string_view name,
                 SpanKind kind) {
  trace.day_offset_ns = Now<system_clock>() - Now<steady_clock>();
  Span span;
  span.data_ =
      MakeData(context, std::make_shared<const TraceContext>(std::move(trace)), parent, name, kind);
  return span;
}

Span& Span::operator=(Span&& other) noexcept {
  if (this == &other) return *this;
  End();
  data_ = std::move(other.data_);
  return *this;
}

void Span::Set(std::string_view key, std::string_view value) {
  if (recording()) data_->span.attributes.emplace_back(key, std::string(Bounded(value)));
}

void Span::Fail(const Status& status) {
  if (status.ok() || !recording()) return;
  data_->span.failed = true;
  data_->span.error = Bounded(status.message());
}

void Span::End() {
  if (!recording()) return;
  data_->recording = false;
  FinishedSpan& span = data_->span;
  span.end_ns = Now<steady_clock>() + data_->day_offset_ns;
  data_->recorder->Record(std::move(span));
}

}  // namespace aevum
