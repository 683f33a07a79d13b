// Log lines of keys and values, as logfmt or JSON.
#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace aevum {

enum class LogLevel : std::uint8_t { kDebug, kInfo, kWarn, kError };
// kJournald is logfmt without the time, behind the priority prefix that systemd's journal reads.
enum class LogFormat : std::uint8_t { kLogfmt, kJson, kJournald };

// A key and its value as text.
struct LogField {
  std::string key;
  std::string value;

  LogField(std::string_view k, std::string_view v) : key(k), value(v) {}
  LogField(std::string_view k, const char* v) : key(k), value(v) {}
  LogField(std::string_view k, const std::string& v) : key(k), value(v) {}
  LogField(std::string_view k, bool v) : key(k), value(v ? "true" : "false") {}
  LogField(std::string_view k, const Status& v) : key(k), value(v.message()) {}
  template <typename N>
    requires(std::integral<N> || std::floating_point<N>)
  LogField(std::string_view k, N v) : key(k), value(fmt::format("{}", v)) {}
};

// Where finished lines go. Thread-safe.
class LogSink {
 public:
  virtual ~LogSink() = default;
  // `line` ends with a line break.
  virtual void Write(std::string_view line) = 0;
  // Standard error, one write a line.
  static std::shared_ptr<LogSink> StandardError();
};

// Writes lines with the keys that Thanos users know: ts (RFC 3339 with nanoseconds, UTC), level,
// then the fields of With() in order, msg, then those of the call. A copy is cheap. Thread-safe.
// A default-made logger drops everything.
class Logger {
 public:
  Logger() = default;
  Logger(std::shared_ptr<LogSink> sink, LogLevel threshold, LogFormat format)
      : sink_(std::move(sink)), threshold_(threshold), format_(format) {}

  // A logger that adds a field to each line, for example component; one of that key is replaced.
  Logger With(std::string_view key, std::string_view value) const;
  // The same with another threshold.
  Logger WithThreshold(LogLevel threshold) const;
  bool Enabled(LogLevel level) const { return sink_ && level >= threshold_; }

  using Fields = std::initializer_list<LogField>;
  void Debug(std::string_view message, Fields fields = {}) const {
    if (Enabled(LogLevel::kDebug)) Write(LogLevel::kDebug, message, fields);
  }
  void Info(std::string_view message, Fields fields = {}) const {
    if (Enabled(LogLevel::kInfo)) Write(LogLevel::kInfo, message, fields);
  }
  void Warn(std::string_view message, Fields fields = {}) const {
    if (Enabled(LogLevel::kWarn)) Write(LogLevel::kWarn, message, fields);
  }
  void Error(std::string_view message, Fields fields = {}) const {
    if (Enabled(LogLevel::kError)) Write(LogLevel::kError, message, fields);
  }

 private:
  void Write(LogLevel level, std::string_view message, Fields fields) const;

  std::shared_ptr<LogSink> sink_;
  LogLevel threshold_ = LogLevel::kInfo;
  LogFormat format_ = LogFormat::kLogfmt;
  std::vector<LogField> fields_;
};

}  // namespace aevum
