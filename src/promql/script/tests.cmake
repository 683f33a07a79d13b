# Series in memory and the scripting language, for the tests of this layer and of those above.
add_library(promql_testing STATIC
  memory_storage.cc memory_storage.h
  script/classic_histograms.cc script/classic_histograms.h
  script/comparison.cc
  script/histogram_notation.cc script/histogram_notation.h
  script/runner.cc script/runner.h
  script/script.cc script/script.h
  script/series_notation.cc script/series_notation.h)
target_link_libraries(promql_testing PUBLIC aevum::promql PRIVATE PkgConfig::re2 aevum_warnings)

aevum_test(NAME promql_script_language_test
  SOURCES script/script_test.cc
  LIBS promql_testing)
