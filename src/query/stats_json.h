// What a query says of its work, as JSON: statistics, plans and their measurements.
#pragma once

#include <cstdint>

#include "promql/engine/engine.h"
#include "query/json_writer.h"

namespace aevum::query {

// {"timings":{...},"samples":{...}}, times in seconds; kPerStep adds [time, samples] of each step.
// The evaluation must have counted samples.
void WriteStats(const promql::QueryResult& result, StatsDetail detail, JsonWriter& writer);

// {"name":...,"children":[...]}, without the children where there are none. Recursion is as deep as
// the tree, which the parser bounds.
void WritePlan(const promql::PlanNode& plan, JsonWriter& writer);

// The same with executionTime, peakSamples, totalSamples and series; what is zero is left out.
void WriteAnalysis(const promql::PlanNode& plan, JsonWriter& writer);

}  // namespace aevum::query
