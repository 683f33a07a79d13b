// Answers of HTTP APIs as JSON, written a piece at a time.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "model/labels.h"

namespace aevum::net {

// Appends a string in quotes with the escapes of Go's encoder: <, > and & as \u00XX, bytes that are
// not UTF-8 as \ufffd.
void AppendJsonString(std::string& out, std::string_view text);

// Takes finished pieces of text; false when nobody reads any more.
using JsonSink = std::function<bool(std::string_view piece)>;

// A buffer of JSON text that goes to a sink when it is full, so that an answer of any size needs
// little memory. Thread-compatible.
class JsonWriter {
 public:
  explicit JsonWriter(JsonSink sink) : sink_(std::move(sink)) {}

  void Raw(std::string_view text) {
    buffer_ += text;
    FlushIfFull();
  }
  void String(std::string_view text) {
    AppendJsonString(buffer_, text);
    FlushIfFull();
  }
  // A part of a string whose quotes the caller writes; of whole characters.
  void StringPart(std::string_view text);
  void Strings(const std::vector<std::string>& strings);
  // {"name":"value",...}, in the order of names.
  void Labels(const model::Labels& labels);

  // Sends what is left. False when the sink refused a piece.
  bool Finish();
  bool failed() const { return failed_; }

 protected:
  // What was not sent yet, for who appends to it in place; Raw afterwards sends it when it is full.
  std::string& buffer() { return buffer_; }

 private:
  void FlushIfFull();
  void Flush();

  JsonSink sink_;
  std::string buffer_;
  bool failed_ = false;
};

}  // namespace aevum::net
