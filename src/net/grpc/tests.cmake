# Tests, benchmarks and fuzz targets of net/tls and net/grpc, included by net/CMakeLists.txt.
aevum_test(NAME net_tls_test
  SOURCES tls/context_test.cc tls/test_certificates.cc
  LIBS aevum::net OpenSSL::SSL OpenSSL::Crypto)

aevum_test(NAME net_grpc_loopback_test
  SOURCES grpc/loopback_test.cc grpc/test_server.cc
  LIBS aevum::net
  LABELS threads)
