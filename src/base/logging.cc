#include "base/logging.h"

#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <ctime>

namespace aevum {
namespace {

class StandardErrorSink final : public LogSink {
 public:
  void Write(std::string_view line) override {
    while (!line.empty()) {
      const ssize_t written = ::write(STDERR_FILENO, line.data(), line.size());
      if (written < 0 && errno == EINTR) continue;
      if (written <= 0) return;  // nobody can be told
      line.remove_prefix(static_cast<std::size_t>(written));
    }
  }
};

std::string Now() {
  using namespace std::chrono;
  const auto now = system_clock::now().time_since_epoch();
  const std::time_t whole = duration_cast<seconds>(now).count();
  const auto nanos = duration_cast<nanoseconds>(now).count() % 1'000'000'000;
  std::tm utc{};
  gmtime_r(&whole, &utc);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:09}Z", utc.tm_year + 1900,
                     utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec, nanos);
}

std::string_view LevelName(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return "debug";
    case LogLevel::kInfo:
      return "info";
    case LogLevel::kWarn:
      return "warn";
    case LogLevel::kError:
      return "error";
  }
  return "info";
}

// The syslog levels that sd-daemon(3) describes.
std::string_view JournalPriority(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return "<7>";
    case LogLevel::kInfo:
      return "<6>";
    case LogLevel::kWarn:
      return "<4>";
    case LogLevel::kError:
      return "<3>";
  }
  return "<6>";
}

// Both logfmt and JSON take the escapes of JSON inside quotes.
void AppendQuoted(std::string& out, std::string_view text) {
  out += '"';
  for (const char c : text) {
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      default:
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
          out += fmt::format("\\u{:04x}", static_cast<unsigned char>(c));
        } else {
          out += c;
        }
    }
  }
  out += '"';
}

bool NeedsQuotes(std::string_view text) {
  if (text.empty()) return true;
  for (const char c : text) {
    if (c <= ' ' || c == '"' || c == '=' || c == '\\' || c == 0x7f) return true;
  }
  return false;
}

class Line {
 public:
  explicit Line(LogFormat format) : format_(format) {
    if (format_ == LogFormat::kJson) text_ = "{";
  }
  void Add(std::string_view key, std::string_view value) {
    if (format_ == LogFormat::kJson) {
      if (text_.size() > 1) text_ += ',';
      AppendQuoted(text_, key);
      text_ += ':';
      AppendQuoted(text_, value);
      return;
    }
    if (!text_.empty()) text_ += ' ';
    text_ += key;
    text_ += '=';
    if (NeedsQuotes(value)) {
      AppendQuoted(text_, value);
    } else {
      text_ += value;
    }
  }
  std::string Finish() {
    text_ += format_ == LogFormat::kJson ? "}\n" : "\n";
    return std::move(text_);
  }

 private:
  LogFormat format_;
  std::string text_;
};

}  // namespace

std::shared_ptr<LogSink> LogSink::StandardError() { return std::make_shared<StandardErrorSink>(); }

Logger Logger::With(std::string_view key, std::string_view value) const {
  Logger child = *this;
  // A part of a component says its own name in place of the whole's: a key comes once a line.
  for (LogField& field : child.fields_) {
    if (field.key == key) {
      field.value = value;
      return child;
    }
  }
  child.fields_.emplace_back(key, value);
  return child;
}

Logger Logger::WithThreshold(LogLevel threshold) const {
  Logger child = *this;
  child.threshold_ = threshold;
  return child;
}

void Logger::Write(LogLevel level, std::string_view message, Fields fields) const {
  Line line(format_);
  if (format_ != LogFormat::kJournald) line.Add("ts", Now());
  line.Add("level", LevelName(level));
  for (const LogField& field : fields_) line.Add(field.key, field.value);
  line.Add("msg", message);
  for (const LogField& field : fields) line.Add(field.key, field.value);
  std::string text = line.Finish();
  if (format_ == LogFormat::kJournald) text.insert(0, JournalPriority(level));
  sink_->Write(text);
}

}  // namespace aevum
