aevum_test(NAME promql_functions_test
  SOURCES functions/functions_test.cc
  LIBS aevum::promql)
