// Answers of the API as JSON, written a piece at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "model/labels.h"
#include "promql/engine/engine.h"
#include "store/store.h"

namespace aevum::query {

// Appends a string in quotes with the escapes of Go's encoder: <, > and & as \u00XX, bytes that are
// not UTF-8 as \ufffd.
void AppendJsonString(std::string& out, std::string_view text);

// What of its statistics an answer carries.
enum class StatsDetail : std::uint8_t { kNone, kTotals, kPerStep };

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

  // `data` of an answer to a query:
  // {"resultType":...,"result":[...],"stats":{...},"analysis":{...}}; without an analysis an empty
  // one.
  void QueryData(const promql::QueryResult& result, StatsDetail stats);

  // Sends what is left. False when the sink refused a piece.
  bool Finish();
  bool failed() const { return failed_; }

 private:
  void FlushIfFull();
  void Flush();
  void Vector(const promql::QueryResult& result);
  void Matrix(const promql::QueryResult& result);
  void Ranges(const promql::QueryResult& result);
  // `[1700000000.123,"value"]`
  void Sample(TimestampMs time, double value);
  // `[1700000000.123,{...}]`
  void Sample(TimestampMs time, const model::FloatHistogram& histogram);
  // The histograms of a row: `,"histograms":[...]`, or nothing.
  void Histograms(const promql::QueryResult& result, std::size_t row);

  JsonSink sink_;
  std::string buffer_;
  bool failed_ = false;
};

}  // namespace aevum::query
