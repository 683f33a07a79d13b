// Queries as benchmarks, named as in the tables of other engines.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "chunk_storage.h"

namespace aevum::bench {

struct QueryCase {
  std::string
      name;  // the table and the case, for example "Prometheus/RangeQuery/expr=a_one,steps=1"
  std::string query;
  TimestampMs start_ms = 0;
  TimestampMs end_ms = 0;
  std::int64_t step_ms = 0;  // 0: an instant query at start_ms
};

// Gives the data of a table, which it makes at the first call and keeps.
using StorageFunction = ChunkStorage& (*)();

// Registers the query as a benchmark under the name of GoName. Each iteration parses and evaluates
// it in one thread and lets go of the answer. Counters: `peak_bytes` of the query's memory budget,
// `rows` of the answer and `samples` read. A query that the engine refuses or fails is skipped with
// its message.
void RegisterQuery(QueryCase query, StorageFunction storage);

// The name as Go's testing package prints it: `_` for a space.
std::string GoName(std::string name);

}  // namespace aevum::bench
