aevum_test(NAME promql_distribute_test
  SOURCES engine/distribute_test.cc engine/remote_rows_test.cc
  LIBS aevum::promql promql_testing)

aevum_test(NAME promql_equal_labels_test
  SOURCES engine/equal_labels_test.cc
  LIBS promql_testing)

aevum_test(NAME promql_extended_windows_test
  SOURCES engine/extended_windows_test.cc
  LIBS promql_testing)

aevum_test(NAME promql_hostile_test
  SOURCES engine/hostile_test.cc
  LIBS promql_testing
  LABELS threads)

aevum_test(NAME promql_info_test
  SOURCES engine/info_test.cc
  LIBS promql_testing)

aevum_test(NAME promql_optimizer_test
  SOURCES engine/optimizer_test.cc
  LIBS promql_testing)

aevum_test(NAME promql_query_stats_test
  SOURCES engine/query_stats_test.cc
  LIBS promql_testing)

aevum_test(NAME promql_row_kernels_test
  SOURCES engine/row_kernels_test.cc
  LIBS aevum::promql)

aevum_test(NAME promql_select_sharing_test
  SOURCES engine/select_sharing_test.cc
  LIBS promql_testing)

aevum_test(NAME promql_series_rows_test
  SOURCES engine/series_rows_test.cc
  LIBS aevum::promql
  LABELS threads)

aevum_test(NAME promql_start_times_test
  SOURCES engine/start_times_test.cc
  LIBS promql_testing)

aevum_test(NAME promql_window_functions_test
  SOURCES engine/window_functions_test.cc
  LIBS aevum::promql)

aevum_test(NAME promql_x_functions_test
  SOURCES engine/x_functions_test.cc
  LIBS promql_testing)

aevum_bench(NAME promql_engine_bench
  SOURCES engine/engine_bench.cc engine/histogram_bench.cc
  LIBS aevum::promql)
