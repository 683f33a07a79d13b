set(PROMQL_ENGINE_HEADERS
  engine/aggregation.h engine/calls.h engine/durations.h engine/elementwise.h engine/engine.h engine/evaluation.h engine/groups.h
  engine/histogram_calls.h engine/histogram_cells.h engine/histogram_notes.h engine/histogram_operators.h engine/histogram_sum.h engine/histogram_windows.h engine/kahan.h engine/limit_ratio.h engine/planner.h engine/range_function.h engine/row_batch.h engine/row_kernels.h
  engine/selector.h engine/subquery.h
  engine/vector_matching.h engine/window_rows.h)
set(PROMQL_ENGINE_SOURCES
  engine/aggregation.cc engine/calls.cc engine/durations.cc engine/elementwise.cc engine/engine.cc engine/evaluation.cc
  engine/histogram_calls.cc engine/histogram_cells.cc engine/histogram_notes.cc engine/histogram_operators.cc engine/histogram_sum.cc engine/histogram_windows.cc engine/limit_ratio.cc engine/planner.cc
  engine/range_function.cc engine/ranking.cc engine/row_batch.cc engine/row_kernels.cc engine/selector.cc engine/subquery.cc
  engine/vector_matching.cc engine/window_rows.cc)
