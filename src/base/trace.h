// Tracing: the operation that a context belongs to, and the parts of it that are recorded.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "base/context.h"
#include "base/status.h"

namespace aevum {

// Names a trace; all zero is no name. `high` is 0 in traces of old Jaeger clients.
struct TraceId {
  std::uint64_t high = 0;
  std::uint64_t low = 0;
  bool operator==(const TraceId&) const = default;
  bool valid() const { return high != 0 || low != 0; }
};
// Names a span within its trace; 0 is no name.
using SpanId = std::uint64_t;

// 32 and 16 hex digits.
std::string ToHex(const TraceId& id);
std::string ToHex(SpanId id);

enum class SpanKind : std::uint8_t { kInternal, kServer, kClient };

using AttributeValue = std::variant<std::string, std::int64_t, double, bool>;
using SpanAttributes = std::vector<std::pair<std::string, AttributeValue>>;

// What is recorded of an operation that has ended. Times are nanoseconds since the Unix epoch.
struct FinishedSpan {
  TraceId trace_id;
  SpanId span_id = 0;
  SpanId parent_id = 0;  // 0: the first of its trace
  std::string trace_state;
  std::string name;
  SpanKind kind = SpanKind::kInternal;
  std::int64_t start_ns = 0;
  std::int64_t end_ns = 0;
  SpanAttributes attributes;
  bool failed = false;
  std::string error;
};

// Where finished spans go. Thread-safe.
class SpanRecorder {
 public:
  virtual ~SpanRecorder() = default;
  virtual SpanId NewSpanId() = 0;
  // Never waits.
  virtual void Record(FinishedSpan span) = 0;
};

// Where a context stands in its trace.
struct TraceContext {
  TraceId trace_id;
  SpanId span_id = 0;
  bool sampled = false;
  std::string trace_state;                 // of W3C, passed on as it came
  std::shared_ptr<SpanRecorder> recorder;  // never null
  // What makes the time of day of std::chrono::steady_clock's nanoseconds: one for all spans of a
  // trace here, so that they fit together while the clock of the day jumps. Set by Span::First.
  std::int64_t day_offset_ns = 0;
};

// The id of the trace that the context is recorded in, as hex digits, or "".
std::string TraceIdOf(const Context& context);

// An operation from its making to End, recorded when the trace of its context is. Without a trace
// it costs one test of a pointer. Thread-compatible.
//
//     Span span(context, "querier_select");
//     span.Set("matchers", text);
//     ... call what belongs to it with span.Inner(context) ...
class Span {
 public:
  // Records nothing.
  Span() = default;
  // A part of the operation that the context belongs to.
  Span(const Context& context, std::string_view name, SpanKind kind = SpanKind::kInternal) {
    if (const TraceContext* trace = context.trace(); trace != nullptr && trace->sampled)
      Begin(context, *trace, name, kind);
  }
  // The first operation of this process in a trace: `trace` is its own place. Recorded if sampled.
  static Span First(const Context& context, TraceContext trace, SpanId parent,
                    std::string_view name, SpanKind kind);
  Span(Span&&) noexcept = default;
  Span& operator=(Span&& other) noexcept;
  ~Span() { End(); }

  bool recording() const { return data_ && data_->recording; }
  // The context for what belongs to this operation: one of its own, or `outer`, that of its making.
  const Context& Inner(const Context& outer) const { return data_ ? data_->context : outer; }

  void Set(std::string_view key, std::string_view value);
  void Set(std::string_view key, const char* value) { Set(key, std::string_view(value)); }
  template <typename Number>
    requires std::is_arithmetic_v<Number>
  void Set(std::string_view key, Number value) {
    if (!recording()) return;
    if constexpr (std::is_same_v<Number, bool>) {
      data_->span.attributes.emplace_back(key, value);
    } else if constexpr (std::is_floating_point_v<Number>) {
      data_->span.attributes.emplace_back(key, static_cast<double>(value));
    } else {
      data_->span.attributes.emplace_back(key, static_cast<std::int64_t>(value));
    }
  }
  // Marks the operation as failed, unless the status is OK.
  void Fail(const Status& status);
  // Records it; later calls of any kind do nothing.
  void End();

 private:
  struct Data {
    Context context;
    std::shared_ptr<SpanRecorder> recorder;
    FinishedSpan span;
    std::int64_t day_offset_ns = 0;
    bool recording = true;
  };

  void Begin(const Context& context, const TraceContext& parent, std::string_view name,
             SpanKind kind);
  static std::unique_ptr<Data> MakeData(const Context& context,
                                        std::shared_ptr<const TraceContext> trace, SpanId parent,
                                        std::string_view name, SpanKind kind);

  std::unique_ptr<Data> data_;  // null: nothing to record and no context of its own
};

}  // namespace aevum
