# Tests, benchmarks and fuzz targets of net/tls and net/grpc, included by net/CMakeLists.txt.
aevum_test(NAME net_tls_test
  SOURCES tls/context_test.cc tls/test_certificates.cc
  LIBS aevum::net OpenSSL::SSL OpenSSL::Crypto)
