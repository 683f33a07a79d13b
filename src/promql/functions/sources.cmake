set(PROMQL_FUNCTIONS_HEADERS
  functions/bucket_quantile.h
  functions/label_functions.h
  functions/row_functions.h)
set(PROMQL_FUNCTIONS_SOURCES
  functions/bucket_quantile.cc
  functions/label_functions.cc
  functions/row_functions.cc)
