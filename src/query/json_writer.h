// Results of queries as JSON, written a piece at a time.
#pragma once

#include <cstdint>

#include "base/clock.h"
#include "net/api/json_writer.h"
#include "promql/engine/engine.h"
#include "store/store.h"

namespace aevum::query {

// What of its statistics an answer carries.
enum class StatsDetail : std::uint8_t { kNone, kTotals, kPerStep };

using net::AppendJsonString;
using net::JsonSink;

// Writes what answers about queries hold beside plain JSON. Thread-compatible.
class JsonWriter : public net::JsonWriter {
 public:
  using net::JsonWriter::JsonWriter;

  // `data` of an answer to a query:
  // {"resultType":...,"result":[...],"stats":{...},"analysis":{...}}; without an analysis an empty
  // one.
  void QueryData(const promql::QueryResult& result, StatsDetail stats);

 private:
  void Vector(const promql::QueryResult& result);
  void Matrix(const promql::QueryResult& result);
  void Ranges(const promql::QueryResult& result);
  // `[1700000000.123,"value"]`
  void Sample(TimestampMs time, double value);
  // `[1700000000.123,{...}]`
  void Sample(TimestampMs time, const model::FloatHistogram& histogram);
  // The histograms of a row: `,"histograms":[...]`, or nothing.
  void Histograms(const promql::QueryResult& result, std::size_t row);
};

}  // namespace aevum::query
